/*
 * The frames of pgcrew-handler(7): what a program says taken apart, what it is
 * told put together.  Pure: no program, no socket, no clock.
 *
 * A frame is a length of four bytes, big-endian, and so many bytes of msgpack:
 * one array, its first element the type.
 */
#ifndef PGCREW_HANDLER_SERVE_FRAME_H
#define PGCREW_HANDLER_SERVE_FRAME_H

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "handler/handler.h"

#define SERVE_VERSION 1
#define SERVE_HEAD 4

/* --- what a program says ----------------------------------------------------------------- */

/* Is there a whole frame at the start of data?  Its body is after the head. */
enum serve_cut { SERVE_MORE, SERVE_WHOLE, SERVE_BAD };
/* *ret_body: the length of the body, when it is whole or bad (0, or more than max_body). */
enum serve_cut serve_cut(const char *data, size_t len, size_t max_body,
                         size_t *ret_body) MUST_CHECK;

enum serve_type {
    SERVE_HELLO,
    SERVE_PROGRESS,
    SERVE_LOG,
    SERVE_HEARTBEAT,
    SERVE_RESULT,
    SERVE_FAILURE,
};

enum serve_again { SERVE_RETRY, SERVE_NEVER, SERVE_SNOOZE };

/* Text points into the body of the frame; NULL is nil. */
struct serve_text {
    const char *data;
    size_t len;
};

struct serve_frame {
    enum serve_type type;
    int64_t job;            /* -1: nil (a log line of no job) */
    int64_t number;         /* of a heartbeat */
    struct serve_text text; /* name, note, line, result or error */
    float percent;          /* 0..100, negative when it is not known */
    int64_t version, in_flight;
    bool heartbeat;
    enum serve_again again;
    int64_t wait_ms; /* -1: not said */
};

/* One body.  False: it broke the protocol, ERR_PERMANENT says how. */
bool serve_read(const char *body, size_t len, struct serve_frame *ret, struct err *err) MUST_CHECK;

/* --- what it is told ----------------------------------------------------------------------- */

struct serve_terms {
    const char *kind;
    int in_flight;
    size_t payload_max, result_max;
};

/* Each adds one frame to out. */
void serve_put_hello(struct buf *out, const struct serve_terms *terms);
void serve_put_job(struct buf *out, int64_t ref, const struct job *job, int64_t timeout_ms,
                   const char *traceparent);
void serve_put_cancel(struct buf *out, int64_t ref, const char *why);
void serve_put_heartbeat(struct buf *out, int64_t number);
void serve_put_drain(struct buf *out);

#endif
