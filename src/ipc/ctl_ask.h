/*
 * Ask the daemon something over its control socket, from a process with a loop: nothing
 * here blocks.  The tool, which may wait, has ctl_client.h; methods and answers are in
 * supervisor/methods.h.
 *
 *     ctl_ask(loop, conf->socket_path, "stats", NULL, 2000, on_stats, d);
 */
#ifndef PGCREW_IPC_CTL_ASK_H
#define PGCREW_IPC_CTL_ASK_H

#include "base/base.h"
#include "base/err.h"
#include "base/loop.h"
#include "ipc/rpc.h"

struct ctl_ask;

/*
 * result belongs to the call.  NULL: err says why, of class ERR_RETRY when no daemon answers
 * or not in time, ERR_PERMANENT when it answered with an error.
 */
typedef void ctl_ask_answer(void *arg, const msgpack_object *result, const struct err *err);

/*
 * Call method with params, a packed array (NULL: none; copied).  answer is called once, from
 * the loop and never from in here, after timeout_ms at the latest.  What is returned is the
 * question, valid until then.
 */
struct ctl_ask *ctl_ask(struct ev_loop *loop, const char *path, const char *method,
                        const struct buf *params, int64_t timeout_ms, ctl_ask_answer *answer,
                        void *arg);
/* Before it is answered: answer is not called any more. */
void ctl_ask_forget(struct ctl_ask *ask);

#endif
