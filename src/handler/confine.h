/*
 * What a program of `exec` and `serve` may take and reach: its limits, its user,
 * its temporary folder.
 *
 * The worker fills a struct confine before it forks a guard, from what was
 * looked up and built once.  What is made for one program alone is made and
 * removed by its guard: cell.h.  What ends a program that took too much is told in
 * limits.h.
 */
#ifndef PGCREW_HANDLER_CONFINE_H
#define PGCREW_HANDLER_CONFINE_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/base.h"
#include "base/err.h"
#include "config/conf.h"

struct ev_loop;
struct sock_fprog;

/* Whom a program runs as, when that is not the daemon's own user. */
struct confine_user {
    const char *name, *home;
    uid_t uid;
    gid_t gid;
    const gid_t *groups;
    int n_groups;
};

struct place;

struct confine {
    const struct handler_conf *limits;
    const char *name;                /* of its control group */
    struct place *place;             /* of its temporary folder */
    const struct confine_user *user; /* NULL: the daemon's */
    const struct sock_fprog *filter; /* NULL: it may call everything */
    bool group;                      /* it gets a control group */
};

/*
 * Once per process, before the first program: look up users, say which limits this host
 * cannot hold.  Blocks as long as the look-up does.
 */
void confine_init(const struct conf *conf);

/*
 * For the next program of this handler; job_id 0 when it is not for one job.
 * False when it cannot be confined as it should: ERR_CONFIG, its user is not known.
 * One that was filled goes back by confine_end(), or confine_abandon() until that is true.
 */
bool confine_fill(struct confine *ret, const struct handler_conf *handler, int64_t job_id,
                  struct arena *a, struct err *err) MUST_CHECK;

/* Its guard has ended with that status, or was never started (0). */
void confine_end(struct confine *confine, int guard_status, struct ev_loop *loop);
/* Its guard was killed: end its group.  Again until it returns true: nothing in it lives. */
bool confine_abandon(struct confine *confine) MUST_CHECK;

/* Between fork and exec, in this order.  False with errno. */
bool confine_limit(const struct confine *confine) MUST_CHECK;
bool confine_switch(const struct confine *confine) MUST_CHECK;
bool confine_filter(const struct confine *confine) MUST_CHECK;

/* What stands in oom_score_adj of a program, as text: the kernel prefers it to the daemon. */
const char *confine_oom_score(void);

#endif
