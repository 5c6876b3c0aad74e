#include "web_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define PATIENCE_MS 10000

/* --- the server ------------------------------------------------------------------------ */

static struct web *web;
static int news_fd;
static struct web_request *later; /* answered when ordered */
static struct web_stream *stream;
static ev_timer flood;

static void
tell(char what)
{
    if (write(news_fd, &what, 1) != 1)
        _exit(1);
}

static const char *
method_name(enum web_method method)
{
    return method == WEB_GET ? "GET" : method == WEB_POST ? "POST" : "DELETE";
}

static void
say_text(struct web_request *r, const struct buf *text)
{
    web_answer(r, 200, "text/plain", buf_text(text), text->len);
}

static void
answer_echo(struct web_request *r, UNUSED void *owner)
{
    AUTO(buf) struct buf text = {0};

    buf_printf(&text, "%s %s", method_name(web_method(r)), web_path(r));
    for (int i = 0; web_segment(r, i) != NULL; i++)
        buf_printf(&text, " [%s]", web_segment(r, i));
    say_text(r, &text);
}

static void
add_param(void *arg, const char *name, const char *value)
{
    buf_printf(arg, "%s=%s|", name, value);
}

static const char *
or_none(const char *text)
{
    return text != NULL ? text : "(none)";
}

static void
answer_query(struct web_request *r, UNUSED void *owner)
{
    AUTO(buf) struct buf text = {0};

    web_query_each(r, add_param, &text);
    buf_printf(&text, "first a: %s|", or_none(web_query(r, "a")));
    say_text(r, &text);
}

static void
answer_header(struct web_request *r, UNUSED void *owner)
{
    AUTO(buf) struct buf text = {0};

    buf_printf(&text, "%s, cookie %s", or_none(web_header(r, "x-asked")),
               or_none(web_cookie(r, "session")));
    say_text(r, &text);
}

static void
answer_peer(struct web_request *r, UNUSED void *owner)
{
    web_answer(r, 200, "text/plain", web_peer(r), strlen(web_peer(r)));
}

static void
answer_body(struct web_request *r, UNUSED void *owner)
{
    AUTO(buf) struct buf text = {0};
    size_t len, sum = 0;
    const char *body = web_body(r, &len);

    for (size_t i = 0; i < len; i++)
        sum += (unsigned char)body[i];
    buf_printf(&text, "%zu bytes, sum %zu, then %d", len, sum, body[len]);
    say_text(r, &text);
}

static void
answer_later(struct web_request *r, UNUSED void *owner)
{
    later = r;
    tell('l');
}

static void
answer_big(struct web_request *r, UNUSED void *owner)
{
    size_t len = strtoul(or_none(web_query(r, "n")), NULL, 10);
    char *text = xmalloc(len + 1);

    memset(text, 'x', len);
    web_answer(r, 200, "text/plain", text, len);
    free(text);
}

static void
on_gone(UNUSED void *arg)
{
    stream = NULL;
    ev_timer_stop(loop_get(), &flood);
    tell('g');
}

static void
answer_stream(struct web_request *r, UNUSED void *owner)
{
    web_add_header(r, "X-Accel-Buffering", "no");
    stream = web_stream(r, "text/event-stream", on_gone, NULL);
    web_stream_write(stream, "data: 1\n\n", 9);
    tell('s');
}

static void
answer_many_streams(struct web_request *r, UNUSED void *owner)
{
    web_stream(r, "text/event-stream", on_gone, NULL);
    tell('s');
}

static void
answer_counts(struct web_request *r, UNUSED void *owner)
{
    struct web_counts c;

    web_count(web, &c);
    web_answer(r, 200, "application/octet-stream", &c, sizeof(c));
}

static bool
before(struct web_request *r, UNUSED void *owner)
{
    web_add_header(r, "X-Before", "was here");
    if (web_query(r, "forbidden") == NULL)
        return false;
    web_answer_error(r, 403, "the hook says \"no\"");
    return true;
}

