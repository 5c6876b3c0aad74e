#include "program/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/lifeline.h"
#include "base/proc.h"
#include "base/tree.h"
#include "program/cell.h"
#include "program/lean.h"
#include "program/places.h"

/* Where the guard keeps the pipe for its report: just above what the handler gets. */
#define REPORT_FD GUARD_FDS
/* Sent by the kernel when the worker dies. */
#define ORPHANED SIGHUP
/* What the handler left behind gets so long to die; then the worker goes on without. */
#define PATIENCE_MS 1000
#define EXIT_NOT_STARTED 127

struct guard {
    const struct guard_order *order;
    pid_t worker, handler;
    bool ended;   /* the handler has been reaped */
    bool killing; /* nobody below is to live */
    int64_t ended_mono;
    struct cell cell;
    struct guard_report *report; /* shared with the handler until its exec */
};

static void NORETURN
not_started(struct guard_report *report, enum guard_step step)
{
    report->failed_step = step;
    report->start_errno = errno;
    _exit(EXIT_NOT_STARTED);
}

/* execve(2) was declared before C knew const; it changes nothing. */
static char *const *
for_exec(const char *const *list)
{
    union {
        const char *const *ours;
        char *const *theirs;
    } as = {.ours = list};

    return as.theirs;
}

/* The same errno says that the program or what its first line names is missing; keeps errno. */
static bool
is_interpreter_at_fault(const char *program)
{
    int why = errno;
    struct stat st;
    bool program_is_fine = faccessat(AT_FDCWD, program, X_OK, AT_EACCESS) == 0 &&
                           stat(program, &st) == 0 && S_ISREG(st.st_mode);

    errno = why;
    return (why == ENOENT || why == EACCES) && program_is_fine;
}

static void
die_with(pid_t guard)
{
    if (!proc_die_with_parent(SIGKILL, guard))
        _exit(EXIT_NOT_STARTED);
}

/* Its limits and its user.  What is refused is noted: a handler never runs with more than it may. */
static void
confine(const struct guard *g, pid_t guard)
{
    const struct confine *to = g->order->confine;

    if (!confine_limit(to))
        not_started(g->report, GUARD_LIMIT);
    if (!confine_switch(to))
        not_started(g->report, GUARD_USER);
    die_with(guard); /* the kernel forgets it for another user */
}

static const char *
folder_of(const struct guard_order *order)
{
    if (order->workdir == NULL)
        return place_path(order->confine->place);
    return order->workdir;
}

/*
 * From the fork to the exec of the handler.  Runs in the memory of the guard
 * (vfork): no allocation, no stdio, and a failure is noted in the guard's report.
 */
static void NORETURN
become_handler(const struct guard *g, pid_t guard)
{
    const struct guard_order *order = g->order;
    struct rlimit no_core = {.rlim_cur = 0, .rlim_max = 0};
    sigset_t none;

    fault_here("handler.begins");
    setsid();
    die_with(guard);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    /* What the daemon may do to switch users is not for its handlers. */
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    setrlimit(RLIMIT_CORE, &no_core);
    /* A daemon that is as nice as can be already: then the handler is too. */
    setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + order->nice);
    umask(077);
    confine(g, guard);
    if (folder_of(order) != NULL && chdir(folder_of(order)) < 0)
        not_started(g->report, GUARD_CHDIR);
    close_range(GUARD_FDS, ~0U, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (!confine_filter(order->confine))
        not_started(g->report, GUARD_FILTER);
    if (!fault_fails("handler.execs", ETXTBSY))
        execve(order->program, for_exec(order->argv), for_exec(order->envp));
    not_started(g->report,
                is_interpreter_at_fault(order->program) ? GUARD_INTERPRETER : GUARD_EXEC);
}

static void
start_handler(struct guard *g)
{
    pid_t guard = getpid();

    g->handler = cell_fork(&g->cell);
    if (g->handler == 0)
        become_handler(g, guard);
    if (g->handler < 0) {
        g->handler = fault_fails("handler.fork", EAGAIN) ? -1 : vfork();
        if (g->handler == 0) {
            if (!cell_enter(&g->cell))
                not_started(g->report, GUARD_GROUP);
            become_handler(g, guard);
        }
    }
    if (g->handler < 0) {
        g->report->failed_step = GUARD_FORK;
        g->report->start_errno = errno;
        g->ended = true;
    } else {
        fault_here("handler.forked");
        cell_offer(g->handler);
    }
}

/* No new descriptor is needed for that: the guard of a worker that has no more has it, too. */
static void
close_all_but_lifeline(void)
{
    int kept = lifeline_fd();

    if (kept > REPORT_FD + 1)
        close_range(REPORT_FD + 1, (unsigned)kept - 1, 0);
    close_range((unsigned)(kept > REPORT_FD ? kept : REPORT_FD) + 1, ~0U, 0);
}

/* The order's descriptors become 0..3, the report pipe 4; others of the worker are closed. */
static void
place_descriptors(const struct guard_order *order)
{
    int from[GUARD_FDS + 1];

    for (int i = 0; i < GUARD_FDS; i++)
        from[i] = order->fds[i];
    from[REPORT_FD] = order->report_fd;
    for (int i = 0; i <= REPORT_FD; i++) {
        /* Out of the way of the places that are filled next. */
        if (from[i] <= REPORT_FD)
            from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, REPORT_FD + 1);
    }
    for (int i = 0; i <= REPORT_FD; i++)
        dup2(from[i], i);
    close_all_but_lifeline();
}

