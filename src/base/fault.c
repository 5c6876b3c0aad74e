#include "base/fault.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef PGCREW_FAULTS

#define NAME_SIZE 64

/* Where one process can be killed, and how the call there can fail; NULL: it cannot. */
struct point {
    const char *name, *process, *what, *error;
};

/* Many things have the same points: those are OF.STEP. */
struct of {
    const char *name, *process, *what;
};

struct step {
    const char *name, *what, *error;
};

/* clang-format off */
static const struct step statement_steps[] = {
    {"begins",   "has not been sent", "the connection breaks before it is sent"},
    {"sent",     "has been sent",     "the connection breaks when it has been sent"},
    {"answered", "is committed",      "its answer is lost after the commit"},
    {"settled",  "is dealt with",     NULL},
};

/* Adding a statement?  Who sends it. */
static const struct of statements[] = {
    {"hello",           "child",   "look at the server"},
    {"settings",        "child",   "set up the session"},
    {"listen",          "janitor", "hear of news"},
    {"register",        "worker",  "become a holder"},
    {"unregister",      "worker",  "be no holder any more"},
    {"claim",           "worker",  "take jobs"},
    {"finish",          "worker",  "say how jobs have ended"},
    {"relax",           "worker",  "do without the wait for the disk"},
    {"report",          "worker",  "say what runs"},
    {"release_unknown", "worker",  "give back what it does not know"},
    {"limit_time",      "worker",  "limit the time of a SQL function"},
    {"run_sql",         "worker",  "run a SQL function and finish its job"},
    {"cancel_backend",  "worker",  "stop a SQL function"},
    {"heartbeat",       "janitor", "renew the leases"},
    {"promote",         "janitor", "make scheduled jobs ready"},
    {"run_schedules",   "janitor", "let schedules put jobs in"},
    {"waits_for",       "janitor", "see whether something waits"},
    {"survey",          "janitor", "find kinds without a handler"},
    {"stalled",         "janitor", "see why idle workers claim nothing"},
    {"health",          "janitor", "see how the server is"},
    {"reap_process",    "janitor", "give back what a dead worker held"},
    {"reap_expired",    "janitor", "give back what dead hosts held"},
    {"user",            "gateway", "do something as a user"},
    {"desk",            "dashboard", "do something for an operator"},
};

static const struct step order_steps[] = {
    {"said",  "has not been said yet",  "the socket has no room for it"},
    {"heard", "has not been obeyed yet", NULL},
};

/* Adding an order?  Who says it to whom. */
static const struct of orders[] = {
    {"ready",   "child to supervisor",   "a child works"},
    {"idle",    "worker to supervisor",  "a worker has nothing to do"},
    {"busy",    "worker to supervisor",  "a worker has something to do"},
    {"more",    "worker to supervisor",  "there may be work for another worker"},
    {"news",    "janitor to supervisor", "there may be work"},
    {"quiet",   "janitor to supervisor", "nothing waits"},
    {"waits",   "janitor to supervisor", "something waits"},
    {"reaped",  "janitor to supervisor", "the jobs of a dead worker are back"},
    {"stalled", "janitor to supervisor", "idle workers claim nothing"},
    {"flows",   "janitor to supervisor", "the stall is over"},
    {"wake",    "supervisor to worker",  "look for work"},
    {"drain",   "supervisor to child",   "end when nothing runs"},
    {"stop",    "supervisor to child",   "end soon"},
    {"cancel",  "janitor to worker",     "end a job"},
    {"fenced",  "janitor to worker",     "the lease is gone"},
    {"reap",    "supervisor to janitor", "a worker has died"},
};

static const struct step fork_steps[] = {
    {"fork",   "is going to be forked", "there is no process left"},
    {"forked", "has been forked",       NULL},
    {"begins", "begins",                NULL},
};

static const struct of forks[] = {
    {"worker",  "supervisor", "a worker"},
    {"janitor", "supervisor", "the janitor"},
    {"gateway", "supervisor", "the gateway"},
    {"dashboard", "supervisor", "the dashboard"},
    {"guard",   "worker",     "the guard of a handler"},
    {"handler", "guard",      "the handler"},
    {"broom",   "worker",     "who removes what a dead guard left"},
};

static const struct {
    const struct of *of;
    size_t n_of;
    const struct step *steps;
    size_t n_steps;
} families[] = {
    {statements, LENGTH(statements), statement_steps, LENGTH(statement_steps)},
    {orders,     LENGTH(orders),     order_steps,     LENGTH(order_steps)},
    {forks,      LENGTH(forks),      fork_steps,      LENGTH(fork_steps)},
};

