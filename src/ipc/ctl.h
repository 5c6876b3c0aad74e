/*
 * The control socket, the daemon's side: msgpack-rpc (rpc.h) over a Unix stream
 * socket.  Asking is open to whoever may open the socket; who may change the daemon
 * is said in ctl_peer.h.
 *
 * Limits: CTL_CLIENTS at once and CTL_RESERVED more who may change the daemon,
 * CTL_REQUEST_MAX a request, CTL_UNFINISHED_MS for a
 * request to arrive whole and for an answer to be taken, CTL_IDLE_MS without
 * either.  What is no request is answered with an error and the connection closed.
 */
#ifndef PGCREW_IPC_CTL_H
#define PGCREW_IPC_CTL_H

#include <sys/types.h>

#include "base/base.h"
#include "base/err.h"
#include "base/loop.h"
#include "ipc/rpc.h"

#define CTL_CLIENTS 64
#define CTL_RESERVED 8
#define CTL_REQUEST_MAX ((size_t)64 << 10)
#define CTL_UNFINISHED_MS 5000
#define CTL_IDLE_MS 60000

/* What listens: the socket, and the lock that keeps a second daemon away. */
struct ctl_place {
    int fd;
    int lock_fd;
    char *path;
};

/*
 * Listen on the control socket at path, mode 0660, of group (NULL: our own).
 *
 * A socket file left behind by a dead daemon is replaced; one that somebody
 * answers on, or is about to, is ERR_CONFIG, because two daemons must not share
 * a name.  The lock is a file of its own, path.lock, which stays.
 */
bool ctl_listen(const char *path, const char *group, struct ctl_place *ret,
                struct err *err) MUST_CHECK;
/* Close; the socket file goes, too.  A place that was never filled must be CTL_NOWHERE. */
void ctl_place_release(struct ctl_place *place);
#define CTL_NOWHERE ((struct ctl_place){.fd = -1, .lock_fd = -1})

/* A row of the table of methods. */
struct ctl_method {
    const char *name;
    bool changes; /* for clients with CTL_MAY_CHANGE only */
    uint32_t most_params;
    /* Pack one value into ret, or say why not; only what is packed on success is sent. */
    bool (*call)(void *owner, const msgpack_object_array *params, msgpack_packer *ret,
                 struct err *err);
};

struct ctl;

/* Serve place, which stays the caller's, until ctl_free(). */
struct ctl *ctl_new(struct ev_loop *loop, const struct ctl_place *place,
                    const struct ctl_method *methods, size_t n_methods, void *owner);
void ctl_free(struct ctl *ctl); /* NULL is fine */
size_t ctl_clients(const struct ctl *ctl);

#endif
