/*
 * Within the room: the server, its connections, and what each of them is about.
 *
 * A connection is libmicrohttpd's from its first byte to its last, but for two things: we
 * accept it (listeners.c), and a stream takes its socket away (stream.c).  libmicrohttpd has
 * no times of its own here: connection.c cuts who is too slow.
 */
#ifndef PGCREW_WEB_INTERNAL_H
#define PGCREW_WEB_INTERNAL_H

#include <microhttpd.h>
#include <netinet/in.h>

#include "web/routes.h"
#include "web/target.h"
#include "web/web.h"

/* From 1.0 on libmicrohttpd can be told to forgive nothing: before it, see strict.c. */
#define LIBRARY_CAN_BE_STRICT (MHD_VERSION >= 0x01000000)

struct listener {
    struct web *web;
    ev_io acceptable;
};

/* An address and how many connections it has. */
struct peer {
    struct peer *next;
    struct in6_addr address;
    int n;
};

#define PEER_SLOTS 256

struct web {
    struct ev_loop *loop;
    struct web_options options;
    struct MHD_Daemon *mhd;
    ev_io ready;    /* libmicrohttpd's own epoll has something */
    ev_timer again; /* it has more to do at once */
    bool is_running;

    struct listener *listeners;
    size_t n_listeners;
    bool is_accepting;
    ev_timer pause; /* when there are no descriptors left */
    int64_t complained_mono_ms;
    struct conn *arriving; /* handed to libmicrohttpd just now */
    struct peer *peers[PEER_SLOTS];

    struct conn *conns;
    struct lingerer *lingering;
    int n_lingering;
    struct web_stream *streams;
    struct web_request *requests;
    struct web_counts counts;

    bool is_draining, has_ended, is_freed;
    void (*ended)(void *owner);
};

enum conn_state {
    CONN_QUIET,     /* no request, for a short while */
    CONN_WATCHED,   /* no request, for longer: its first byte is waited for */
    CONN_ARRIVING,  /* a part of a request is here */
    CONN_WORKING,   /* the handler has it */
    CONN_ANSWERING, /* the client has to take the answer */
    CONN_CUT,
};

struct conn {
    struct conn *prev, *next;
    struct web *web;
    struct MHD_Connection *mhd;
    struct peer *peer; /* NULL: not counted */
    bool lingers;      /* the client still sends what nobody will read */
    struct sockaddr_storage address;
    int fd;
    enum conn_state state;
    int64_t since_mono_ms, deadline_mono_ms; /* it is cut then */
    int64_t look_mono_ms, alarm_mono_ms;
    uint64_t bytes; /* of requests that have arrived whole */
    ev_timer alarm; /* when the next of them is due, or before */
    ev_io first_byte;
};

struct header {
    struct header *next;
    const char *name, *value;
};

struct web_request {
    struct web_request *prev, *next;
    struct web *web;            /* NULL: the server is no more */
    struct conn *conn;          /* NULL: the client is gone */
    struct MHD_Connection *mhd; /* the same */
    struct arena arena;
    const char *raw, *raw_here; /* the target: our copy, and where libmicrohttpd has it */
    struct target target;
    unsigned method; /* 0: none that we know */
    bool is_head, is_http_10, must_close;
    struct route_match match;
    const char *peer;
    size_t header_bytes;
    struct buf body;
    size_t body_max;

    bool has_begun;     /* headers were looked at */
    bool is_dispatched; /* a handler has it, or had it */
    bool is_in_handler;
    bool is_suspended;
    bool is_answered;
    struct header *headers, **headers_end;
    int status;
    size_t answer_bytes;
    int64_t whole_mono_ns; /* when all of it was here; 0: it was not */
    struct MHD_Response *response;
    struct web_stream *stream;
    void *data;
};

/* --- web.c ------------------------------------------------------------------------ */

/* Have libmicrohttpd do what there is to do, in the next turn of the loop. */
void web_kick(struct web *w);
/* What the end of connections has made possible.  w may be gone after it. */
void web_settle(struct web *w);
void web_count_answer(struct web *w, const struct web_request *r, int status); /* r may be NULL */

/* --- listeners.c, peers.c ----------------------------------------------------------- */

bool listeners_init(struct web *w, struct err *err) MUST_CHECK;
void listeners_start(struct web *w);
void listeners_stop(struct web *w);
void listeners_close(struct web *w);
bool web_is_full(const struct web *w);

/* True: one more of this address is fine; *ret_peer is NULL when it need not be counted. */
bool peer_take(struct web *w, const struct sockaddr *address, struct peer **ret_peer) MUST_CHECK;
void peer_drop(struct web *w, struct peer *peer); /* NULL is fine */

/* --- connection.c ------------------------------------------------------------------- */

struct conn *conn_new(struct web *w, int fd, const struct sockaddr_storage *address,
                      struct peer *peer);
void conn_free(struct conn *c);
struct conn *conn_of(struct MHD_Connection *mhd);
void conn_go(struct conn *c, enum conn_state state, int64_t ms); /* for ms; 0: without limit */
/* End it now.  A status other than 0 is told first: only while nothing else was sent. */
void conn_cut(struct conn *c, int status);
void on_connection(void *cls, struct MHD_Connection *mhd, void **context,
                   enum MHD_ConnectionNotificationCode code);
/* An answer without a request, by hand. */
void send_refusal(struct web *w, int fd, int status, const char *message);

/* --- linger.c ------------------------------------------------------------------------- */

/* Before fd is closed: a copy of it is read for a moment. */
void linger(struct web *w, int fd);
void linger_end(struct web *w);

/* --- strict.c: what is refused that libmicrohttpd would take -------------------------- */

struct complaint {
    int status; /* 0: none */
    const char *message;
};

struct complaint strict_check(struct web_request *r, const char *method, const char *version);

/* --- request.c, answer.c -------------------------------------------------------------- */

void *on_target(void *cls, const char *raw, struct MHD_Connection *mhd);
enum MHD_Result on_request(void *cls, struct MHD_Connection *mhd, const char *url,
                           const char *method, const char *version, const char *data,
                           size_t *data_size, void **context);
void on_completed(void *cls, struct MHD_Connection *mhd, void **context,
                  enum MHD_RequestTerminationCode how);
void request_release(struct web_request *r); /* if nobody needs it any more */
void request_detach(struct web_request *r);
/* It has an answer now: go on if it was waited for. */
void request_resume(struct web_request *r);
void begin_answer(struct web_request *r); /* aborts when there was one */
/* How long its client may take for the answer. */
int64_t answer_ms(const struct web_request *r);

/* --- stream.c ------------------------------------------------------------------------- */

struct web_stream *stream_next(const struct web_stream *s);
void stream_drain(struct web_stream *s);
void stream_abort(struct web_stream *s); /* for web_free(): gone is called */

#endif
