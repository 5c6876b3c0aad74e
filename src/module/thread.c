/*
 * The thread that runs the functions of modules, and the queue to it and back.
 *
 * The worker's own thread never waits for a function.  Jobs go over in order; what has
 * ended comes back in lists, because waking the other thread costs more than a small job:
 * it is rung when the queue is empty, else it comes to look by itself.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "handler/way.h"
#include "module/module.h"

static struct {
    bool is_started;
    pthread_t thread;
    struct ev_loop *loop;
    ev_async *rung;

    pthread_mutex_t lock; /* for all below */
    pthread_cond_t more;
    struct inside_list waiting, ended;
    struct inside *current;
    bool ending;
    bool has_progress;
    struct progress progress; /* of the current one */
} t = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER};

/* --- the thread ------------------------------------------------------------------------ */

/* What has ended goes back, the next one comes; NULL: the thread ends. */
static struct inside *
exchange(struct inside *ended)
{
    struct inside *next = NULL;
    bool ring = false, is_left = false;

    pthread_mutex_lock(&t.lock);
    if (ended != NULL && ended->abandoned) {
        is_left = true;
    } else if (ended != NULL) {
        ended->place = INSIDE_ENDED;
        STAILQ_INSERT_TAIL(&t.ended, ended, link);
        t.current = NULL;
        t.has_progress = false;
        ring = STAILQ_EMPTY(&t.waiting);
    }
    if (ring)
        ev_async_send(t.loop, t.rung);
    while (!is_left && STAILQ_EMPTY(&t.waiting) && !t.ending)
        pthread_cond_wait(&t.more, &t.lock);
    if (!is_left && !STAILQ_EMPTY(&t.waiting)) {
        next = STAILQ_FIRST(&t.waiting);
        STAILQ_REMOVE_HEAD(&t.waiting, link);
        next->place = INSIDE_RUNS;
        next->begun_mono_ms = clock_mono_ms();
        t.current = next;
    }
    pthread_mutex_unlock(&t.lock);
    return next;
}

static void *
thread_main(void *unused)
{
    struct inside *x = NULL;

    (void)unused;
    while ((x = exchange(x)) != NULL) {
        handler_inside(x->job.id);
        fault_here("module.enters");
        inside_run(x);
        fault_here("module.leaves");
        handler_inside(0);
    }
    return NULL;
}

void
module_thread_say(struct inside *x, const struct progress *said)
{
    bool ring = false;

    pthread_mutex_lock(&t.lock);
    if (!x->abandoned) {
        ring = !t.has_progress;
        if (said->percent >= 0 || !t.has_progress)
            t.progress.percent = said->percent;
        if (said->note[0] != '\0' || !t.has_progress)
            memcpy(t.progress.note, said->note, sizeof(said->note));
        t.has_progress = true;
    }
    pthread_mutex_unlock(&t.lock);
    if (ring)
        ev_async_send(t.loop, t.rung);
}

/* --- the others ------------------------------------------------------------------------ */

/* Signals are for the loop of the main thread; but a crash is a crash. */
static int
create_quietly(void)
{
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS, SIGTRAP, SIGABRT};
    sigset_t all, before;
    int why;

    sigfillset(&all);
    for (size_t i = 0; i < LENGTH(crashes); i++)
        sigdelset(&all, crashes[i]);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    why = pthread_create(&t.thread, NULL, thread_main, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return why;
}

bool
module_thread_start(struct ev_loop *loop, ev_async *rung, struct err *err)
{
    int why;

    if (t.is_started)
        return true;
    t.loop = loop;
    t.rung = rung;
    STAILQ_INIT(&t.waiting);
    STAILQ_INIT(&t.ended);
    ev_async_start(loop, rung);
    ev_unref(loop); /* it alone keeps no loop alive */
    why = fault_fails("module.starts", EAGAIN) ? EAGAIN : create_quietly();
    if (why != 0)
        return err_set(err, ERR_RETRY, "cannot make a thread for modules: %s",
                       strerrordesc_np(why));
    t.is_started = true;
    return true;
}

void
module_thread_give(struct inside *x)
{
    pthread_mutex_lock(&t.lock);
    STAILQ_INSERT_TAIL(&t.waiting, x, link);
    pthread_cond_signal(&t.more);
    pthread_mutex_unlock(&t.lock);
}

bool
module_thread_take_back(struct inside *x)
{
    bool waits;

    pthread_mutex_lock(&t.lock);
    waits = x->place == INSIDE_WAITS;
    if (waits)
        STAILQ_REMOVE(&t.waiting, x, inside, link);
    pthread_mutex_unlock(&t.lock);
    return waits;
}

struct inside *
module_thread_current(void)
{
    struct inside *x;

    pthread_mutex_lock(&t.lock);
    x = t.current != NULL && !t.current->abandoned ? t.current : NULL;
    pthread_mutex_unlock(&t.lock);
    return x;
}

struct inside *
module_thread_done(void)
{
    struct inside *x;

    pthread_mutex_lock(&t.lock);
    x = t.is_started ? STAILQ_FIRST(&t.ended) : NULL;
    if (x != NULL)
        STAILQ_REMOVE_HEAD(&t.ended, link);
    pthread_mutex_unlock(&t.lock);
    return x;
}

bool
module_thread_has_more(void)
{
    bool more;

    pthread_mutex_lock(&t.lock);
    more = t.is_started && (!STAILQ_EMPTY(&t.waiting) || !STAILQ_EMPTY(&t.ended));
    pthread_mutex_unlock(&t.lock);
    return more;
}

struct inside *
module_thread_progress(struct progress *ret)
{
    struct inside *x = NULL;

    pthread_mutex_lock(&t.lock);
    if (t.has_progress && t.current != NULL) {
        x = t.current;
        *ret = t.progress;
    }
    t.has_progress = false;
    pthread_mutex_unlock(&t.lock);
    return x;
}

bool
module_thread_abandon(struct inside *x)
{
    pthread_mutex_lock(&t.lock);
    x->abandoned = x->place == INSIDE_RUNS;
    pthread_mutex_unlock(&t.lock);
    return x->abandoned;
}

bool
module_thread_end(void)
{
    if (!t.is_started)
        return true;
    if (t.current != NULL)
        return false;
    pthread_mutex_lock(&t.lock);
    t.ending = true;
    pthread_cond_signal(&t.more);
    pthread_mutex_unlock(&t.lock);
    pthread_join(t.thread, NULL);
    t.is_started = false;
    return true;
}
