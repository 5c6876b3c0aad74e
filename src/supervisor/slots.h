/*
 * The life of a slot: state x event -> next state and what to do.
 *
 * A slot is where one child may be: the janitor's, or a worker's by number.
 * A child that is being replaced or was not wanted any more moves to a slot of
 * its own, among those leaving, and drains there.
 */
#ifndef PGCREW_SUPERVISOR_SLOTS_H
#define PGCREW_SUPERVISOR_SLOTS_H

#include "base/base.h"

enum slot_state {
    SLOT_EMPTY,    /* no process, none wanted */
    SLOT_STARTING, /* forked, has not said that it is ready */
    SLOT_READY,
    SLOT_DRAINING, /* told to end when its jobs have ended */
    SLOT_STOPPING, /* told to end its jobs and itself */
    SLOT_KILLED,   /* was sent SIGKILL at the end of our patience */
    SLOT_BACKOFF,  /* no process; will be started by the timer */
    SLOT_HELD,     /* no process; its configuration is wrong, waits for a reload */
    SLOT_STATES
};

enum slot_event {
    SLOT_EV_START, /* somebody is wanted here */
    SLOT_EV_READY,
    SLOT_EV_EXIT_PLANNED,
    SLOT_EV_EXIT_DATABASE,
    SLOT_EV_EXIT_CONFIG,
    SLOT_EV_EXIT_CRASH,
    SLOT_EV_FORK_FAILED,
    SLOT_EV_TIMER,
    SLOT_EV_STALLED, /* its loop has stopped beating, or it has too much memory */
    SLOT_EV_RETIRE,  /* nobody is wanted here any more */
    SLOT_EV_RENEW,   /* there is a new configuration, or a reason to try again */
    SLOT_EV_DRAIN,   /* the daemon ends: politely, */
    SLOT_EV_STOP,    /* in a hurry, */
    SLOT_EV_KILL,    /* without patience */
    SLOT_EVENTS
};

enum slot_do {
    SLOT_DO_IMPOSSIBLE, /* a forgotten cell */
    SLOT_DO_COMPLAIN,   /* an event that does not belong here: log it, go on */
    SLOT_DO_NOTHING,
    SLOT_DO_FORK,
    SLOT_DO_WELCOME,       /* it is ready: who waits for that goes on */
    SLOT_DO_RESTART,       /* a planned end: soon, unless it was all too short */
    SLOT_DO_BACK_OFF,      /* start again after the delay of this slot */
    SLOT_DO_WAIT_DATABASE, /* start again after the delay that all slots share */
    SLOT_DO_HOLD,          /* say that a person has to act */
    SLOT_DO_LET_GO,        /* the process moves to those leaving and is told to drain */
    SLOT_DO_REPLACE,       /* the same, and another one is forked here */
    SLOT_DO_TELL_DRAIN,
    SLOT_DO_TELL_STOP,
    SLOT_DO_KILL,
    SLOT_DO_FORGET,       /* a child that was told to end has ended */
    SLOT_DO_CANCEL_TIMER, /* nobody is started after all */
};

struct slot_rule {
    enum slot_state next;
    enum slot_do action;
};

struct slot_rule slot_next(enum slot_state state, enum slot_event event);

/* Does a process belong to a slot in this state? */
bool slot_state_has_process(enum slot_state state);

const char *slot_state_name(enum slot_state state);
const char *slot_event_name(enum slot_event event);

#endif