static const struct web_route routes[] = {
    {WEB_GET, "/echo", answer_echo, 0},
    {WEB_GET, "/", answer_echo, 0},
    {WEB_GET, "/item/{}", answer_echo, 0},
    {WEB_DELETE, "/item/{}", answer_echo, 0},
    {WEB_GET, "/item/{}/parts", answer_echo, 0},
    {WEB_GET, "/files/{...}", answer_echo, 0},
    {WEB_GET, "/query", answer_query, 0},
    {WEB_GET, "/header", answer_header, 0},
    {WEB_GET, "/peer", answer_peer, 0},
    {WEB_POST, "/body", answer_body, 0},
    {WEB_POST, "/small", answer_body, 10},
    {WEB_GET | WEB_POST, "/later", answer_later, 0},
    {WEB_GET, "/big", answer_big, 0},
    {WEB_GET, "/stream", answer_stream, 0},
    {WEB_GET, "/streams", answer_many_streams, 0},
    {WEB_GET, "/counts", answer_counts, 0},
};

static void
on_ended(UNUSED void *owner)
{
    tell('e');
}

static void
on_flood(struct ev_loop *loop, ev_timer *timer, UNUSED int events)
{
    static char text[65536];

    web_stream_write(stream, text, sizeof(text));
    loop_timer_in(loop, timer, 0);
}

static void
answer_now(const char *text)
{
    struct web_request *r = later;

    later = NULL;
    web_answer(r, 200, "text/plain", text, strlen(text));
}

static void
stream_now(void)
{
    struct web_request *r = later;

    later = NULL;
    web_stream_write(web_stream(r, "text/plain", on_gone, NULL), "s", 1);
}

/* More than the kernel keeps, less than the limit. */
static void
write_much(void)
{
    static char text[200000];
    size_t room = 4 << 20;

    for (; stream != NULL && room > 0 && web_stream_waiting(stream) == 0; room -= 1 << 16)
        web_stream_write(stream, text, 1 << 16);
}

static void
on_order(struct ev_loop *loop, ev_io *io, UNUSED int events)
{
    char what = 'q';

    if (read(io->fd, &what, 1) != 1)
        what = 'q';
    if (what == 'a')
        answer_now("late");
    else if (what == 's')
        stream_now();
    else if (what == 'w')
        web_stream_write(stream, "data: 2\n\n", 9);
    else if (what == 'm')
        write_much();
    else if (what == 'x')
        web_stream_end(stream);
    else if (what == 'f')
        loop_timer_in(loop, &flood, 0);
    else if (what == 'd')
        web_drain(web, on_ended);
    else if (what == 'q')
        ev_break(loop, EVBREAK_ALL);
}

static int
listen_at(const struct sockaddr *at, socklen_t len)
{
    int fd = socket(at->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || bind(fd, at, len) < 0 || listen(fd, 1024) < 0)
        abort();
    return fd;
}

static void NORETURN
serve(const struct web_options *options, const int fds[2], int orders_fd)
{
    struct web_options o = *options;
    struct err err;
    ev_io orders;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    log_set_level(LOG_LEVEL_ERROR);
    o.routes = routes;
    o.n_routes = LENGTH(routes);
    o.fds = fds;
    o.n_fds = 2;
    loop_timer_init(&flood, on_flood);
    if (!web_new(loop_after_fork(), &o, &web, &err))
        _exit(2);
    loop_io_init(&orders, on_order, orders_fd, EV_READ);
    ev_io_start(loop_get(), &orders);
    ev_run(loop_get(), 0);
    web_free(web);
    if (later != NULL)
        answer_now("nobody hears");
    exit(0); /* sanitizers look for what was not freed */
}

static void
limit_descriptors(int n)
{
    struct rlimit limit = {.rlim_cur = (rlim_t)n, .rlim_max = (rlim_t)n};

    if (n > 0)
        setrlimit(RLIMIT_NOFILE, &limit);
}

static struct web_options
usual(const struct web_options *o)
{
    struct web_options u = *o;

    u.before = before;
    u.connections_max = o->connections_max > 0 ? o->connections_max : 1000;
    u.header_max = o->header_max > 0 ? o->header_max : 16384;
    u.body_max = o->body_max > 0 ? o->body_max : 65536;
    u.request_ms = o->request_ms > 0 ? o->request_ms : 30000;
    u.idle_ms = o->idle_ms > 0 ? o->idle_ms : 60000;
    u.stream_buffer_max = o->stream_buffer_max > 0 ? o->stream_buffer_max : 262144;
    return u;
}