static const struct point points[] = {
    {"systemd.ready",    "supervisor", "systemd does not know that it has started", "it does not listen"},
    {"systemd.alive",    "supervisor", "systemd does not know that it is not stuck", "it does not listen"},
    {"systemd.status",   "supervisor", "systemd does not know what it does", "it does not listen"},
    {"systemd.reloads",  "supervisor", "systemd does not know of the reload", "it does not listen"},
    {"systemd.reloaded", "supervisor", "systemd does not know that the reload is over", "it does not listen"},
    {"systemd.stops",    "supervisor", "systemd does not know that it ends", "it does not listen"},
    {"systemd.extends",  "supervisor", "systemd does not know that it takes longer to end", "it does not listen"},
    {"scratch.made",     "supervisor", "the folder for temporary files has been made", NULL},
    {"session.connects", "child",      "a session has not begun", "no memory is left"},
    {"board.roster",     "supervisor", "a place on the board is written, but not valid yet", NULL},
    {"board.stall",      "janitor",    "what a stall is about is written, but not valid yet", NULL},
    {"board.score",      "worker",     "a score is written, but not valid yet", NULL},
    {"kin.write",        "supervisor", "a worker that will be forked is not in the list", "the disk is full"},
    {"kin.written",      "supervisor", "a worker that was not forked is in the list", NULL},
    {"kin.removed",      "supervisor", "the jobs of a dead worker are back, it has left the list", NULL},
    {"legacy.gone",      "supervisor", "workers of an earlier daemon are gone, not reaped", NULL},
    {"death.heard",      "supervisor", "a child has died", NULL},
    {"death.settled",    "supervisor", "it is noted what the dead child held", NULL},
    {"death.cleared",    "supervisor", "nothing lives below the dead worker", NULL},
    {"control.accepts",  "supervisor", "a client comes", "no descriptor is left"},
    {"control.answers",  "supervisor", "the answer has not been written", "the client is gone"},
    {"control.answered", "supervisor", "the answer has been written", NULL},
    {"reload.begins",    "supervisor", "the configuration has not been read", NULL},
    {"reload.swapped",   "supervisor", "the configuration is the new one", NULL},
    {"reload.replaces",  "supervisor", "a child is let go, the next has not been forked", NULL},
    {"reload.over",      "supervisor", "all children are new", NULL},
    {"scale.begins",     "supervisor", "the number of workers is the old one", NULL},
    {"scale.noted",      "supervisor", "the number is the new one, there are as many as before", NULL},
    {"scale.over",       "supervisor", "all are forked or told to drain", NULL},
    {"ending.drain",     "supervisor", "nobody has been told to drain", NULL},
    {"ending.stop",      "supervisor", "nobody has been told to stop", NULL},
    {"ending.kill",      "supervisor", "workers that have not ended have not been killed", NULL},
    {"ending.reap",      "supervisor", "the workers are gone", NULL},
    {"ending.janitor",   "supervisor", "the janitor has not been told", NULL},
    {"ending.over",      "supervisor", "all children are gone", NULL},
    {"worker.drains",    "worker",     "it has not begun to drain", NULL},
    {"worker.leaves",    "worker",     "it has nothing left to do", NULL},
    {"lease.late",       "worker",     "the lease was not renewed in time, its handlers run on", NULL},
    {"lease.left",       "worker",     "its handlers have been killed, their jobs are its own", NULL},
    {"hoard.returns",    "worker",     "a job that could not start soon is its own", NULL},
    {"hoard.returned",   "worker",     "that such a job goes back waits to be told", NULL},
    {"attempt.starts",   "worker",     "a claimed job has not been started", NULL},
    {"attempt.started",  "worker",     "a claimed job has been started", NULL},
    {"attempt.ends",     "worker",     "an attempt is over, nothing is noted of it", NULL},
    {"attempt.ended",    "worker",     "the end of an attempt waits to be told", NULL},
    {"pipe.made",        "worker",     "between the pipes of a handler", "no descriptor is left"},
    {"payload.made",     "worker",     "the payload has not been written", "no memory is left"},
    {"payload.written",  "worker",     "the payload has been written", "no memory is left"},
    {"output.read",      "worker",     "a handler has said something", NULL},
    {"output.taken",     "worker",     "what a handler said was taken in", NULL},
    {"guard.told",       "worker",     "a guard has not been told to end its handler", NULL},
    {"guard.obeys",      "guard",      "nobody has been told to end yet", NULL},
    {"guard.kills",      "guard",      "the handler has not ended, it is not killed yet", NULL},
    {"guard.gone",       "worker",     "a guard has ended, its report was not read", "the report cannot be read"},
    {"serve.starts",     "worker",     "a program has not been started", "no descriptor is left"},
    {"serve.sends",      "worker",     "a program has not been told anything", "the program is gone"},
    {"serve.sent",       "worker",     "a program has been told something", NULL},
    {"serve.heard",      "worker",     "a program has said something", NULL},
    {"module.starts",    "worker",     "there is no thread for functions yet", "no thread is left"},
    {"module.enters",    "worker",     "a function is going to be called", NULL},
    {"module.leaves",    "worker",     "a function has returned", NULL},
    {"http.opens",       "worker",     "a request is going to be sent", "no descriptor is left"},
    {"http.over",        "worker",     "a request is over", NULL},
    {"cell.folder",      "guard",      "the handler has no folder yet", "the disk is full"},
    {"cell.group",       "guard in a control group", "the handler has none yet", "it cannot be made"},
    {"cell.grouped",     "guard in a control group", "the handler is not in its group yet", NULL},
    {"handler.execs",    "guard",      "the handler is ready for its program", "the program is being written"},
    {"handler.over",     "guard",      "the handler has ended", NULL},
    {"guard.reports",    "guard",      "the report has not been written", "it cannot be written"},
    {"guard.reported",   "guard",      "the report has been written, nothing is cleared", NULL},
    {"guard.cleared",    "guard",      "all is cleared", NULL},
};
/* clang-format on */

