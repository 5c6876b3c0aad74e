#include <sys/prctl.h>

#include "config/conf.h"
#include "handler/handler.h"
#include "handler/strays.h"
#include "handler/way.h"

enum way_id { WAY_EXEC };

static const struct way *const ways[] = {
    [WAY_EXEC] = &way_exec,
};

static const struct way *
way_of(const struct handler_conf *handler)
{
    (void)handler; /* every handler of the configuration names a program */
    return ways[WAY_EXEC];
}

static const char *const cause_names[] = {
    [RUN_OK] = "ok",
    [RUN_FAILED] = "failed",
    [RUN_SIGNAL] = "signal",
    [RUN_TIMEOUT] = "timeout",
    [RUN_PERMANENT] = "permanent",
    [RUN_TEMPFAIL] = "tempfail",
    [RUN_CANCELLED] = "cancelled",
    [RUN_STOPPED] = "stopped",
    [RUN_NO_START] = "no_start",
};

const char *
run_cause_name(enum run_cause cause)
{
    return cause_names[cause];
}

bool
handler_start(struct run *run, struct err *err)
{
    return way_of(run->handler)->start(run, err);
}

void
handler_stop(struct run *run, enum run_cause cause)
{
    way_of(run->handler)->stop(run, cause);
}

void
handler_kill(struct run *run, enum run_cause cause)
{
    way_of(run->handler)->kill(run, cause);
}

void
handler_forget(struct run *run)
{
    way_of(run->handler)->forget(run);
}

const struct handler_conf *
handler_for(const struct conf *conf, const char *kind)
{
    return conf_handler(conf, kind);
}

void
handler_init(struct ev_loop *loop)
{
    (void)loop; /* exec watches its guards by the loop of each run */
    /* What loses its parent comes to this process, which can end it. */
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

size_t
handler_kill_strays(void)
{
    return strays_kill();
}
