#include "queue/why.h"

#include <stdio.h>
#include <string.h>

/*
 * In the sentences {field} stands for a field of the answer.  Reasons that are
 * an end or progress need no advice.
 */
static const struct reason {
    const char *name;
    const char *text;
    const char *advice;
    enum why_tone tone;
} reasons[] = {
    /* clang-format off */
    {"succeeded",    "it succeeded at {finished_at}", NULL, WHY_WELL},
    {"failed",       "it failed at {finished_at}: {error}",
                     "{last_advice}pgcrew job log {id} shows each attempt, pgcrew job retry {id} queues it again", WHY_WRONG},
    {"quarantined",  "it was taken out because the workers that ran it died: {error}",
                     "pgcrew job log {id} shows each death; mend the handler, then pgcrew job retry {id}", WHY_WRONG},
    {"cancelled",    "it was cancelled at {finished_at}", "pgcrew job retry {id} queues it again", WHY_WAITS},
    {"holder_lost",  "the worker that claimed it does not report any more",
                     "it is given back as soon as a daemon is alive: start pgcrewd, or look at pgcrew workers", WHY_WAITS},
    {"cancel_asked", "its cancellation was asked for; worker {slot} on {host} is ending it", NULL, WHY_WAITS},
    {"running",      "it is running: worker {slot} on {host} claimed it at {claimed_at}", NULL, WHY_GOES_ON},
    {"claimed",      "worker {slot} on {host} claimed it at {claimed_at}; it runs or is about to", NULL, WHY_GOES_ON},
    {"retry_wait",   "it waits until {due_at} to be tried again; in the last attempt {last_did}: {last_error}",
                     "{last_advice}pgcrew job log {id} shows each attempt", WHY_WAITS},
    {"snoozed",      "its handler asked to be run again at {due_at}; that is not charged", NULL, WHY_GOES_ON},
    {"no_start",     "what runs the kind '{kind}' is missing or broken: {last_error}; tried again at {due_at}, not charged",
                     "mend the handler on the hosts that have it; pgcrewd --check looks at its program", WHY_WRONG},
    {"scheduled",    "it is to start at {due_at}", NULL, WHY_GOES_ON},
    {"astray",       "it is queued, but in no table that workers look at",
                     "this happens when rows of jobs are changed by hand; pgcrew job cancel {id}, then pgcrew job retry {id}", WHY_WRONG},
    {"no_worker",    "no worker of any host is alive", "start the daemon: systemctl start pgcrew, then pgcrew ping --db", WHY_WRONG},
    {"no_queue",     "no live worker serves the queue '{queue}'",
                     "add it to queue.names in the configuration of a host, then pgcrew reload", WHY_WRONG},
    {"no_handler",   "no live worker of the queue '{queue}' has a handler for the kind '{kind}'",
                     "add it to handlers in the configuration of a host, then pgcrew reload", WHY_WRONG},
    {"paused",       "it is ready, but its queue '{queue}' is paused since {paused_at}, by {paused_by}",
                     "pgcrew queue resume {queue}", WHY_WAITS},
    {"due",          "its time has come; the janitor is about to make it ready",
                     "if this stays so for seconds, look at pgcrew workers: is a janitor connected?", WHY_GOES_ON},
    {"busy",         "all {workers} workers that could take it are busy; {ahead} jobs are ahead of it",
                     "pgcrew scale N starts more workers on this host", WHY_WAITS},
    {"stalled",      "it is ready and {workers} workers could take it, but do not: {stall}",
                     "see STALLS in pgcrewd(8), and pgcrew doctor for what of the server may be the reason", WHY_WRONG},
    {"next",         "it is ready and a worker is free: it should start within the poll interval", NULL, WHY_WELL},
    {"unknown",      "there is no job with this id in this database",
                     "pgcrew doctor shows which database this is", WHY_WRONG},
    /* clang-format on */
};

/*
 * What happened in the last attempt of a job that waits or has failed, and what to do about
 * a cause that is not plainly an error of the handler: {last_did} and {last_advice} above.
 */
static const struct cause {
    const char *name;
    const char *did;
    const char *advice;
} causes[] = {
    /* clang-format off */
    {"failed",      "its handler failed", ""},
    {"permanent",   "its handler said that it is of no use to try again", ""},
    {"tempfail",    "its handler asked for another try", ""},
    {"signal",      "its handler was ended by a signal", ""},
    {"timeout",     "its handler took longer than it may", "its handler's timeout may be too short; "},
    {"oom",         "the kernel ended its handler for its memory",
                    "the handler needs less memory, or its kind a larger memory limit; "},
    {"limit",       "its handler reached a limit of its kind",
                    "the handler needs less, or its kind a larger limit; "},
    {"protocol",    "the program broke the protocol of pgcrew-handler(7)", "the program has to be mended; "},
    {"no_start",    "its handler could not be started", "mend the handler on the hosts that have it; "},
    {"worker_died", "the worker that ran it died", ""},
    {"host_lost",   "the host that ran it, or the daemon there, was lost", ""},
    /* clang-format on */
};

static const struct cause *
find_cause(const char *name)
{
    for (size_t i = 0; i < LENGTH(causes); i++) {
        if (strcmp(causes[i].name, name) == 0)
            return &causes[i];
    }
    return NULL;
}

static const struct reason *
find_reason(const char *name)
{
    for (size_t i = 0; i < LENGTH(reasons); i++) {
        if (strcmp(reasons[i].name, name) == 0)
            return &reasons[i];
    }
    return NULL;
}

/* Those two come from the cause; the others are facts. */
static void
add_field(const struct cause *cause, const char *last_cause, const char *name, why_field *field,
          void *facts, struct buf *sink)
{
    if (strcmp(name, "last_did") == 0)
        buf_add_text(sink, cause != NULL ? cause->did : last_cause);
    else if (strcmp(name, "last_advice") == 0)
        buf_add_text(sink, cause != NULL ? cause->advice : "");
    else
        field(facts, name, sink);
}

/* The sentence with its {fields} filled in. */
static void
fill_in(const char *text, const char *last_cause, why_field *field, void *facts, struct buf *sink)
{
    const struct cause *cause = find_cause(last_cause);
    char name[32];

    while (*text != '\0') {
        size_t plain = strcspn(text, "{"), len;

        buf_add(sink, text, plain);
        text += plain;
        if (*text == '\0')
            break;
        len = strcspn(text, "}");
        snprintf(name, sizeof(name), "%.*s", (int)len - 1, text + 1);
        add_field(cause, last_cause, name, field, facts, sink);
        text += len + 1;
    }
}

bool
why_explain(const char *reason, const char *last_cause, why_field *field, void *facts,
            struct buf *ret_text, struct buf *ret_advice)
{
    const struct reason *r = find_reason(reason);

    if (r == NULL)
        return false;
    fill_in(r->text, last_cause, field, facts, ret_text);
    if (r->advice != NULL)
        fill_in(r->advice, last_cause, field, facts, ret_advice);
    return true;
}

enum why_tone
why_tone(const char *reason)
{
    const struct reason *r = find_reason(reason);

    return r != NULL ? r->tone : WHY_GOES_ON;
}
