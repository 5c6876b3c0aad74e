/*
 * Functions of shared objects, inside the worker: the modules of this process and
 * what becomes of the jobs that thread.c runs.
 *
 * A function cannot be stopped from outside.  One that goes on after it was asked to
 * end is left alone with its thread: its attempt is over, and the process is spoiled,
 * that is, replaced.  Only when the lease is about to end does the process go at once.
 */
#include "module/module.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "handler/progress.h"
#include "handler/way.h"
#include "module/load.h"

/* Jobs that have ended wait so long for others to be told with them. */
#define COLLECT_MS 20
/* After handler_kill(): the lease is about to end, nobody else may meet this attempt. */
#define KILL_PATIENCE_MS 250
#define EXIT_NOT_STOPPED 70

struct function {
    const struct pgcrew_module *module;
    pgcrew_run *run; /* NULL: why says why not */
    char why[512];
};

static const struct conf *conf;
static struct function *functions; /* parallel to conf->handlers */
static struct ev_loop *loop;
static ev_async rung;
static ev_timer look;
static int64_t shortest_timeout_ms;
static const char *spoiled;

static struct function *
function_of(const struct run *run)
{
    return &functions[run->handler - conf->handlers];
}

/* --- how an attempt ended ------------------------------------------------------------- */

static enum run_cause
cause_of(enum pgcrew_end said, int64_t wait_ms)
{
    switch (said) {
    case PGCREW_DONE:
        return RUN_OK;
    case PGCREW_NEVER:
        return RUN_PERMANENT;
    case PGCREW_LATER:
        return wait_ms >= 0 ? RUN_SNOOZED : RUN_TEMPFAIL;
    case PGCREW_FAILED:
        break;
    }
    return RUN_FAILED;
}

static void
fill_end(struct inside *x, struct run_end *ret)
{
    struct arena *a = &x->run->arena;

    ret->cause = x->asked ? x->asked_cause : cause_of(x->said, x->wait_ms);
    ret->ran_ms = x->begun_mono_ms > 0 ? x->ended_mono_ms - x->begun_mono_ms : 0;
    ret->wait_ms = x->asked ? -1 : x->wait_ms;
    if (x->asked)
        ret->error = way_asked_error(x->run, x->asked_cause);
    else if (ret->cause != RUN_OK)
        ret->error = arena_strdup(a, x->error != NULL ? x->error : "its function said no reason");
    if (ret->cause == RUN_OK && x->result != NULL)
        ret->result = arena_strdup(a, x->result);
    if (x->stderr_tail != NULL)
        ret->stderr_tail = arena_strdup(a, x->stderr_tail);
}

static void
end_run(struct inside *x)
{
    struct run *run = x->run;
    struct run_end end = RUN_END(RUN_OK);

    fill_end(x, &end);
    inside_release(x);
    run->events->ended(run, &end); /* the run may be gone now, and x with it */
}

/* The thread keeps what it works on; the owner of the run goes on with fresh memory. */
static void
abandon(struct inside *x)
{
    struct run *run = x->run;
    struct run_end end = RUN_END(x->asked_cause);

    if (!module_thread_abandon(x))
        return; /* it has just ended */
    log_job(LOG_LEVEL_ERROR, run->job.id, run->job.kind,
            "its function has not returned %" PRId64
            " ms after it was asked to end: this worker is replaced",
            run->conf->grace_ms);
    spoiled = "a module does not return: ending";
    arena_init(&run->arena);
    end.ran_ms = clock_mono_ms() - x->begun_mono_ms;
    end.error =
        arena_printf(&run->arena, "%s, and did not return", way_asked_error(run, x->asked_cause));
    run->events->ended(run, &end);
}

/* --- time ----------------------------------------------------------------------------- */

static void
look_in(int64_t ms)
{
    if (!ev_is_active(&look) || ev_timer_remaining(loop, &look) * 1000 > (double)ms)
        loop_timer_in(loop, &look, ms);
}

static void
check_patience(struct inside *x, int64_t now_ms)
{
    if (now_ms < x->patience_mono_ms) {
        look_in(x->patience_mono_ms - now_ms);
    } else if (x->must_exit) {
        log_job(LOG_LEVEL_ERROR, x->run->job.id, x->run->job.kind,
                "its function does not end before the lease does: ending this worker at once");
        _exit(EXIT_NOT_STOPPED);
    } else {
        abandon(x);
    }
}

static void
check_current(int64_t now_ms)
{
    struct inside *x = module_thread_current();
    int64_t left_ms;

    if (x == NULL)
        return;
    if (x->asked) {
        check_patience(x, now_ms);
        return;
    }
    left_ms = x->begun_mono_ms + x->run->handler->timeout_ms - now_ms;
    if (left_ms <= 0)
        handler_stop(x->run, RUN_TIMEOUT);
    else
        look_in(left_ms < shortest_timeout_ms ? left_ms : shortest_timeout_ms);
}

static void
tell_progress(void)
{
    struct progress said;
    struct inside *x = module_thread_progress(&said);

    if (x != NULL)
        x->run->events->progress(x->run, said.percent, said.note[0] != '\0' ? said.note : NULL);
}

