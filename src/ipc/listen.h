/*
 * Sockets that others connect to, by their text in the configuration:
 *
 *     "127.0.0.1:8480", "[::1]:8480"   TCP; numbers only.  Port 0 is any that is free.
 *     "/run/pgcrew/gateway.sock"       a Unix socket, mode 0660; see ctl_listen()
 *     "systemd"                        all that systemd has passed under a name (LISTEN_FDNAMES)
 *
 * The supervisor opens them and hands them on to each child that serves: while one child
 * follows the other, clients wait in the kernel's queue and none is refused.
 */
#ifndef PGCREW_IPC_LISTEN_H
#define PGCREW_IPC_LISTEN_H

#include "base/base.h"
#include "base/err.h"
#include "ipc/ctl.h"

struct listen_socket {
    char *text; /* of the configuration */
    int fd;
    struct ctl_place place; /* of a Unix socket's file; CTL_NOWHERE for others */
};

struct listen_set {
    struct listen_socket *sockets;
    size_t n;
};

/*
 * Make set, which begins as all zeros, what texts say: sockets that it has already stay as
 * they are, others are opened, and those that are named no more are closed.  fd_name is the
 * one in LISTEN_FDNAMES for "systemd".  On failure the set is as it was, and err says which
 * socket cannot be had, and why: ERR_CONFIG, or ERR_RETRY for want of descriptors.
 * Only for the process that systemd started: another one is passed nothing.
 */
bool listen_open(struct listen_set *set, const char *const *texts, size_t n, const char *fd_name,
                 struct err *err) MUST_CHECK;
/* Close all, files of Unix sockets go, too.  Not for a child: its parent's file would go. */
void listen_release(struct listen_set *set);

/* What a socket is bound to, as one writes it: "127.0.0.1:8480", "[::1]:80", a path. */
const char *listen_bound_to(int fd, char ret[128]);

#endif