struct web_server
web_server_start(const struct web_options *options)
{
    return web_server_start_with(options, 0);
}

struct web_server
web_server_start_with(const struct web_options *options, int descriptors)
{
    struct web_server s = {0};
    struct sockaddr_in tcp = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    socklen_t len = sizeof(tcp);
    struct web_options o = usual(options);
    int orders[2], news[2], fds[2];

    snprintf(s.path, sizeof(s.path), "/tmp/test_web.%d.sock", (int)getpid());
    snprintf(un.sun_path, sizeof(un.sun_path), "%s", s.path);
    unlink(s.path);
    fds[0] = listen_at((struct sockaddr *)&tcp, sizeof(tcp));
    fds[1] = listen_at((struct sockaddr *)&un, sizeof(un));
    if (getsockname(fds[0], (struct sockaddr *)&tcp, &len) < 0 || pipe(orders) < 0 ||
        pipe(news) < 0)
        abort();
    s.port = ntohs(tcp.sin_port);
    s.pid = fork();
    if (s.pid == 0) {
        close(orders[1]);
        close(news[0]);
        news_fd = news[1];
        limit_descriptors(descriptors);
        serve(&o, fds, orders[0]);
    }
    close(orders[0]);
    close(news[1]);
    close(fds[0]);
    close(fds[1]);
    s.orders = orders[1];
    s.news = news[0];
    return s;
}

bool
web_server_stop(struct web_server *s)
{
    int status = 0;

    close(s->orders);
    waitpid(s->pid, &status, 0);
    close(s->news);
    unlink(s->path);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void
web_server_order(const struct web_server *s, char what)
{
    if (write(s->orders, &what, 1) != 1)
        abort();
}

bool
web_server_news(const struct web_server *s, char what)
{
    struct pollfd p = {.fd = s->news, .events = POLLIN};
    char c = '\0';

    return poll(&p, 1, PATIENCE_MS) == 1 && read(s->news, &c, 1) == 1 && c == what;
}

struct web_counts
web_server_counts(const struct web_server *s)
{
    static const char ask[] = "GET /counts HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    AUTO(buf) struct buf answer = {0};
    struct web_counts c = {0};
    int fd = web_client(s);

    web_client_send(fd, ask, strlen(ask));
    if (web_client_read(fd, &answer, NULL) && answer.len > sizeof(c))
        memcpy(&c, answer.data + answer.len - sizeof(c), sizeof(c));
    close(fd);
    return c;
}

/* --- clients --------------------------------------------------------------------------- */

static int
connect_to(const struct sockaddr *at, socklen_t len)
{
    struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    int bytes = 65536; /* who does not read keeps little */
    int fd = socket(at->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    if (fd < 0 || connect(fd, at, len) < 0)
        abort();
    return fd;
}

int
web_client(const struct web_server *s)
{
    struct sockaddr_in tcp = {.sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                              .sin_port = htons(s->port)};

    return connect_to((struct sockaddr *)&tcp, sizeof(tcp));
}

int
web_client_unix(const struct web_server *s)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};

    snprintf(un.sun_path, sizeof(un.sun_path), "%s", s->path);
    return connect_to((struct sockaddr *)&un, sizeof(un));
}

bool
web_client_send(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

bool
web_client_read(int fd, struct buf *ret, const char *until)
{
    int64_t end_ms = clock_mono_ms() + PATIENCE_MS;
    struct pollfd p = {.fd = fd, .events = POLLIN};

    buf_clear(ret);
    for (;;) {
        int64_t left_ms = end_ms - clock_mono_ms();
        ssize_t n;

        if (until != NULL && ret->len > 0 &&
            memmem(ret->data, ret->len, until, strlen(until)) != NULL)
            return true;
        if (left_ms <= 0 || poll(&p, 1, (int)left_ms) != 1)
            return false;
        n = recv(fd, buf_reserve(ret, 65536), 65536, 0);
        if (n <= 0) {
            buf_reserve(ret, 1)[0] = '\0';
            return until == NULL;
        }
        ret->len += (size_t)n;
        ret->data[ret->len] = '\0';
    }
}
