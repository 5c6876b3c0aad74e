/*
 * A POST per job: libcurl on the loop of the worker, nothing here waits.
 *
 * What is sent is made in request.c, what an answer means is decided in
 * answer.c.  Redirects are followed here and not by curl, which would send
 * our own headers, secrets and all, to whoever is named in one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/fault.h"
#include "config/conf.h"
#include "handler/result.h"
#include "handler/way.h"
#include "http/address.h"
#include "http/answer.h"
#include "http/multi.h"
#include "http/request.h"
#include "http/secret.h"

#define CONNECT_MS 10000L
#define HEADERS_MAX ((size_t)64 * 1024)
#define HEADER_VALUE_MAX 2048 /* of the few that we read; longer ones count as missing */
/* What curl reads at a time.  Each request under way has such a buffer. */
#define READ_BYTES 8192L
/* A file of authorities that was replaced counts after this. */
#define CA_CACHE_S 60L

/*
 * Requests that may go to this host and those that may not never share connections:
 * only a new one is looked at.
 */
static struct http_multi *multis[2];

struct http {
    struct run *run;
    struct http_multi *multi;
    CURL *easy; /* NULL when the request is over */
    struct curl_slist *headers;
    struct http_secrets secrets;
    ev_timer timer; /* the timeout; after stop() the end that is still to be told */
    int64_t started_mono;

    const char *url; /* where the request under way goes */
    int hops;

    bool asked; /* somebody wanted it to end early ... */
    enum run_cause asked_cause;

    struct http_answer answer;
    bool tried_allowed; /* an address that may be connected to */
    size_t header_bytes, body_bytes;
    char retry_after[HEADER_VALUE_MAX], location[HEADER_VALUE_MAX];
    char head[HTTP_HEAD_BYTES];
    char why[CURL_ERROR_SIZE];
    struct result result;
};

/* --- what comes in ------------------------------------------------------------------- */

static bool
is_success(const struct http *x)
{
    return x->answer.status >= 200 && x->answer.status < 300;
}

static size_t
cut(struct http *x, enum http_cut why)
{
    x->answer.cut = why;
    return 0; /* not what curl gave us: it ends the request */
}

/* The value of a header line, when it is the one named. */
static bool
read_header(const char *line, size_t len, const char *name, char ret[HEADER_VALUE_MAX])
{
    size_t skip = strlen(name);

    if (len <= skip || strncasecmp(line, name, skip) != 0 || line[skip] != ':')
        return false;
    for (skip++; skip < len && (line[skip] == ' ' || line[skip] == '\t');)
        skip++;
    while (len > skip && strchr("\r\n \t", line[len - 1]) != NULL)
        len--;
    len -= skip;
    if (len >= HEADER_VALUE_MAX || memchr(line + skip, '\0', len) != NULL)
        len = 0;
    memcpy(ret, line + skip, len);
    ret[len] = '\0';
    return true;
}

static size_t
on_header(char *line, size_t one, size_t len, void *http)
{
    struct http *x = http;
    char length[HEADER_VALUE_MAX];

    (void)one;
    x->header_bytes += len;
    if (x->header_bytes > HEADERS_MAX)
        return cut(x, HTTP_HEADERS_TOO_LONG);
    if (len > 5 && strncmp(line, "HTTP/", 5) == 0) {
        /* The first line of an answer; what came before was an interim one. */
        x->retry_after[0] = x->location[0] = '\0';
        curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &x->answer.status);
    }
    if (read_header(line, len, "Content-Length", length) && is_success(x) &&
        strtoull(length, NULL, 10) > x->run->handler->response_max)
        return cut(x, HTTP_BODY_TOO_LONG);
    if (!read_header(line, len, "Retry-After", x->retry_after))
        read_header(line, len, "Location", x->location);
    return len;
}

