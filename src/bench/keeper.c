/*
 * The runner as its keeper sees it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/proc.h"
#include "bench/internal.h"

/* A daemon that was told to end gives its jobs back first. */
#define PATIENCE_MS 15000
#define LOOK_MS 10

static void NORETURN
be_runner(const struct conf *conf, struct plan plan, int go, int to_keeper, pid_t keeper)
{
    char reads_wal;

    proc_reset_signals();
    signal(SIGPIPE, SIG_IGN);
    setpgid(0, 0); /* ^C on the terminal is for the keeper */
    if (!proc_die_with_parent(SIGKILL, keeper) || read(go, &reads_wal, 1) != 1)
        _exit(1);
    plan.reads_wal = reads_wal != 0;
    _exit(runner_main(conf, &plan, to_keeper));
}

bool
runner_start(const struct conf *conf, const struct plan *plan, struct runner *ret, struct err *err)
{
    pid_t keeper = getpid();
    int go[2], heard[2];

    /* Processes that lose their parent come to us: then we know when all have ended. */
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    if (pipe2(go, O_CLOEXEC) < 0 || pipe2(heard, O_CLOEXEC) < 0)
        return err_errno(err, ERR_RETRY, "cannot make a pipe");
    *ret = (struct runner){.pid = fork(), .go = go[1], .heard = heard[0]};
    if (ret->pid == 0) {
        close(go[1]);
        close(heard[0]);
        be_runner(conf, *plan, go[0], heard[1], keeper);
    }
    close(go[0]);
    close(heard[1]);
    if (ret->pid < 0)
        return err_errno(err, ERR_RETRY, "cannot fork");
    setpgid(ret->pid, ret->pid); /* whoever of the two comes first */
    return true;
}

void
runner_go(struct runner *r, bool reads_wal)
{
    char byte = reads_wal ? 1 : 0;
    ssize_t n = write(r->go, &byte, 1);

    (void)n; /* a runner that has ended is noticed by its end of file */
}

/* False: there are none any more. */
static bool
reap_some(void)
{
    pid_t pid;

    do
        pid = waitpid(-1, NULL, WNOHANG);
    while (pid > 0 || (pid < 0 && errno == EINTR));
    return pid == 0;
}

void
runner_end(struct runner *r)
{
    int64_t until_ms = clock_mono_ms() + PATIENCE_MS;

    /* Its clients die with it; its daemon is told to stop by that. */
    close(r->go);
    close(r->heard);
    kill(r->pid, SIGKILL);
    while (reap_some()) {
        if (clock_mono_ms() > until_ms)
            kill(-r->pid, SIGKILL);
        pause_ms(LOOK_MS);
    }
}
