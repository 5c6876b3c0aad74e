/*
 * A request, from its first line to its answer.
 *
 * libmicrohttpd calls on_target() when it has the request line, then on_request() when it has
 * the headers, for each piece of the body, and when all is there; once more when a suspended
 * request was resumed, and on_completed() at its end.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "web/internal.h"

#define TOO_LONG "the body is too long"

/* --- life -------------------------------------------------------------------------- */

/* The version follows, which was looked at before the target. */
static bool
is_end(const char *nul)
{
    return strncmp(nul + 1, "HTTP/1.", 7) == 0 && nul[8] != '\0' && nul[9] == '\0';
}

/*
 * libmicrohttpd would read the query, too, and forgets the connection when its memory does not
 * suffice for that (0.9.75): it finds an empty one.  It shows its own buffer, which it changes
 * itself.  A NUL does not end the target for it.  (Who makes that look like the end has a
 * connection that is closed when its time is over.)
 */
static void
hide_query(const char *raw)
{
    char *at = (char *)(uintptr_t)raw;

    if (raw == NULL || LIBRARY_CAN_BE_STRICT)
        return;
    while (*at != '?' && (*at != '\0' || !is_end(at)))
        at++;
    if (*at == '?')
        at[1] = '\0';
}

void *
on_target(void *cls, const char *raw, struct MHD_Connection *mhd)
{
    struct web *w = cls;
    struct web_request *r = xcalloc(1, sizeof(*r));

    r->web = w;
    r->conn = conn_of(mhd);
    r->mhd = mhd;
    r->raw_here = raw;
    r->raw = arena_strdup(&r->arena, raw != NULL ? raw : "");
    hide_query(raw);
    r->headers_end = &r->headers;
    r->next = w->requests;
    if (r->next != NULL)
        r->next->prev = r;
    w->requests = r;
    if (r->conn->state != CONN_ARRIVING)
        conn_go(r->conn, CONN_ARRIVING, w->options.request_ms);
    return r;
}

void
request_release(struct web_request *r)
{
    bool is_owed = r->is_dispatched && !r->is_answered;

    if (r->mhd != NULL || r->is_in_handler || is_owed || r->stream != NULL)
        return;
    if (r->web != NULL) {
        if (r->prev != NULL)
            r->prev->next = r->next;
        else
            r->web->requests = r->next;
        if (r->next != NULL)
            r->next->prev = r->prev;
    }
    if (r->response != NULL)
        MHD_destroy_response(r->response);
    buf_release(&r->body);
    arena_release(&r->arena);
    free(r);
}

/* The client is gone, or has its answer. */
void
request_detach(struct web_request *r)
{
    if (r->conn != NULL && r->is_answered)
        r->conn->bytes += r->header_bytes + r->body.len;
    r->mhd = NULL;
    r->conn = NULL;
}

void
on_completed(void *cls, struct MHD_Connection *mhd, void **context,
             UNUSED enum MHD_RequestTerminationCode how)
{
    struct web_request *r = *context;
    const union MHD_ConnectionInfo *info;

    if (r == NULL)
        return;
    *context = NULL;
    if (r->status == 0) { /* libmicrohttpd has answered, or nobody */
        info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_HTTP_STATUS);
        web_count_answer(cls, r, info != NULL ? (int)info->http_status : 0);
    }
    conn_go(r->conn, CONN_QUIET, 0);
    request_detach(r);
    request_release(r);
}

/* --- what it is -------------------------------------------------------------------- */

static void
read_method(struct web_request *r, const char *method)
{
    static const struct {
        const char *name;
        enum web_method method;
    } known[] = {{"GET", WEB_GET},
                 {"HEAD", WEB_GET},
                 {"POST", WEB_POST},
                 {"DELETE", WEB_DELETE},
                 {"OPTIONS", WEB_OPTIONS}};

    for (size_t i = 0; i < LENGTH(known); i++) {
        if (strcmp(method, known[i].name) == 0)
            r->method = known[i].method;
    }
    r->is_head = strcmp(method, "HEAD") == 0;
}