static int64_t
ms_of(struct timeval t)
{
    return (int64_t)t.tv_sec * 1000 + t.tv_usec / 1000;
}

static void
note_end(struct guard *g, int status, const struct rusage *used)
{
    fault_here("handler.over");
    g->ended = true;
    g->killing = true;
    g->ended_mono = clock_mono_ms();
    g->report->wait_status = status;
    g->report->user_ms = ms_of(used->ru_utime);
    g->report->system_ms = ms_of(used->ru_stime);
    g->report->max_rss_bytes = (int64_t)used->ru_maxrss * 1024;
}

/* False when there are no children any more. */
static bool
reap(struct guard *g)
{
    struct rusage used;
    int status;
    pid_t pid;

    while ((pid = wait4(-1, &status, WNOHANG, &used)) > 0) {
        if (pid == g->handler)
            note_end(g, status, &used);
    }
    return pid == 0;
}

static void NORETURN
leave(const struct guard *g)
{
    ssize_t ignored = 0;
    bool empty;

    cell_read(&g->cell, g->report);
    /* Less than PIPE_BUF into an empty pipe: written whole, at once.  A dead worker needs none. */
    if (!fault_fails("guard.reports", EPIPE))
        ignored = write(REPORT_FD, g->report, sizeof(*g->report));
    (void)ignored;
    fault_here("guard.reported");
    empty = cell_clear(&g->cell);
    fault_here("guard.cleared");
    _exit(empty ? 0 : 1);
}

static int
next_signal(const struct guard *g)
{
    int64_t wait_ms = g->killing ? 2 : cell_wait_ms(&g->cell);
    struct timespec wait = {.tv_sec = wait_ms / 1000, .tv_nsec = wait_ms % 1000 * 1000 * 1000};
    sigset_t heard;

    sigemptyset(&heard);
    sigaddset(&heard, SIGCHLD);
    sigaddset(&heard, GUARD_SIG_TERM);
    sigaddset(&heard, GUARD_SIG_KILL);
    sigaddset(&heard, ORPHANED);
    return sigtimedwait(&heard, NULL, wait_ms >= 0 ? &wait : NULL);
}

static void
obey(struct guard *g, int sig)
{
    if (sig == GUARD_SIG_TERM && !g->killing) {
        fault_here("guard.obeys");
        g->report->stopped = true;
        tree_signal(SIGTERM, NULL, 0);
        tree_signal(SIGCONT, NULL, 0); /* who is stopped could not hear it */
    }
    if (sig == GUARD_SIG_KILL)
        fault_here("guard.kills");
    if (sig == GUARD_SIG_KILL || sig == ORPHANED || getppid() != g->worker) {
        g->report->stopped |= !g->ended && !g->killing;
        g->killing = true;
    }
}

static void
look_at_limits(struct guard *g)
{
    if (g->killing)
        return;
    g->report->limit = cell_check(&g->cell);
    g->killing = g->report->limit != GUARD_NO_LIMIT;
}

/* Returns how many children were alive. */
static uint32_t
kill_all(const struct guard *g)
{
    cell_kill(&g->cell); /* nobody escapes it; the rest is for hosts without */
    return (uint32_t)tree_signal(SIGKILL, NULL, 0);
}

static void NORETURN
watch(struct guard *g)
{
    for (;;) {
        int sig = next_signal(g);
        uint32_t left;

        /* First who has ended: a signal that comes later did not end it. */
        if (!reap(g))
            leave(g);
        obey(g, sig);
        look_at_limits(g);
        if (!g->killing)
            continue;
        left = kill_all(g);
        if (!reap(g))
            leave(g);
        if (g->ended && clock_mono_ms() - g->ended_mono > PATIENCE_MS) {
            g->report->left = left;
            leave(g);
        }
    }
}

/* A handler that is forked, not vforked, notes its failure here as well. */
static struct guard_report *
make_report(const struct cell *cell)
{
    static struct guard_report report;
    void *shared = MAP_FAILED;

    if (cell->group >= 0)
        shared =
            mmap(NULL, sizeof(report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return shared != MAP_FAILED ? shared : &report;
}

static void
make_cell(struct guard *g)
{
    enum guard_step step = cell_make(&g->cell, g->order->confine);
    int why = errno;

    g->report = make_report(&g->cell);
    g->report->failed_step = step;
    g->report->start_errno = why;
    g->ended = step != GUARD_STARTED;
}

static void NORETURN
guard_main(const struct guard_order *order, pid_t worker)
{
    struct guard g = {.order = order, .worker = worker};
    struct sigaction standard = {.sa_handler = SIG_DFL};
    char title[64];

    fault_here("guard.begins");
    /* All signals stay blocked: the loop of the worker must not hear ours. */
    for (int sig = 1; sig < NSIG; sig++)
        sigaction(sig, &standard, NULL);
    if (!proc_die_with_parent(ORPHANED, worker))
        _exit(0);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    place_descriptors(order);
    snprintf(title, sizeof(title), "pgcrewd: guard %lld", (long long)order->job_id);
    proc_title_set(title);
    make_cell(&g);
    if (!g.ended)
        start_handler(&g);
    close_range(0, GUARD_FDS - 1, 0);
    if (g.ended)
        leave(&g);
    watch(&g);
}

pid_t
guard_start(const struct guard_order *order)
{
    pid_t worker = getpid(), guard;
    sigset_t all, before;
    int why;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    guard = fault_fails("guard.fork", EAGAIN) ? -1 : lean_fork();
    if (guard == 0)
        guard_main(order, worker);
    fault_here("guard.forked");
    why = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = why;
    return guard;
}
