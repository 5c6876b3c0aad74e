/*
 * Jobs that do nothing.  As with functions of modules, jobs are taken beyond the slots.
 *
 * The result of a stamped job is how long ago, in microseconds, it was put in: its payload is
 * the monotonic time of the call, which was made on this machine.
 */
#include "bench/nothing.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "bench/internal.h"

struct nothing {
    STAILQ_ENTRY(nothing) link;
    struct run *run;
};

/* Of this process: what has started and not yet ended. */
static struct {
    struct ev_loop *loop;
    ev_prepare before_wait;
    STAILQ_HEAD(, nothing) started;
} n = {.started = STAILQ_HEAD_INITIALIZER(n.started)};

/* Not from inside start(): the worker hears of an end later than of the start. */
static void
on_before_wait(struct ev_loop *loop, ev_prepare *prepare, int events)
{
    struct nothing *x;

    (void)loop;
    (void)prepare;
    (void)events;
    while ((x = STAILQ_FIRST(&n.started)) != NULL) {
        struct run_end end = RUN_END(RUN_OK);
        struct run *run = x->run;

        STAILQ_REMOVE_HEAD(&n.started, link);
        end.result = run->way;
        run->events->ended(run, &end); /* the run may be gone now, and x with it */
    }
}

static void
nothing_init(struct ev_loop *loop, const struct conf *conf)
{
    (void)conf;
    n.loop = loop;
    loop_prepare_init(&n.before_wait, on_before_wait);
    LOOP_START(loop, prepare, &n.before_wait, NULL);
}

static void
nothing_end(void)
{
    ev_prepare_stop(n.loop, &n.before_wait);
}

static bool
nothing_start(struct run *run, struct err *err)
{
    struct nothing *x = arena_alloc(&run->arena, sizeof(*x));

    (void)err;
    x->run = run;
    if (strcmp(run->job.kind, KIND_STAMPED) == 0)
        run->way = arena_printf(&run->arena, "%lld",
                                (long long)(clock_mono_ns() / 1000 - atoll(run->job.payload)));
    STAILQ_INSERT_TAIL(&n.started, x, link);
    return true;
}

/* It ends anyway, before whoever asks can hear of it. */
static void
nothing_stop(struct run *run, enum run_cause cause)
{
    (void)run;
    (void)cause;
}

static void
nothing_forget(struct run *run)
{
    run->way = NULL; /* all of it is in the run's arena */
}

static bool
nothing_retract(struct run *run)
{
    (void)run;
    return false;
}

const struct way way_nothing = {
    .init = nothing_init,
    .end = nothing_end,
    .start = nothing_start,
    .stop = nothing_stop,
    .kill = nothing_stop,
    .forget = nothing_forget,
    .retract = nothing_retract,
};
