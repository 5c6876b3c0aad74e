/* The life of a slot: every cell of the table has an answer, and the answers fit together. */
#include "supervisor/slots.h"

#include "tap.h"

static bool
forks(enum slot_do action)
{
    return action == SLOT_DO_FORK || action == SLOT_DO_REPLACE;
}

static bool
starts_timer(enum slot_do action)
{
    return action == SLOT_DO_RESTART || action == SLOT_DO_BACK_OFF ||
           action == SLOT_DO_WAIT_DATABASE;
}

static bool
is_exit(enum slot_event event)
{
    return event == SLOT_EV_EXIT_PLANNED || event == SLOT_EV_EXIT_DATABASE ||
           event == SLOT_EV_EXIT_CONFIG || event == SLOT_EV_EXIT_CRASH;
}

/* Does what is done leave the slot with or without a process, as its next state says? */
static bool
fits(enum slot_state state, enum slot_event event)
{
    struct slot_rule rule = slot_next(state, event);
    bool had = slot_state_has_process(state);
    bool has =
        (had && !is_exit(event) && event != SLOT_EV_FORK_FAILED && rule.action != SLOT_DO_LET_GO) ||
        forks(rule.action);

    if (rule.action == SLOT_DO_COMPLAIN)
        return rule.next == state;
    return has == slot_state_has_process(rule.next);
}

static void
test_every_cell(void)
{
    for (int s = 0; s < SLOT_STATES; s++) {
        for (int e = 0; e < SLOT_EVENTS; e++) {
            enum slot_state state = (enum slot_state)s;
            enum slot_event event = (enum slot_event)e;
            struct slot_rule rule = slot_next(state, event);

            ok(rule.action != SLOT_DO_IMPOSSIBLE && fits(state, event), "%s, %s: leads to %s",
               slot_state_name(state), slot_event_name(event), slot_state_name(rule.next));
            if (starts_timer(rule.action) != (rule.next == SLOT_BACKOFF && state != SLOT_BACKOFF))
                ok(false, "%s, %s: only a backoff has a timer", slot_state_name(state),
                   slot_event_name(event));
        }
    }
}

/* Once told to end, nothing but the end follows, in at most so many steps. */
static void
test_end_is_near(void)
{
    static const enum slot_event ladder[] = {SLOT_EV_DRAIN, SLOT_EV_STOP, SLOT_EV_KILL,
                                             SLOT_EV_EXIT_CRASH};

    for (int s = 0; s < SLOT_STATES; s++) {
        enum slot_state state = (enum slot_state)s;

        for (size_t i = 0; i < LENGTH(ladder); i++) {
            if (slot_next(state, ladder[i]).action != SLOT_DO_COMPLAIN)
                state = slot_next(state, ladder[i]).next;
        }
        is_int(state, SLOT_EMPTY, "drain, stop, kill and its exit empty a slot that was %s",
               slot_state_name((enum slot_state)s));
    }
}

static void
test_never_weaker(void)
{
    int weaker = 0;

    for (int e = 0; e < SLOT_EVENTS; e++) {
        enum slot_event event = (enum slot_event)e;
        enum slot_state from_stop = slot_next(SLOT_STOPPING, event).next;
        enum slot_state from_kill = slot_next(SLOT_KILLED, event).next;

        weaker += from_stop != SLOT_STOPPING && from_stop != SLOT_KILLED && from_stop != SLOT_EMPTY;
        weaker += from_kill != SLOT_KILLED && from_kill != SLOT_EMPTY;
    }
    is_int(weaker, 0, "a child that was told to stop is never told less");
}

int
main(void)
{
    struct slot_rule rule = slot_next(SLOT_READY, SLOT_EV_EXIT_CRASH);

    test_every_cell();
    test_end_is_near();
    test_never_weaker();
    ok(rule.next == SLOT_BACKOFF && rule.action == SLOT_DO_BACK_OFF, "a crash costs a delay");
    rule = slot_next(SLOT_DRAINING, SLOT_EV_EXIT_CRASH);
    ok(rule.next == SLOT_EMPTY && rule.action == SLOT_DO_FORGET,
       "a crash of one that was to end anyway does not");
    rule = slot_next(SLOT_READY, SLOT_EV_EXIT_CONFIG);
    ok(rule.next == SLOT_HELD, "a wrong configuration is not tried again");
    ok(slot_next(SLOT_HELD, SLOT_EV_RENEW).action == SLOT_DO_FORK, "until there is a new one");
    ok(slot_next(SLOT_HELD, SLOT_EV_START).action == SLOT_DO_NOTHING, "asking twice does not help");
    return done_testing();
}
