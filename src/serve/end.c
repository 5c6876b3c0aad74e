/*
 * The end of a program: what it means for the jobs that it had in hand.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "program/verdict.h"
#include "serve/serve.h"

/* What p->why begins with: it reads "its program ..." */
static const char *
beginning(const struct guarded *g, const char *error)
{
    if (g->has_report && g->report.failed_step != GUARD_STARTED)
        return "could not be started: ";
    return strncmp(error, "its ", 4) == 0 ? "ended: " : ""; /* "its guard ..." */
}

/* How it ended by itself, as verdict.c says it; the text goes to p->why. */
static void
judge(struct serve_program *p, struct run_end *ret)
{
    const struct guarded *g = &p->guarded;
    const struct verdict v = {.guarded = g};
    struct run as = {.handler = p->pool->handler, .conf = p->pool->conf};
    bool ran = !g->has_report || g->report.failed_step == GUARD_STARTED;
    const char *last_line, *error;

    arena_init(&as.arena);
    last_line = complaint_last_line(&p->complaint, &as.arena);
    verdict_fill(&v, &as, ret);
    /* The status of a program says nothing about one of its jobs, not even 0. */
    if (ret->cause == RUN_OK || ret->cause == RUN_PERMANENT || ret->cause == RUN_TEMPFAIL)
        ret->cause = RUN_FAILED;
    error = ret->error != NULL ? ret->error : "exited with status 0";
    snprintf(p->why, sizeof(p->why), "%s%s%s%s%s", beginning(g, error), error,
             ran && p->ready_mono == 0 ? " before it said hello" : "",
             last_line != NULL ? ": " : "", last_line != NULL ? last_line : "");
    ret->error = NULL; /* it goes with the arena */
    arena_release(&as.arena);
}

static void
verdict_of(struct serve_program *p, struct run_end *ret)
{
    static const enum run_cause causes[] = {[SERVE_BROKE_PROTOCOL] = RUN_PROTOCOL,
                                            [SERVE_SILENT] = RUN_FAILED,
                                            [SERVE_SACRIFICED] = RUN_STOPPED};

    *ret = (struct run_end)RUN_END(RUN_FAILED);
    if (p->fault == SERVE_NO_FAULT)
        judge(p, ret);
    else
        ret->cause = causes[p->fault];
    /* What it used it used for many jobs. */
    ret->user_ms = ret->system_ms = ret->max_rss_bytes = 0;
}

static void
end_jobs(struct serve_program *p, const struct run_end *verdict)
{
    struct serve_job *job;

    while ((job = TAILQ_FIRST(&p->jobs)) != NULL) {
        struct arena *arena = &job->run->arena;
        struct run_end end = *verdict;

        end.error = arena_printf(arena, "its program %s", p->why);
        if (job->complaint == NULL)
            end.stderr_tail = complaint_tail(&p->complaint, arena);
        serve_job_end(job, &end);
    }
}

static void
stop_timers(struct serve_program *p)
{
    ev_timer *const all[] = {&p->life, &p->leave, &p->age, &p->measure, &p->stall};

    for (size_t i = 0; i < LENGTH(all); i++)
        ev_timer_stop(p->pool->loop, all[i]);
}

void
serve_program_gone(struct serve_program *p)
{
    struct run_end verdict;
    int in_hand;

    p->state = SERVE_GONE;
    serve_hear_last(p);
    stop_timers(p);
    verdict_of(p, &verdict);
    in_hand = p->n_jobs;
    end_jobs(p, &verdict);
    serve_pool_lost(p->pool, p, in_hand);
}
