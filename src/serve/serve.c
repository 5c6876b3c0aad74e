/*
 * A program for many jobs, as the worker meets it.
 */
#include "serve/serve.h"
#include "handler/way.h"
#include "program/users.h"

static bool
serve_start(struct run *run, struct err *err)
{
    struct serve_pool *pool = serve_pool_of(run);

    if (!serve_pool_works(pool, err))
        return false;
    serve_job_wait(pool, run);
    return true;
}

static void
serve_stop(struct run *run, enum run_cause cause)
{
    serve_job_stop(run->way, cause);
}

static void
serve_kill(struct run *run, enum run_cause cause)
{
    serve_job_kill(run->way, cause);
}

static void
serve_forget(struct run *run)
{
    run->way = NULL; /* all of it is in the run's arena */
}

const struct way way_serve = {
    .end = serve_pools_end,
    .check = users_check,
    .start = serve_start,
    .stop = serve_stop,
    .kill = serve_kill,
    .forget = serve_forget,
};