static uint64_t
announced_body(const struct web_request *r)
{
    const char *length =
        MHD_lookup_connection_value(r->mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

    return length != NULL ? strtoull(length, NULL, 10) : 0;
}

/* The headers are here.  What is wrong already is answered before the body is read. */
static struct complaint
begin(struct web_request *r, const char *method, const char *version)
{
    const struct web_options *o = &r->web->options;
    struct complaint complaint;

    r->has_begun = true;
    r->web->counts.requests++;
    r->header_bytes =
        MHD_get_connection_info(r->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;
    read_method(r, method);
    r->is_http_10 = strcmp(version, "HTTP/1.0") == 0;
    complaint = strict_check(r, method, version);
    if (complaint.status != 0) {
        r->must_close = true;
        return complaint;
    }
    r->match = routes_find(&r->arena, o->routes, o->n_routes, &r->target, r->method);
    r->body_max = r->match.route != NULL && r->match.route->body_max > 0 ? r->match.route->body_max
                                                                         : o->body_max;
    if (announced_body(r) > r->body_max)
        return (struct complaint){413, TOO_LONG};
    return complaint;
}

/* --- who answers it ------------------------------------------------------------------ */

static void
answer_options(struct web_request *r)
{
    char allow[64];

    web_add_header(r, "Allow", routes_allow(r->match.allowed, allow));
    web_answer(r, 204, NULL, NULL, 0);
}

static void
answer_not_allowed(struct web_request *r)
{
    char allow[64];

    web_add_header(r, "Allow", routes_allow(r->match.allowed, allow));
    web_answer_error(r, 405, "this method is not for this path");
}

static void
dispatch(struct web_request *r, struct complaint complaint)
{
    const struct web_options *o = &r->web->options;

    r->is_dispatched = true;
    r->whole_mono_ns = clock_mono_ns();
    r->is_in_handler = true;
    conn_go(r->conn, CONN_WORKING, 0);
    if (o->before != NULL && r->target.path != NULL && o->before(r, o->owner))
        ; /* it has */
    else if (complaint.status != 0)
        web_answer_error(r, complaint.status, complaint.message);
    else if (r->match.route != NULL)
        r->match.route->handle(r, o->owner);
    else if (r->method == WEB_OPTIONS && (r->match.allowed != 0 || r->target.n_segments == 0))
        answer_options(r);
    else if (r->match.allowed != 0)
        answer_not_allowed(r);
    else
        web_answer_error(r, 404, "there is nothing at this path");
    r->is_in_handler = false;
}

/* The handler has returned, or has answered later. */
static enum MHD_Result
give_answer(struct web_request *r)
{
    enum MHD_Result queued;

    if (r->response != NULL) {
        conn_go(r->conn, CONN_ANSWERING, answer_ms(r));
        queued = MHD_queue_response(r->mhd, (unsigned)r->status, r->response);
        MHD_destroy_response(r->response);
        r->response = NULL;
        return queued;
    }
    if (r->is_answered)
        return MHD_NO; /* a stream has a copy of the socket: libmicrohttpd closes its own */
    if (!r->is_suspended) {
        r->is_suspended = true;
        MHD_suspend_connection(r->mhd);
    }
    return MHD_YES;
}

void
request_resume(struct web_request *r)
{
    if (r->mhd == NULL) {
        request_release(r);
        return;
    }
    if (!r->is_suspended)
        return; /* its handler has not returned yet */
    r->is_suspended = false;
    MHD_resume_connection(r->mhd);
    web_kick(r->web);
}

static enum MHD_Result
take_body(struct web_request *r, const char *data, size_t *len)
{
    if (r->body.len + *len > r->body_max) {
        /* libmicrohttpd takes no answer in the middle of a body. */
        send_refusal(r->web, r->conn->fd, 413, TOO_LONG);
        conn_go(r->conn, CONN_CUT, 0);
        r->conn->lingers = true;
        return MHD_NO;
    }
    buf_add(&r->body, data, *len);
    *len = 0;
    return MHD_YES;
}

enum MHD_Result
on_request(UNUSED void *cls, UNUSED struct MHD_Connection *mhd, UNUSED const char *url,
           const char *method, const char *version, const char *data, size_t *data_size,
           void **context)
{
    struct web_request *r = *context;
    struct complaint complaint;

    if (!r->has_begun) {
        complaint = begin(r, method, version);
        if (complaint.status == 0)
            return MHD_YES;
        r->conn->lingers = true;
        dispatch(r, complaint);
        return give_answer(r);
    }
    if (*data_size > 0)
        return take_body(r, data, data_size);
    if (!r->is_dispatched)
        dispatch(r, (struct complaint){0});
    return give_answer(r);
}

/* --- what handlers ask ----------------------------------------------------------------- */

enum web_method
web_method(const struct web_request *r)
{
    return r->method;
}

bool
web_is_head(const struct web_request *r)
{
    return r->is_head;
}

const char *
web_path(const struct web_request *r)
{
    return r->target.path != NULL ? r->target.path : "";
}

const char *
web_segment(const struct web_request *r, int n)
{
    return n >= 0 && (size_t)n < r->match.n_captures ? r->match.captures[n] : NULL;
}

struct search {
    const char *name, *found;
    bool differs;
};

static enum MHD_Result
search_header(void *cls, UNUSED enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct search *s = cls;

    if (strcasecmp(name, s->name) != 0)
        return MHD_YES;
    if (s->found != NULL && strcmp(s->found, value) != 0)
        s->differs = true;
    s->found = value != NULL ? value : "";
    return MHD_YES;
}

static const char *
without_blanks_at_end(struct arena *a, const char *value)
{
    size_t len = value != NULL ? strlen(value) : 0, whole = len;

    while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
        len--;
    return len < whole ? arena_memdup(a, value, len) : value;
}

const char *
web_header(struct web_request *r, const char *name)
{
    struct search s = {.name = name};

    if (r->mhd == NULL)
        return NULL;
    MHD_get_connection_values(r->mhd, MHD_HEADER_KIND, search_header, &s);
    return s.differs ? NULL : without_blanks_at_end(&r->arena, s.found);
}

const char *
web_query(const struct web_request *r, const char *name)
{
    for (size_t i = 0; i < r->target.n_params; i++) {
        if (strcmp(r->target.params[i].name, name) == 0)
            return r->target.params[i].value;
    }
    return NULL;
}

void
web_query_each(const struct web_request *r,
               void (*each)(void *arg, const char *name, const char *value), void *arg)
{
    for (size_t i = 0; i < r->target.n_params; i++)
        each(arg, r->target.params[i].name, r->target.params[i].value);
}

const char *
web_cookie(struct web_request *r, const char *name)
{
    const char *header = web_header(r, "Cookie");

    return header != NULL ? cookie_find(&r->arena, header, name) : NULL;
}

const char *
web_body(const struct web_request *r, size_t *ret_len)
{
    if (ret_len != NULL)
        *ret_len = r->body.len;
    return buf_text(&r->body);
}

const char *
web_peer(struct web_request *r)
{
    char text[INET6_ADDRSTRLEN] = "unix";
    const struct sockaddr_storage *address;

    if (r->peer != NULL)
        return r->peer;
    if (r->conn == NULL)
        return "gone";
    address = &r->conn->address;
    if (address->ss_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr, text,
                  sizeof(text));
    else if (address->ss_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, text,
                  sizeof(text));
    r->peer = arena_strdup(&r->arena, text);
    return r->peer;
}

struct arena *
web_arena(struct web_request *r)
{
    return &r->arena;
}

void
web_set_data(struct web_request *r, void *data)
{
    r->data = data;
}

void *
web_data(const struct web_request *r)
{
    return r->data;
}
