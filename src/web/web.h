/*
 * An HTTP server on the loop of this process; libmicrohttpd underneath, which nobody
 * above sees.
 *
 *     static const struct web_route routes[] = {
 *         {WEB_GET, "/api/batch_status", answer_status},
 *         {WEB_POST, "/api/batches/{}/cancel", answer_cancel},
 *     };
 *
 * A handler is called once, when the whole request has arrived.  It answers before it
 * returns or later, once, by one of web_answer() and web_stream().  A client that leaves
 * early is no error for the handler: what it answers is dropped.
 */
#ifndef PGCREW_WEB_WEB_H
#define PGCREW_WEB_WEB_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"

struct web;
struct web_request;
struct web_stream;

/* HEAD is answered as GET without the body; OPTIONS is the hook's, else 204 with Allow. */
enum web_method { WEB_GET = 1, WEB_POST = 2, WEB_DELETE = 4, WEB_OPTIONS = 8 };

typedef void web_handler(struct web_request *r, void *owner);

struct web_route {
    unsigned methods;    /* any of WEB_GET | WEB_POST ...; another one gets 405 with Allow */
    const char *pattern; /* "{}" is one segment, not empty; "{...}" at the end is any rest */
    web_handler *handle;
    size_t body_max; /* 0: that of the options */
};

struct web_options {
    const struct web_route *routes; /* the first that fits path and method counts; they outlive
                                     * the server */
    size_t n_routes;
    /*
     * Called for each request before its route, also for those without one; may set
     * headers of the answer (CORS).  True: it has answered.  May be NULL.
     */
    bool (*before)(struct web_request *r, void *owner);
    /* How errors found here look (404, 405, 413 ...): shapes a body for status.  NULL: JSON
     * {"code", "message", "details", "hint"} as PostgREST has it. */
    void (*error)(struct web_request *r, int status, const char *message, void *owner);
    /*
     * Of each answer: the pattern of its route, NULL when there is none (no route, or not even
     * a request that could be read), and microseconds since the whole request was here, -1 for a
     * stream and for what no handler saw.  May be NULL.
     */
    void (*answered)(const char *route, int status, int64_t us, void *owner);
    void *owner;
    const int *fds; /* listening stream sockets (ipc/listen.h); the server's from now on */
    size_t n_fds;
    int connections_max;      /* more wait in the kernel's queue */
    int per_address_max;      /* of one address that is not the loopback's; 0: no limit */
    size_t header_max;        /* bytes of request line and headers; more: 431 */
    size_t body_max;          /* more: 413 */
    int64_t request_ms;       /* a request must have arrived after so long, or it is cut: 408 */
    int64_t idle_ms;          /* a connection without a request is closed after so long */
    size_t stream_buffer_max; /* a stream whose client has not taken so much is cut */
};

/*
 * Serve.  ERR_CONFIG when a descriptor is no listening socket, ERR_RETRY when the library has
 * not what it needs; then fds are the caller's still.  Options are copied but for routes.
 */
bool web_new(struct ev_loop *loop, const struct web_options *options, struct web **ret,
             struct err *err) MUST_CHECK;
/*
 * No new connections; requests under way are answered, streams are ended.  ended is called
 * when the last connection is closed, from the loop, and at once when there is none.
 */
void web_drain(struct web *w, void (*ended)(void *owner));
void web_free(struct web *w); /* closes what is open; NULL is fine */

/* For metrics and tests. */
struct web_counts {
    uint64_t connections; /* accepted so far */
    uint64_t requests;
    uint64_t answers[600]; /* by status: those made here and those of handlers */
    int open, streams;
};
void web_count(const struct web *w, struct web_counts *ret);

/* --- a request: valid until it is answered and its handler has returned ------------------ */

enum web_method web_method(const struct web_request *r);
bool web_is_head(const struct web_request *r);               /* a GET whose body nobody reads */
const char *web_path(const struct web_request *r);           /* decoded, without the query */
const char *web_segment(const struct web_request *r, int n); /* what the nth {} stands for */
/* Header by name, in any case; NULL: there is none, or there are several that differ. */
const char *web_header(struct web_request *r, const char *name);
/* First value of a parameter of the query, decoded; NULL: none. */
const char *web_query(const struct web_request *r, const char *name);
/* Each parameter in its order, with repetitions; a value is "" when there is no '='. */
void web_query_each(const struct web_request *r,
                    void (*each)(void *arg, const char *name, const char *value), void *arg);
/* Of the cookie; NULL: none. */
const char *web_cookie(struct web_request *r, const char *name);
const char *web_body(const struct web_request *r, size_t *ret_len); /* followed by a NUL */
const char *web_peer(struct web_request *r); /* "192.0.2.1" or "unix"; for logs */
/* Memory that lives as long as the request. */
struct arena *web_arena(struct web_request *r);
/* Of the program: found again in before(), handlers and callbacks. */
void web_set_data(struct web_request *r, void *data);
void *web_data(const struct web_request *r);

/* --- answers --------------------------------------------------------------------------- */

/* A header of the answer to come; both are copied.  Line ends in it are a bug: aborts. */
void web_add_header(struct web_request *r, const char *name, const char *value);
/* The body is copied; type NULL: no body. */
void web_answer(struct web_request *r, int status, const char *type, const void *body, size_t len);
/* The body is not copied: it is there as long as the program. */
void web_answer_static(struct web_request *r, int status, const char *type, const void *body,
                       size_t len);
/* The options' error(), or the shape of PostgREST. */
void web_answer_error(struct web_request *r, int status, const char *message);

/*
 * Begin an answer without an end: 200 of this type.  The request lives until the stream has
 * ended.  gone is called once, from the loop, when the client has left, was cut because it
 * takes nothing, or the server drains; after it the stream is no more.
 */
struct web_stream *web_stream(struct web_request *r, const char *type, void (*gone)(void *arg),
                              void *arg);
void web_stream_write(struct web_stream *s, const void *data, size_t len); /* copied */
size_t web_stream_waiting(const struct web_stream *s); /* bytes its client has not taken */
void web_stream_end(struct web_stream *s); /* after what was written; gone is not called */

#endif
