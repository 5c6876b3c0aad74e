#include "handler/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/delegation.h"
#include "base/log.h"
#include "handler/broom.h"
#include "handler/filter.h"
#include "handler/limits.h"
#include "handler/places.h"

#include <linux/seccomp.h>

#define GROUPS_MAX 256
/* A program that ignores SIGXCPU has so much longer. */
#define CPU_GRACE_S 2
/* How much more a program is to the kernel's taste than the daemon. */
#define OOM_MORE 500
#define OOM_MOST 1000

/* --- users ---------------------------------------------------------------------------- */

/* Looked up once; never freed, for they are as many as the configuration names. */
struct known_user {
    struct known_user *next;
    const char *name;
    bool exists;
    struct confine_user user;
};

static struct known_user *known_users;

static void
look_up(struct known_user *known)
{
    const struct passwd *entry = getpwnam(known->name);
    gid_t groups[GROUPS_MAX], *kept;
    int n = GROUPS_MAX;

    if (entry == NULL)
        return;
    if (getgrouplist(known->name, entry->pw_gid, groups, &n) < 0)
        n = GROUPS_MAX; /* of more groups, the first ones */
    kept = xcalloc((size_t)n + 1, sizeof(*kept));
    memcpy(kept, groups, (size_t)n * sizeof(*kept));
    known->exists = true;
    known->user = (struct confine_user){
        .name = known->name,
        .home = xstrdup(entry->pw_dir),
        .uid = entry->pw_uid,
        .gid = entry->pw_gid,
        .groups = kept,
        .n_groups = n,
    };
}

static const struct known_user *
find_user(const char *name)
{
    struct known_user *known;

    for (known = known_users; known != NULL; known = known->next) {
        if (strcmp(known->name, name) == 0)
            return known;
    }
    known = xcalloc(1, sizeof(*known));
    known->name = xstrdup(name);
    known->next = known_users;
    known_users = known;
    look_up(known);
    return known;
}

/* --- filling one ------------------------------------------------------------------------- */

static bool
wants_group(const struct handler_conf *h)
{
    return h->memory > 0 || h->processes > 0 || h->cpu_percent > 0;
}

static const char *
fresh_name(struct arena *a, int64_t job_id)
{
    static unsigned counter;
    int pid = (int)getpid();

    if (job_id > 0)
        return arena_printf(a, "job-%" PRId64 "-%d-%u", job_id, pid, ++counter);
    return arena_printf(a, "program-%d-%u", pid, ++counter);
}

bool
confine_fill(struct confine *ret, const struct handler_conf *handler, int64_t job_id,
             struct arena *a, struct err *err)
{
    const struct known_user *known = handler->user != NULL ? find_user(handler->user) : NULL;
    const struct sock_fprog *filter = NULL;
    const struct confine_user *user = NULL;

    if (known != NULL && !known->exists)
        return err_set(err, ERR_CONFIG, "user '%s' does not exist", handler->user);
    if (handler->network == CONF_NO && !filter_without_network(&filter, err))
        return false;
    if (known != NULL && known->user.uid != geteuid())
        user = &known->user;
    *ret = (struct confine){
        .limits = handler,
        .name = fresh_name(a, job_id),
        .place = place_take(user != NULL ? user->uid : geteuid()),
        .user = user,
        .filter = filter,
        .group = wants_group(handler) && delegation_powers() != 0,
    };
    return true;
}

void
confine_end(struct confine *confine, int guard_status, struct ev_loop *loop)
{
    if (guard_status != 0)
        broom_remove(place_path(confine->place), loop);
    place_give_back(confine->place, guard_status == 0);
    confine->place = NULL;
}

bool
confine_abandon(struct confine *confine)
{
    AUTO(fd) int home = -1;
    AUTO(fd) int group = -1;

    if (!confine->group)
        return true;
    home = delegation_open();
    group = cgroup_open(home, confine->name);
    cgroup_kill(group);
    return cgroup_remove(home, confine->name) || errno != EBUSY;
}

/* --- between fork and exec ------------------------------------------------------------------ */

/* Never above what we may have ourselves; 0 is no limit of ours. */
static bool
set_limit(__rlimit_resource_t what, rlim_t soft, rlim_t hard)
{
    struct rlimit limit;

    if (soft == 0)
        return true;
    if (getrlimit(what, &limit) < 0)
        return false;
    limit.rlim_max = hard < limit.rlim_max ? hard : limit.rlim_max;
    limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
    return setrlimit(what, &limit) == 0;
}

bool
confine_limit(const struct confine *confine)
{
    const struct handler_conf *h = confine->limits;
    rlim_t cpu_s = (rlim_t)((h->cpu_time_ms + 999) / 1000);
    rlim_t file = limits_file_size(h), files = (rlim_t)h->open_files;
    rlim_t memory = (delegation_powers() & DELEGATION_MEMORY) != 0 ? 0 : h->memory;

    return set_limit(RLIMIT_CPU, cpu_s, cpu_s + CPU_GRACE_S) &&
           set_limit(RLIMIT_NOFILE, files, files) && set_limit(RLIMIT_FSIZE, file, file) &&
           set_limit(RLIMIT_AS, memory, memory);
}

/* The calls themselves: those of the library tell other threads, of which a vforked child has none. */
bool
confine_switch(const struct confine *confine)
{
    const struct confine_user *user = confine->user;

    return user == NULL || (syscall(SYS_setgroups, (size_t)user->n_groups, user->groups) == 0 &&
                            syscall(SYS_setresgid, user->gid, user->gid, user->gid) == 0 &&
                            syscall(SYS_setresuid, user->uid, user->uid, user->uid) == 0);
}

bool
confine_filter(const struct confine *confine)
{
    return confine->filter == NULL ||
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, confine->filter) == 0;
}

/* --- once ------------------------------------------------------------------------------------- */

static char oom_score[8] = "0";

static void
note_oom_score(void)
{
    AUTO(file) FILE *f = fopen("/proc/self/oom_score_adj", "re");
    int own = 0;

    if (f == NULL || fscanf(f, "%d", &own) != 1)
        own = 0;
    snprintf(oom_score, sizeof(oom_score), "%d",
             own + OOM_MORE < OOM_MOST ? own + OOM_MORE : OOM_MOST);
}

const char *
confine_oom_score(void)
{
    return oom_score;
}

void
confine_init(const struct conf *conf)
{
    note_oom_score();
    for (size_t i = 0; i < conf->n_handlers; i++) {
        const struct handler_conf *h = &conf->handlers[i];

        if (h->user != NULL && !find_user(h->user)->exists)
            log_error("handler '%s': user '%s' does not exist; its jobs wait", h->kind, h->user);
        if (h->cpu_percent > 0 && (delegation_powers() & DELEGATION_CPU) == 0)
            log_warn("handler '%s': 'cpu' does nothing here: it needs control groups, see "
                     "pgcrewd(8)",
                     h->kind);
    }
}