/* --- all of them -------------------------------------------------------------------- */

/* True: enough. */
typedef bool visit(const struct point *point, const void *arg);

static bool
visit_product(const struct of *of, const struct step *step, visit *act, const void *arg)
{
    char name[NAME_SIZE], what[2 * NAME_SIZE];
    const struct point point = {name, of->process, what, step->error};

    snprintf(name, sizeof(name), "%s.%s", of->name, step->name);
    snprintf(what, sizeof(what), "%s: %s", of->what, step->what);
    return act(&point, arg);
}

static bool
visit_all(visit *act, const void *arg)
{
    for (size_t f = 0; f < LENGTH(families); f++) {
        for (size_t i = 0; i < families[f].n_of * families[f].n_steps; i++) {
            if (visit_product(&families[f].of[i / families[f].n_steps],
                              &families[f].steps[i % families[f].n_steps], act, arg))
                return true;
        }
    }
    for (size_t i = 0; i < LENGTH(points); i++) {
        if (act(&points[i], arg))
            return true;
    }
    return false;
}

static bool
print(const struct point *point, UNUSED const void *arg)
{
    printf("%s\t%s\t%s\n", point->name, point->process, point->what);
    if (point->error != NULL)
        printf("%s:error\t%s\t%s\n", point->name, point->process, point->error);
    return false;
}

void
fault_list(void)
{
    const char *wanted = getenv("PGCREW_FAULT");

    if (wanted == NULL || strcmp(wanted, "list") != 0)
        return;
    visit_all(print, NULL);
    exit(fflush(stdout) == 0 ? 0 : 1);
}

static bool
is_it(const struct point *point, const void *name)
{
    return strcmp(point->name, name) == 0;
}

/* --- at a point ----------------------------------------------------------------------- */

/* By the system calls themselves: after a vfork the library knows our parent's numbers. */
static void NORETURN
die(void)
{
    for (;;)
        syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
}

static void
check(const char *point)
{
    if (visit_all(is_it, point))
        return;
    dprintf(STDERR_FILENO, "'%s' is no failure point of src/base/fault.c\n", point);
    die();
}

/* Whoever removes the file does it: nobody else will. */
static bool
take(const char *folder, const char *point, const char *how)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s%s", folder, point, how);
    return unlink(path) == 0;
}

bool
fault_fails(const char *point, int error)
{
    const char *folder = getenv("PGCREW_FAULT");
    int before = errno;
    bool fails;

    if (folder == NULL)
        return false;
    check(point);
    if (take(folder, point, ""))
        die();
    fails = error != 0 && take(folder, point, ":error");
    errno = fails ? error : before;
    return fails;
}

void
fault_here(const char *point)
{
    fault_fails(point, 0);
}

bool
fault_fails_at(const char *of, const char *step, int error)
{
    char point[NAME_SIZE];

    if (getenv("PGCREW_FAULT") == NULL)
        return false;
    snprintf(point, sizeof(point), "%s.%s", of, step);
    return fault_fails(point, error);
}

void
fault_at(const char *of, const char *step)
{
    fault_fails_at(of, step, 0);
}

#endif