/* Something happened in the thread, or it is time to look. */
static void
collect(void)
{
    struct inside *x;

    tell_progress();
    while ((x = module_thread_done()) != NULL)
        end_run(x);
    check_current(clock_mono_ms());
    if (spoiled == NULL && module_thread_has_more())
        look_in(COLLECT_MS);
}

static void
on_rung(struct ev_loop *l, ev_async *w, int events)
{
    (void)l;
    (void)w;
    (void)events;
    collect();
}

static void
on_look(struct ev_loop *l, ev_timer *w, int events)
{
    (void)l;
    (void)w;
    (void)events;
    collect();
}

/* --- the way -------------------------------------------------------------------------- */

static bool
module_start(struct run *run, struct err *err)
{
    struct function *f = function_of(run);
    struct inside *x;

    if (f->run == NULL)
        return err_set(err, ERR_CONFIG, "%s", f->why);
    if (!module_thread_start(loop, &rung, err))
        return false;
    x = inside_new(run, f->run);
    run->way = x;
    module_thread_give(x);
    look_in(COLLECT_MS < run->handler->timeout_ms ? COLLECT_MS : run->handler->timeout_ms);
    return true;
}

static void
ask(struct inside *x, enum run_cause cause, int64_t patience_ms)
{
    int64_t until_ms = clock_mono_ms() + patience_ms;

    if (!x->asked) {
        x->asked_cause = cause;
        x->patience_mono_ms = until_ms;
        inside_ask(x);
    } else if (until_ms < x->patience_mono_ms) {
        x->patience_mono_ms = until_ms;
    }
    look_in(patience_ms);
}

static void
stop(struct run *run, enum run_cause cause, int64_t patience_ms)
{
    struct inside *x = run->way;

    if (x == NULL)
        return;
    if (module_thread_take_back(x)) {
        x->asked = true;
        x->asked_cause = cause;
        end_run(x);
    } else if (x == module_thread_current()) {
        ask(x, cause, patience_ms);
    }
}

static void
module_stop(struct run *run, enum run_cause cause)
{
    stop(run, cause, run->conf->grace_ms);
}

static void
module_kill(struct run *run, enum run_cause cause)
{
    struct inside *x = run->way;

    if (x != NULL)
        x->must_exit = true;
    stop(run, cause, KILL_PATIENCE_MS);
}

static bool
module_retract(struct run *run)
{
    struct inside *x = run->way;

    if (x == NULL || !module_thread_take_back(x))
        return false;
    inside_release(x);
    run->way = NULL;
    return true;
}

static void
module_forget(struct run *run)
{
    run->way = NULL; /* all of it is in the run's arena */
}

/* --- once a process --------------------------------------------------------------------- */

/* Two handlers of one module: it is begun once. */
static bool
has_begun(const struct pgcrew_module *module, const struct function *before)
{
    for (const struct function *f = functions; f < before; f++) {
        if (f->module == module)
            return true;
    }
    return false;
}

static void
load(const struct handler_conf *h, struct function *f)
{
    struct err err;

    if (!module_load(h, &f->module, &f->run, &err)) {
        snprintf(f->why, sizeof(f->why), "%s", err.text);
    } else if (f->module->begin != NULL && !has_begun(f->module, f) && f->module->begin() != 0) {
        snprintf(f->why, sizeof(f->why), "module '%s' refuses to begin", h->module);
        f->run = NULL;
    }
    if (f->run == NULL)
        log_error("handler '%s': %s; its jobs wait", h->kind, f->why);
}

static void
module_init(struct ev_loop *l, const struct conf *c)
{
    conf = c;
    loop = l;
    functions = xcalloc(c->n_handlers + 1, sizeof(*functions));
    shortest_timeout_ms = INT64_MAX;
    for (size_t i = 0; i < c->n_handlers; i++) {
        if (c->handlers[i].way != CONF_MODULE)
            continue;
        load(&c->handlers[i], &functions[i]);
        if (c->handlers[i].timeout_ms < shortest_timeout_ms)
            shortest_timeout_ms = c->handlers[i].timeout_ms;
    }
    loop_async_init(&rung, on_rung);
    loop_timer_init(&look, on_look);
}

static void
module_end(void)
{
    if (!module_thread_end())
        return; /* a function is still in there */
    for (size_t i = 0; functions != NULL && i < conf->n_handlers; i++) {
        const struct function *f = &functions[i];

        if (f->run != NULL && f->module->end != NULL && !has_begun(f->module, f))
            f->module->end();
    }
    free(functions);
    functions = NULL;
}

static const char *
module_spoiled(void)
{
    return spoiled;
}

static bool
module_check(const struct handler_conf *h, struct err *err)
{
    const struct pgcrew_module *module;
    pgcrew_run *run;

    return module_load(h, &module, &run, err);
}

const struct way way_module = {
    .init = module_init,
    .end = module_end,
    .check = module_check,
    .spoiled = module_spoiled,
    .start = module_start,
    .stop = module_stop,
    .kill = module_kill,
    .forget = module_forget,
    .retract = module_retract,
};
