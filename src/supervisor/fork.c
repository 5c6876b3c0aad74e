/*
 * Makes a child: forked, not executed anew, with nothing of the parent's that
 * could be shared by mistake.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/lifeline.h"
#include "base/log.h"
#include "base/proc.h"
#include "supervisor/internal.h"

/* Told to a child whose parent has died, should it not see the end of its port: fast stop. */
#define ORPHANED SIGINT

/* Our ends for orders and for its memory, and the child's; and its lifeline, if it has one. */
struct ends {
    int ours, theirs, memory, memory_theirs, lifeline;
};

static void
close_between(int above, int below)
{
    if (below - above > 1)
        close_range((unsigned)above + 1, (unsigned)below - 1, 0);
}

static int
compare_fds(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* Those in keep are put in order; -1 stands for none. */
static void
close_all_but(int *keep, size_t n)
{
    int below = STDERR_FILENO;

    qsort(keep, n, sizeof(*keep), compare_fds);
    for (size_t i = 0; i < n; i++) {
        if (keep[i] <= below)
            continue;
        close_between(below, keep[i]);
        below = keep[i];
    }
    close_range((unsigned)below + 1, ~0U, 0);
}

/* Of the parent's descriptors a child has its own ends, and who serves HTTP its listening sockets. */
static void
close_others(const struct child *child, const struct ends *ends)
{
    size_t n = child->sockets->n;
    AUTO(mem) int *keep = xmalloc((n + 2) * sizeof(*keep));

    for (size_t i = 0; i < n; i++)
        keep[i] = child->sockets->sockets[i].fd;
    keep[n++] = ends->theirs;
    keep[n++] = ends->lifeline;
    close_all_but(keep, n);
}

static void
forget(struct conf *conf, enum board_role role)
{
    static const enum conf_holder holders[BOARD_ROLES] = {
        [BOARD_WORKER] = CONF_OF_WORKER,
        [BOARD_JANITOR] = CONF_OF_JANITOR,
        [BOARD_GATEWAY] = CONF_OF_GATEWAY,
        [BOARD_DASHBOARD] = CONF_OF_DASHBOARD,
    };

    conf_forget(conf, holders[role]);
}

static int
main_of(const struct supervisor_plan *plan, enum board_role role, const struct child *child)
{
    switch (role) {
    case BOARD_WORKER:
        return plan->worker_main(child);
    case BOARD_JANITOR:
        return plan->janitor_main(child);
    case BOARD_GATEWAY:
        return plan->gateway_main(child);
    case BOARD_DASHBOARD:
        return plan->dashboard_main(child);
    case BOARD_NOBODY:
        break;
    }
    return CHILD_EXIT_CONFIG;
}

/* A core of ours would hold payloads and the database's password. */
static void
forbid_cores(void)
{
    struct rlimit core;

    if (getrlimit(RLIMIT_CORE, &core) < 0)
        return;
    core.rlim_cur = 0;
    setrlimit(RLIMIT_CORE, &core);
}

static void NORETURN
be_child(struct slot *slot, const struct member *member, const struct ends *ends, pid_t supervisor)
{
    struct supervisor *sup = slot->sup;
    static const struct listen_set none;
    const struct front *front = front_of(slot);
    struct child child = {
        .conf = sup->conf,
        .board = sup->board,
        .place = member->place,
        .tally = member->tally,
        .order_fd = ends->theirs,
        .slot = slot->number,
        .process = member->process,
        .supervisor = supervisor,
        .sockets = front != NULL ? &front->sockets : &none,
    };
    char title[48], long_title[64];

    fault_at(board_role_name(slot->role), "begins");
    /* Watchers outlive the loop in libev's table of signals: stop them before it goes. */
    signals_stop(sup);
    death_stop_in_child(sup);
    memory_hand_over(ends->memory_theirs);
    close_others(&child, ends);
    lifeline_hold(ends->lifeline);
    proc_reset_signals();
    loop_after_fork(); /* installs its own handler of SIGCHLD: after the reset */
    if (!proc_die_with_parent(ORPHANED, supervisor))
        _exit(CHILD_EXIT_PLANNED);
    forbid_cores();
    umask(umask(0) | 022);
    /* Only the supervisor speaks with systemd. */
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    slot_title(slot, title);
    log_set_process(title);
    snprintf(long_title, sizeof(long_title), "pgcrewd: %s", title);
    proc_title_set(long_title);
    forget(sup->conf, slot->role);
    _exit(main_of(sup->plan, slot->role, &child));
}

static bool
take_place(struct slot *slot, struct member *member, struct err *err)
{
    struct board_roster who = {
        .role = slot->role,
        .slot = slot->number,
        .generation = member->generation,
        .process = member->process,
        .forked_mono_ms = member->forked_mono_ms,
    };

    member->place = board_take(slot->sup->board, &who);
    if (member->place < 0)
        return err_set(err, ERR_RETRY, "all %d places are taken, by children that are leaving",
                       BOARD_PLACES);
    tallying_born(member);
    return true;
}

/* A signal that arrives in between must not run the parent's handlers in the child. */
static pid_t
fork_quietly(struct slot *slot, const struct member *member, const struct ends *ends)
{
    pid_t supervisor = getpid(), pid;
    sigset_t all, before;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    pid = fault_fails_at(board_role_name(slot->role), "fork", EAGAIN) ? -1 : fork();
    if (pid == 0)
        be_child(slot, member, ends, supervisor);
    fault_at(board_role_name(slot->role), "forked");
    sigprocmask(SIG_SETMASK, &before, NULL);
    return pid;
}

static void
auto_ends(struct ends *e)
{
    auto_fd(&e->ours);
    auto_fd(&e->theirs);
    auto_fd(&e->memory);
    auto_fd(&e->memory_theirs);
    auto_fd(&e->lifeline);
}

static bool
make_ends(struct ends *ret, struct err *err)
{
    int fds[2];

    if (!order_pair(fds, err))
        return false;
    ret->ours = fds[0];
    ret->theirs = fds[1];
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds) < 0)
        return err_errno(err, ERR_RETRY, "cannot make a pair of sockets");
    ret->memory = fds[0];
    ret->memory_theirs = fds[1];
    return true;
}