static size_t
on_body(char *data, size_t one, size_t len, void *http)
{
    struct http *x = http;
    size_t room = sizeof(x->head) - x->answer.head_len;

    (void)one;
    x->body_bytes += len;
    if (x->body_bytes > x->run->handler->response_max)
        return cut(x, HTTP_BODY_TOO_LONG);
    if (is_success(x)) {
        result_add(&x->result, data, len);
    } else {
        memcpy(x->head + x->answer.head_len, data, len < room ? len : room);
        x->answer.head_len += len < room ? len : room;
    }
    return len;
}

/* --- where it goes ------------------------------------------------------------------- */

static curl_socket_t
on_open(void *http, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct http *x = http;
    const char *refused = http_address_refused(&to->addr);
    int fd;

    (void)purpose;
    if (refused != NULL && x->run->handler->allow_local == CONF_NO) {
        x->answer.refused = refused;
        return CURL_SOCKET_BAD;
    }
    x->tried_allowed = true;
    fd = fault_fails("http.opens", EMFILE)
             ? -1
             : socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
    if (fd < 0)
        x->answer.no_descriptor = errno == EMFILE || errno == ENFILE;
    return fd;
}

static void
set_security(CURL *easy, const struct handler_conf *handler)
{
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* none from the environment either */
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    /* A folder of authorities would be read for each connection, a file is kept. */
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, CA_CACHE_S);
    if (handler->ca_file != NULL)
        curl_easy_setopt(easy, CURLOPT_CAINFO, handler->ca_file);
}

static void
set_up(struct http *x)
{
    const struct job *job = &x->run->job;
    CURL *easy = x->easy;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, x);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, x->why);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* Or dropping a request waits for a name server that does not answer. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    /*
     * A connection carries one request at a time: dropping one cuts no other.  Over one of
     * HTTP/2, libcurl 7.88 of Debian 12 lost some of 200 large requests.
     */
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, READ_BYTES);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, x);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, x);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, x);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, job->payload);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)job->payload_len);
    set_security(easy, x->run->handler);
}

static bool
send_to(struct http *x, const char *url, bool is_home, struct err *err)
{
    struct curl_slist *headers;

    if (!http_request_headers(x->run, is_home, time(NULL), &x->secrets, &headers, err))
        return false;
    x->url = url;
    curl_easy_setopt(x->easy, CURLOPT_URL, url);
    curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, headers);
    curl_slist_free_all(x->headers);
    x->headers = headers;
    x->answer = (struct http_answer){
        .why = x->why, .head = x->head, .retry_after = x->retry_after, .hops = x->hops};
    x->tried_allowed = false;
    x->header_bytes = x->body_bytes = 0;
    x->retry_after[0] = x->location[0] = x->why[0] = '\0';
    http_multi_add(x->multi, x->easy);
    return true;
}

/* --- the end ------------------------------------------------------------------------- */

/* Of curl nothing is left: the connection is closed if an answer was still to come. */
static void
drop(struct http *x)
{
    http_multi_remove(x->multi, x->easy);
    curl_easy_cleanup(x->easy);
    x->easy = NULL;
    curl_slist_free_all(x->headers);
    x->headers = NULL;
}

static void
finish(struct http *x)
{
    struct run *run = x->run;
    struct run_end end = RUN_END(RUN_OK);

    ev_timer_stop(run->loop, &x->timer);
    end.ran_ms = clock_mono_ms() - x->started_mono;
    if (x->asked) {
        end.cause = x->asked_cause;
        end.error = way_asked_error(run, x->asked_cause);
    } else {
        /* An error page may show the request. */
        http_secrets_mask(&x->secrets, x->head, x->answer.head_len);
        http_answer_judge(&x->answer, time(NULL), run, &end);
    }
    if (end.cause == RUN_OK) {
        http_secrets_mask(&x->secrets, x->result.kept.data, x->result.kept.len);
        end.result = result_json(&x->result, &run->arena);
    }
    result_release(&x->result);
    run->events->ended(run, &end); /* the run may be gone now */
}

