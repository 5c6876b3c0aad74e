/*
 * Which idle worker is told to look for work, and when.
 *
 * There may be work: one idle worker is woken.  If it finds some while it was
 * idle it says so (ORDER_MORE), and the next is woken, so a heap of jobs soon
 * has all workers and a single job has one.  A wake that finds nobody idle is
 * kept for the next who is: that one may have looked just before.
 *
 * The janitor polls for all of them, so that none has to get up for nothing.  Only while
 * it does not, one idle worker is woken every poll interval to look by itself.
 */
#ifndef PGCREW_SUPERVISOR_WAKE_H
#define PGCREW_SUPERVISOR_WAKE_H

#include "base/base.h"
#include "base/loop.h"

/*
 * After a NOTIFY one more wake follows: rows become visible a moment after the
 * notification has been sent, and a full sweep of a long queue may just miss them.
 */
#define WAKE_AGAIN_MS 50

struct wake {
    struct ev_loop *loop;
    ev_timer again, poll;
    int64_t poll_ms;
    void (*send)(void *owner, int worker);
    void *owner;
    bool is_remembered;
    int *idle; /* numbers of workers, who was woken longest ago first */
    size_t n_idle, room;
};

/* send tells a worker to look for work. */
void wake_init(struct wake *w, struct ev_loop *loop, int64_t poll_ms,
               void (*send)(void *owner, int worker), void *owner);
void wake_release(struct wake *w);
void wake_set_poll(struct wake *w, int64_t poll_ms);

void wake_one(struct wake *w);  /* there may be work */
void wake_news(struct wake *w); /* the database says that there may be work */
/* The janitor has looked for all who are idle: the next poll is its, too. */
void wake_looked(struct wake *w, bool something_waits);
void wake_idle(struct wake *w, int worker); /* found nothing */
void wake_busy(struct wake *w, int worker); /* has work, or is gone */
size_t wake_n_idle(const struct wake *w);

#endif