/* A worker is known to the next supervisor before it can claim, should there be one. */
static void
make_known(struct slot *slot, const struct member *member, struct ends *ends)
{
    struct supervisor *sup = slot->sup;
    char title[48];
    struct err err = {0};

    if (slot->role != BOARD_WORKER || sup->kin == NULL)
        return;
    ends->lifeline = kin_add(sup->kin, &member->process, &err);
    if (ends->lifeline < 0)
        log_warn("%s is not in the list of workers in '%s.lock': %s", slot_title(slot, title),
                 sup->place.path, err.text);
}

bool
fork_member(struct slot *slot, struct err *err)
{
    struct supervisor *sup = slot->sup;
    int64_t now_ms = clock_mono_ms();
    struct member member = {
        .slot = slot,
        .process = uuid_random(),
        .generation = sup->generation,
        .forked_mono_ms = now_ms,
        .beat_seen_mono_ms = now_ms,
        .memory_fds = {-1, -1},
    };
    AUTO(ends) struct ends ends = {-1, -1, -1, -1, -1};
    struct front *front = front_of(slot);

    slot->generation = sup->generation;
    if (front != NULL && !front_listen(front, err))
        return false;
    if (!make_ends(&ends, err) || !take_place(slot, &member, err))
        return false;
    make_known(slot, &member, &ends);
    member.pid = fork_quietly(slot, &member, &ends);
    if (member.pid < 0) {
        err_errno(err, ERR_RETRY, "cannot fork");
        board_clear(sup->board, member.place);
        kin_remove(sup->kin, &member.process);
        return false;
    }
    board_set_pid(sup->board, member.place, member.pid);
    member.memory_socket = TAKE_FD(ends.memory);
    slot->member = xmalloc(sizeof(member));
    *slot->member = member;
    slot->member->port =
        order_port_new(sup->loop, TAKE_FD(ends.ours), hear_order, hear_gone, slot->member);
    return true;
}

void
member_free(struct member *member)
{
    if (member == NULL)
        return;
    board_clear(member->slot->sup->board, member->place);
    order_port_free(member->port);
    memory_release(member);
    tally_seen_release(&member->seen);
    free(member);
}