/* Follow a redirect; false when this answer is the last. */
static bool
follow(struct http *x)
{
    struct http_answer *a = &x->answer;
    const struct handler_conf *handler = x->run->handler;
    const char *url;
    struct err err;
    bool is_home;

    if (a->code != CURLE_OK || !http_answer_redirects(a->status))
        return false;
    if (handler->redirects == 0)
        a->not_followed = "which is not followed ('redirects' is 0)";
    else if (x->hops >= handler->redirects)
        a->not_followed = "one redirect more than 'redirects' allows";
    else if (http_request_redirect(handler->url, x->url, x->location, &x->run->arena, &url,
                                   &is_home, &a->not_followed)) {
        http_multi_remove(x->multi, x->easy);
        x->hops++;
        if (send_to(x, url, is_home, &err))
            return true;
        a->not_followed = arena_strdup(&x->run->arena, err.text);
    }
    return false;
}

static void
on_over(CURL *easy, CURLcode code)
{
    struct http *x;

    fault_here("http.over");
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &x);
    x->answer.code = code;
    if (x->tried_allowed)
        x->answer.refused = NULL;
    if (follow(x))
        return;
    drop(x);
    finish(x);
}

static void
end_early(struct http *x, enum run_cause cause)
{
    if (x->easy == NULL)
        return;
    x->asked = true;
    x->asked_cause = cause;
    drop(x);
}

static void
on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
    struct http *x = w->data;

    (void)loop;
    (void)events;
    end_early(x, RUN_TIMEOUT);
    finish(x);
}

/* The end is told in the next turn: whoever stops a run goes on with it. */
static void
http_stop(struct run *run, enum run_cause cause)
{
    struct http *x = run->way;

    if (x->easy == NULL)
        return;
    end_early(x, cause);
    loop_timer_in(run->loop, &x->timer, 0);
}

/* --- the start ----------------------------------------------------------------------- */

/* As many connections are kept as requests can be under way: fewer would be made anew all the time. */
static long
connections_of(const struct conf *conf)
{
    long n = conf->slots;

    for (size_t i = 0; i < conf->n_handlers; i++)
        n += conf->handlers[i].way == CONF_HTTP ? conf->handlers[i].slots : 0;
    return n;
}

/* Made for the first request. */
static struct http_multi *
multi_for(const struct run *run)
{
    enum conf_switch local = run->handler->allow_local;

    if (multis[local] == NULL)
        multis[local] = http_multi_new(run->loop, connections_of(run->conf), on_over);
    return multis[local];
}

static bool
http_start(struct run *run, struct err *err)
{
    struct http *x;

    if (!http_library_open(err))
        return false;
    x = arena_alloc(&run->arena, sizeof(*x));
    x->run = run;
    x->multi = multi_for(run);
    x->started_mono = clock_mono_ms();
    x->result.max_bytes = run->conf->result_max;
    x->easy = curl_easy_init();
    if (x->easy == NULL)
        return err_set(err, ERR_RETRY, "no memory for a request");
    set_up(x);
    if (!send_to(x, run->handler->url, true, err)) {
        curl_easy_cleanup(x->easy);
        return false;
    }
    run->way = x;
    loop_timer_init(&x->timer, on_timer);
    x->timer.data = x;
    loop_timer_in(run->loop, &x->timer, run->handler->timeout_ms);
    return true;
}

static void
http_forget(struct run *run)
{
    run->way = NULL; /* all of it is in the run's arena */
}

/* Before the first job: opening the library takes a moment. */
static void
http_init(struct ev_loop *loop, const struct conf *conf)
{
    struct err err;

    (void)loop;
    for (size_t i = 0; i < conf->n_handlers; i++) {
        if (conf->handlers[i].way == CONF_HTTP && !http_library_open(&err)) {
            log_error("%s; their jobs wait", err.text);
            return;
        }
    }
}

static bool
http_check(const struct handler_conf *h, struct err *err)
{
    (void)h;
    return http_library_open(err);
}

const struct way way_http = {
    .init = http_init,
    .check = http_check,
    .start = http_start,
    .stop = http_stop,
    .kill = http_stop,
    .forget = http_forget,
};
