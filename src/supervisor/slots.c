#include "supervisor/slots.h"

/* Adding a state or an event?  Every cell needs an answer: test_slots.c walks them all. */

/* clang-format off */
static const struct slot_rule rules[SLOT_STATES][SLOT_EVENTS] = {
    [SLOT_EMPTY] = {
        [SLOT_EV_START]         = {SLOT_STARTING, SLOT_DO_FORK},
        [SLOT_EV_READY]         = {SLOT_EMPTY,    SLOT_DO_COMPLAIN},
        [SLOT_EV_EXIT_PLANNED]  = {SLOT_EMPTY,    SLOT_DO_COMPLAIN},
        [SLOT_EV_EXIT_DATABASE] = {SLOT_EMPTY,    SLOT_DO_COMPLAIN},
        [SLOT_EV_EXIT_CONFIG]   = {SLOT_EMPTY,    SLOT_DO_COMPLAIN},
        [SLOT_EV_EXIT_CRASH]    = {SLOT_EMPTY,    SLOT_DO_COMPLAIN},
        [SLOT_EV_FORK_FAILED]   = {SLOT_EMPTY,    SLOT_DO_COMPLAIN},
        [SLOT_EV_TIMER]         = {SLOT_EMPTY,    SLOT_DO_COMPLAIN},
        [SLOT_EV_STALLED]       = {SLOT_EMPTY,    SLOT_DO_COMPLAIN},
        [SLOT_EV_RETIRE]        = {SLOT_EMPTY,    SLOT_DO_NOTHING},
        [SLOT_EV_RENEW]         = {SLOT_EMPTY,    SLOT_DO_NOTHING},
        [SLOT_EV_DRAIN]         = {SLOT_EMPTY,    SLOT_DO_NOTHING},
        [SLOT_EV_STOP]          = {SLOT_EMPTY,    SLOT_DO_NOTHING},
        [SLOT_EV_KILL]          = {SLOT_EMPTY,    SLOT_DO_NOTHING},
    },
    [SLOT_STARTING] = {
        [SLOT_EV_START]         = {SLOT_STARTING, SLOT_DO_NOTHING},
        [SLOT_EV_READY]         = {SLOT_READY,    SLOT_DO_WELCOME},
        /* Planned or not, it did not get as far as working. */
        [SLOT_EV_EXIT_PLANNED]  = {SLOT_BACKOFF,  SLOT_DO_BACK_OFF},
        [SLOT_EV_EXIT_DATABASE] = {SLOT_BACKOFF,  SLOT_DO_WAIT_DATABASE},
        [SLOT_EV_EXIT_CONFIG]   = {SLOT_HELD,     SLOT_DO_HOLD},
        [SLOT_EV_EXIT_CRASH]    = {SLOT_BACKOFF,  SLOT_DO_BACK_OFF},
        [SLOT_EV_FORK_FAILED]   = {SLOT_BACKOFF,  SLOT_DO_BACK_OFF},
        [SLOT_EV_TIMER]         = {SLOT_STARTING, SLOT_DO_COMPLAIN},
        /* Its exit by our signal is a crash like any other. */
        [SLOT_EV_STALLED]       = {SLOT_STARTING, SLOT_DO_KILL},
        [SLOT_EV_RETIRE]        = {SLOT_EMPTY,    SLOT_DO_LET_GO},
        [SLOT_EV_RENEW]         = {SLOT_STARTING, SLOT_DO_REPLACE},
        [SLOT_EV_DRAIN]         = {SLOT_DRAINING, SLOT_DO_TELL_DRAIN},
        [SLOT_EV_STOP]          = {SLOT_STOPPING, SLOT_DO_TELL_STOP},
        [SLOT_EV_KILL]          = {SLOT_KILLED,   SLOT_DO_KILL},
    },
    [SLOT_READY] = {
        [SLOT_EV_START]         = {SLOT_READY,    SLOT_DO_NOTHING},
        [SLOT_EV_READY]         = {SLOT_READY,    SLOT_DO_COMPLAIN},
        [SLOT_EV_EXIT_PLANNED]  = {SLOT_BACKOFF,  SLOT_DO_RESTART},
        [SLOT_EV_EXIT_DATABASE] = {SLOT_BACKOFF,  SLOT_DO_WAIT_DATABASE},
        [SLOT_EV_EXIT_CONFIG]   = {SLOT_HELD,     SLOT_DO_HOLD},
        [SLOT_EV_EXIT_CRASH]    = {SLOT_BACKOFF,  SLOT_DO_BACK_OFF},
        [SLOT_EV_FORK_FAILED]   = {SLOT_READY,    SLOT_DO_COMPLAIN},
        [SLOT_EV_TIMER]         = {SLOT_READY,    SLOT_DO_COMPLAIN},
        [SLOT_EV_STALLED]       = {SLOT_READY,    SLOT_DO_KILL},
        [SLOT_EV_RETIRE]        = {SLOT_EMPTY,    SLOT_DO_LET_GO},
        [SLOT_EV_RENEW]         = {SLOT_STARTING, SLOT_DO_REPLACE},
        [SLOT_EV_DRAIN]         = {SLOT_DRAINING, SLOT_DO_TELL_DRAIN},
        [SLOT_EV_STOP]          = {SLOT_STOPPING, SLOT_DO_TELL_STOP},
        [SLOT_EV_KILL]          = {SLOT_KILLED,   SLOT_DO_KILL},
    },
    [SLOT_DRAINING] = {
        [SLOT_EV_START]         = {SLOT_DRAINING, SLOT_DO_COMPLAIN},
        /* It said so before it heard that it shall end. */
        [SLOT_EV_READY]         = {SLOT_DRAINING, SLOT_DO_NOTHING},
        /* A child that dies while it was told to end is not started again. */
        [SLOT_EV_EXIT_PLANNED]  = {SLOT_EMPTY,    SLOT_DO_FORGET},
        [SLOT_EV_EXIT_DATABASE] = {SLOT_EMPTY,    SLOT_DO_FORGET},
        [SLOT_EV_EXIT_CONFIG]   = {SLOT_EMPTY,    SLOT_DO_FORGET},
        [SLOT_EV_EXIT_CRASH]    = {SLOT_EMPTY,    SLOT_DO_FORGET},
        [SLOT_EV_FORK_FAILED]   = {SLOT_DRAINING, SLOT_DO_COMPLAIN},
        [SLOT_EV_TIMER]         = {SLOT_DRAINING, SLOT_DO_COMPLAIN},
        [SLOT_EV_STALLED]       = {SLOT_KILLED,   SLOT_DO_KILL},
        [SLOT_EV_RETIRE]        = {SLOT_DRAINING, SLOT_DO_NOTHING},
        [SLOT_EV_RENEW]         = {SLOT_DRAINING, SLOT_DO_NOTHING},
        [SLOT_EV_DRAIN]         = {SLOT_DRAINING, SLOT_DO_NOTHING},
        [SLOT_EV_STOP]          = {SLOT_STOPPING, SLOT_DO_TELL_STOP},
        [SLOT_EV_KILL]          = {SLOT_KILLED,   SLOT_DO_KILL},
    },
    [SLOT_STOPPING] = {
        [SLOT_EV_START]         = {SLOT_STOPPING, SLOT_DO_COMPLAIN},
        [SLOT_EV_READY]         = {SLOT_STOPPING, SLOT_DO_NOTHING},
        [SLOT_EV_EXIT_PLANNED]  = {SLOT_EMPTY,    SLOT_DO_FORGET},
        [SLOT_EV_EXIT_DATABASE] = {SLOT_EMPTY,    SLOT_DO_FORGET},
        [SLOT_EV_EXIT_CONFIG]   = {SLOT_EMPTY,    SLOT_DO_FORGET},
        [SLOT_EV_EXIT_CRASH]    = {SLOT_EMPTY,    SLOT_DO_FORGET},
        [SLOT_EV_FORK_FAILED]   = {SLOT_STOPPING, SLOT_DO_COMPLAIN},
        [SLOT_EV_TIMER]         = {SLOT_STOPPING, SLOT_DO_COMPLAIN},
        [SLOT_EV_STALLED]       = {SLOT_KILLED,   SLOT_DO_KILL},
        [SLOT_EV_RETIRE]        = {SLOT_STOPPING, SLOT_DO_NOTHING},
        [SLOT_EV_RENEW]         = {SLOT_STOPPING, SLOT_DO_NOTHING},
        /* Only stronger. */
        [SLOT_EV_DRAIN]         = {SLOT_STOPPING, SLOT_DO_NOTHING},
        [SLOT_EV_STOP]          = {SLOT_STOPPING, SLOT_DO_NOTHING},
        [SLOT_EV_KILL]          = {SLOT_KILLED,   SLOT_DO_KILL},
    },
    [SLOT_KILLED] = {
        [SLOT_EV_START]         = {SLOT_KILLED,   SLOT_DO_COMPLAIN},
        [SLOT_EV_READY]         = {SLOT_KILLED,   SLOT_DO_NOTHING},
        [SLOT_EV_EXIT_PLANNED]  = {SLOT_EMPTY,    SLOT_DO_FORGET},
        [SLOT_EV_EXIT_DATABASE] = {SLOT_EMPTY,    SLOT_DO_FORGET},
        [SLOT_EV_EXIT_CONFIG]   = {SLOT_EMPTY,    SLOT_DO_FORGET},
        [SLOT_EV_EXIT_CRASH]    = {SLOT_EMPTY,    SLOT_DO_FORGET},
        [SLOT_EV_FORK_FAILED]   = {SLOT_KILLED,   SLOT_DO_COMPLAIN},
        [SLOT_EV_TIMER]         = {SLOT_KILLED,   SLOT_DO_COMPLAIN},
        [SLOT_EV_STALLED]       = {SLOT_KILLED,   SLOT_DO_NOTHING},
        [SLOT_EV_RETIRE]        = {SLOT_KILLED,   SLOT_DO_NOTHING},
        [SLOT_EV_RENEW]         = {SLOT_KILLED,   SLOT_DO_NOTHING},
        [SLOT_EV_DRAIN]         = {SLOT_KILLED,   SLOT_DO_NOTHING},
        [SLOT_EV_STOP]          = {SLOT_KILLED,   SLOT_DO_NOTHING},
        [SLOT_EV_KILL]          = {SLOT_KILLED,   SLOT_DO_KILL},
    },
    [SLOT_BACKOFF] = {
        [SLOT_EV_START]         = {SLOT_BACKOFF,  SLOT_DO_NOTHING},
        [SLOT_EV_READY]         = {SLOT_BACKOFF,  SLOT_DO_COMPLAIN},
        [SLOT_EV_EXIT_PLANNED]  = {SLOT_BACKOFF,  SLOT_DO_COMPLAIN},
        [SLOT_EV_EXIT_DATABASE] = {SLOT_BACKOFF,  SLOT_DO_COMPLAIN},
        [SLOT_EV_EXIT_CONFIG]   = {SLOT_BACKOFF,  SLOT_DO_COMPLAIN},
        [SLOT_EV_EXIT_CRASH]    = {SLOT_BACKOFF,  SLOT_DO_COMPLAIN},
        [SLOT_EV_FORK_FAILED]   = {SLOT_BACKOFF,  SLOT_DO_COMPLAIN},
        [SLOT_EV_TIMER]         = {SLOT_STARTING, SLOT_DO_FORK},
        [SLOT_EV_STALLED]       = {SLOT_BACKOFF,  SLOT_DO_COMPLAIN},
        [SLOT_EV_RETIRE]        = {SLOT_EMPTY,    SLOT_DO_CANCEL_TIMER},
        /* The new configuration may be the cure. */
        [SLOT_EV_RENEW]         = {SLOT_STARTING, SLOT_DO_FORK},
        [SLOT_EV_DRAIN]         = {SLOT_EMPTY,    SLOT_DO_CANCEL_TIMER},
        [SLOT_EV_STOP]          = {SLOT_EMPTY,    SLOT_DO_CANCEL_TIMER},
        [SLOT_EV_KILL]          = {SLOT_EMPTY,    SLOT_DO_CANCEL_TIMER},
    },
    [SLOT_HELD] = {
        [SLOT_EV_START]         = {SLOT_HELD,     SLOT_DO_NOTHING},
        [SLOT_EV_READY]         = {SLOT_HELD,     SLOT_DO_COMPLAIN},
        [SLOT_EV_EXIT_PLANNED]  = {SLOT_HELD,     SLOT_DO_COMPLAIN},
        [SLOT_EV_EXIT_DATABASE] = {SLOT_HELD,     SLOT_DO_COMPLAIN},
        [SLOT_EV_EXIT_CONFIG]   = {SLOT_HELD,     SLOT_DO_COMPLAIN},
        [SLOT_EV_EXIT_CRASH]    = {SLOT_HELD,     SLOT_DO_COMPLAIN},
        [SLOT_EV_FORK_FAILED]   = {SLOT_HELD,     SLOT_DO_COMPLAIN},
        [SLOT_EV_TIMER]         = {SLOT_HELD,     SLOT_DO_COMPLAIN},
        [SLOT_EV_STALLED]       = {SLOT_HELD,     SLOT_DO_COMPLAIN},
        [SLOT_EV_RETIRE]        = {SLOT_EMPTY,    SLOT_DO_NOTHING},
        [SLOT_EV_RENEW]         = {SLOT_STARTING, SLOT_DO_FORK},
        [SLOT_EV_DRAIN]         = {SLOT_EMPTY,    SLOT_DO_NOTHING},
        [SLOT_EV_STOP]          = {SLOT_EMPTY,    SLOT_DO_NOTHING},
        [SLOT_EV_KILL]          = {SLOT_EMPTY,    SLOT_DO_NOTHING},
    },
};

