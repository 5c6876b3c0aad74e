/*
 * Ask a running pgcrewd something over its control socket.  Blocking, for the
 * tool (a process with a loop has ctl_ask.h); the daemon's side is ctl.h, the methods and what they answer are in
 * supervisor/methods.c and pgcrewd(8).
 *
 *     AUTO(ctl_answer) struct ctl_answer answer = {0};
 *
 *     if (!ctl_call(conf->socket_path, "ping", NULL, &answer, &err)) ...
 *     rpc_text(rpc_get(&answer.result, "version"), version, sizeof(version));
 */
#ifndef PGCREW_IPC_CTL_CLIENT_H
#define PGCREW_IPC_CTL_CLIENT_H

#include "base/base.h"
#include "base/err.h"
#include "ipc/rpc.h"

/* No answer is longer. */
#define CTL_ANSWER_MAX ((size_t)64 << 20)

struct ctl_answer {
    msgpack_object result; /* points into the two below */
    msgpack_unpacked unpacked;
    struct buf bytes;
};

/*
 * Call method with params, a msgpack array made with rpc_pack_... (NULL: none).
 *
 * ERR_RETRY: no daemon answers there (exit status 69 of the tool); ERR_PERMANENT:
 * the daemon answered with an error, which is the text.  On success the caller
 * releases the answer.
 */
bool ctl_call(const char *path, const char *method, const struct buf *params,
              struct ctl_answer *ret, struct err *err) MUST_CHECK;
/* The answer in answer->bytes, which is whole: its result, or the error in it. */
bool ctl_answer_read(struct ctl_answer *answer, struct err *err) MUST_CHECK;
void ctl_answer_release(struct ctl_answer *answer); /* a zeroed one is fine */

#define auto_ctl_answer ctl_answer_release

#endif
