#include "program/broom.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/folder.h"
#include "base/loop.h"
#include "base/proc.h"
#include "program/lean.h"
#include "program/strays.h"

static void
on_end(struct ev_loop *loop, ev_child *w, int events)
{
    (void)events;
    ev_child_stop(loop, w);
    strays_unspare(w->pid);
    free(w);
}

static void NORETURN
sweep(const char *path)
{
    fault_here("broom.begins");
    proc_reset_signals();
    proc_title_set("pgcrewd: broom");
    close_range(0, ~0U, 0);
    _exit(folder_remove(AT_FDCWD, path) ? 0 : 1);
}

void
broom_remove(const char *path, struct ev_loop *loop)
{
    ev_child *end;
    pid_t pid;

    if (rmdir(path) == 0 || errno == ENOENT)
        return;
    pid = fault_fails("broom.fork", EAGAIN) ? -1 : lean_fork();
    if (pid == 0)
        sweep(path);
    fault_here("broom.forked");
    if (pid < 0)
        return;
    strays_spare(pid);
    end = xcalloc(1, sizeof(*end));
    loop_child_init(end, on_end, pid);
    LOOP_START(loop, child, end, NULL);
}