static const struct {
    const char *name;
    bool has_process;
} states[SLOT_STATES] = {
    [SLOT_EMPTY]    = {"empty",    false},
    [SLOT_STARTING] = {"starting", true},
    [SLOT_READY]    = {"ready",    true},
    [SLOT_DRAINING] = {"draining", true},
    [SLOT_STOPPING] = {"stopping", true},
    [SLOT_KILLED]   = {"killed",   true},
    [SLOT_BACKOFF]  = {"backoff",  false},
    [SLOT_HELD]     = {"held",     false},
};

static const char *const event_names[SLOT_EVENTS] = {
    [SLOT_EV_START]         = "start",
    [SLOT_EV_READY]         = "ready",
    [SLOT_EV_EXIT_PLANNED]  = "planned exit",
    [SLOT_EV_EXIT_DATABASE] = "exit for the database",
    [SLOT_EV_EXIT_CONFIG]   = "exit for the configuration",
    [SLOT_EV_EXIT_CRASH]    = "crash",
    [SLOT_EV_FORK_FAILED]   = "failed fork",
    [SLOT_EV_TIMER]         = "timer",
    [SLOT_EV_STALLED]       = "stall",
    [SLOT_EV_RETIRE]        = "retire",
    [SLOT_EV_RENEW]         = "renew",
    [SLOT_EV_DRAIN]         = "drain",
    [SLOT_EV_STOP]          = "stop",
    [SLOT_EV_KILL]          = "kill",
};
/* clang-format on */

struct slot_rule
slot_next(enum slot_state state, enum slot_event event)
{
    return rules[state][event];
}

bool
slot_state_has_process(enum slot_state state)
{
    return states[state].has_process;
}

const char *
slot_state_name(enum slot_state state)
{
    return states[state].name;
}

const char *
slot_event_name(enum slot_event event)
{
    return event_names[event];
}
