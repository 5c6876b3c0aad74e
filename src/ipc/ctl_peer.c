#include "ipc/ctl_peer.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/proc.h"

/* A longer line of ancestors was made to hide something. */
#define ANCESTORS_MAX 256

/*
 * Walks up from pid.  A process of ours that cannot be read hides itself, as a guard does
 * under ProtectProc=invisible: it counts as below us.  One of another user is where a
 * service manager, sudo or a login begins.
 */
static bool
is_below_us(pid_t pid)
{
    pid_t self = getpid();

    for (int i = 0; i < ANCESTORS_MAX; i++) {
        pid_t parent;

        if (pid == self)
            return true;
        if (pid <= 1)
            return false;
        if (proc_parent(pid, &parent))
            pid = parent;
        else
            return kill(pid, 0) == 0 || errno != EPERM;
    }
    return true;
}

enum ctl_right
ctl_right_of(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ||
        (peer.uid != 0 && peer.uid != geteuid()))
        return CTL_MAY_ASK;
    return is_below_us(peer.pid) ? CTL_MAY_ASK_BELOW : CTL_MAY_CHANGE;
}
