#include <sys/prctl.h>

#include "base/proc.h"
#include "config/conf.h"
#include "handler/confine.h"
#include "handler/handler.h"
#include "handler/places.h"
#include "handler/strays.h"
#include "handler/way.h"

static const struct way *ways[CONF_WAYS] = {
    [CONF_EXEC] = &way_exec,
    [CONF_SERVE] = &way_serve,
};

void
way_put(enum conf_way name, const struct way *way)
{
    ways[name] = way;
}

static const struct way *
way_of(const struct run *run)
{
    return ways[run->handler->way];
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
    [RUN_OOM] = "oom",
    [RUN_LIMIT] = "limit",
    [RUN_PROTOCOL] = "protocol",
    [RUN_SNOOZED] = "snoozed",
    [RUN_SETTLED] = "settled",
};

const char *
run_cause_name(enum run_cause cause)
{
    return cause_names[cause];
}

bool
handler_start(struct run *run, struct err *err)
{
    if (way_of(run) == NULL)
        return err_set(err, ERR_CONFIG, "this program cannot run '%s' handlers",
                       conf_way_name(run->handler->way));
    return way_of(run)->start(run, err);
}

void
handler_stop(struct run *run, enum run_cause cause)
{
    way_of(run)->stop(run, cause);
}

void
handler_kill(struct run *run, enum run_cause cause)
{
    way_of(run)->kill(run, cause);
}

void
handler_forget(struct run *run)
{
    way_of(run)->forget(run);
}

const struct handler_conf *
handler_for(const struct conf *conf, const char *kind)
{
    return conf_handler(conf, kind);
}

void
handler_init(struct ev_loop *loop, const struct conf *conf)
{
    /* What loses its parent comes to this process, which can end it. */
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    proc_hide();
    confine_init(conf);
    for (unsigned i = 0; i < CONF_WAYS; i++) {
        if (ways[i] != NULL && ways[i]->init != NULL)
            ways[i]->init(loop, conf);
    }
}

void
handler_end(void)
{
    for (unsigned i = 0; i < CONF_WAYS; i++) {
        if (ways[i] != NULL && ways[i]->end != NULL)
            ways[i]->end();
    }
    places_end();
}

size_t
handler_kill_strays(void)
{
    return strays_kill();
}
