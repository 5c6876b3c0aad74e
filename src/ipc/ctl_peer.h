/*
 * Who is at the other end of the control socket, and what that allows.
 *
 * Asking is for whoever may open the socket.  Changing the daemon is for root and for
 * the daemon's own user, but for what runs below the daemon: handlers have its user if
 * nothing else is said, and a job is not to stop the worker that runs it.
 */
#ifndef PGCREW_IPC_CTL_PEER_H
#define PGCREW_IPC_CTL_PEER_H

#include "base/base.h"

enum ctl_right {
    CTL_MAY_ASK,
    CTL_MAY_ASK_BELOW, /* may only ask, because it runs below the daemon */
    CTL_MAY_CHANGE,
};

/* Of a connected client, as it was when it connected (SO_PEERCRED). */
enum ctl_right ctl_right_of(int fd);

#endif
