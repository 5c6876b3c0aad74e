/*
 * Bytes that somebody sends to the HTTP server: the real one, over a socket.  The first byte
 * says in which pieces.
 */
#include "fuzz.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/loop.h"
#include "web/web.h"

#define TURNS_MAX 200

static struct web *web;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static socklen_t address_len;
static int calls;

static void
must_be_text(const char *text)
{
    must(text != NULL && is_utf8(text, strlen(text)));
}

static void
look_at_param(UNUSED void *arg, const char *name, const char *value)
{
    must_be_text(name);
    must_be_text(value);
}

static void
look_at_header(const char *value)
{
    for (const char *p = value; p != NULL && *p != '\0'; p++)
        must((unsigned char)*p >= ' ' || *p == '\t');
}

static void
answer(struct web_request *r, UNUSED void *owner)
{
    size_t len;
    const char *body = web_body(r, &len);

    calls++;
    must(len <= 1000 && body[len] == '\0');
    must_be_text(web_path(r));
    must(web_path(r)[0] == '/');
    for (int i = 0; i < 2 && web_segment(r, i) != NULL; i++)
        must_be_text(web_segment(r, i));
    web_query_each(r, look_at_param, NULL);
    must(web_query(r, "a") == NULL || is_utf8(web_query(r, "a"), strlen(web_query(r, "a"))));
    look_at_header(web_header(r, "host"));
    look_at_header(web_header(r, "x"));
    look_at_header(web_cookie(r, "a"));
    web_answer(r, 200, "text/plain", web_path(r), strlen(web_path(r)));
}

static void
stream(struct web_request *r, UNUSED void *owner)
{
    struct web_stream *s = web_stream(r, "text/event-stream", NULL, NULL);

    web_stream_write(s, "data: 1\n\n", 9);
    web_stream_end(s);
}

static const struct web_route routes[] = {
    {WEB_GET, "/s", stream, 0},
    {WEB_GET | WEB_POST, "/a/{}/{}", answer, 0},
    {WEB_GET | WEB_POST | WEB_DELETE, "/{...}", answer, 0},
};

static void
begin(void)
{
    struct web_options o = {.routes = routes,
                            .n_routes = LENGTH(routes),
                            .connections_max = 16,
                            .header_max = 2000,
                            .body_max = 1000,
                            .request_ms = 60000,
                            .idle_ms = 60000,
                            .stream_buffer_max = 1 << 16};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct err err;

    /* An abstract name, chosen by the kernel. */
    if (bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)) < 0 || listen(fd, 16) < 0)
        abort();
    address_len = sizeof(address);
    getsockname(fd, (struct sockaddr *)&address, &address_len);
    o.fds = &fd;
    o.n_fds = 1;
    must(web_new(loop_get(), &o, &web, &err));
}

static void
turn(void)
{
    ev_run(loop_get(), EVRUN_NOWAIT);
}

/*
 * Lines that end with CR LF, none that begins with a blank: up to the empty one.  What has NULs
 * or a line that begins with a colon is not judged, see strict.c.
 */
static bool
is_strict_head(const char *data, size_t len)
{
    const char *end;

    if (memchr(data, '\0', len) != NULL || memmem(data, len, "\n:", 2) != NULL)
        return true;
    while (len > 0 && (*data == '\n' || (len > 1 && data[0] == '\r' && data[1] == '\n'))) {
        size_t n = *data == '\n' ? 1 : 2;

        data += n;
        len -= n;
    }
    end = memmem(data, len, "\r\n\r\n", 4);
    if (end == NULL)
        return false;
    for (const char *p = data; p < end; p++) {
        if ((*p == '\n' && p[-1] != '\r') || (*p == '\r' && p[1] != '\n'))
            return false;
        if (*p == '\n' && (p[1] == ' ' || p[1] == '\t'))
            return false;
    }
    return true;
}

/* What is said to it; the server is done when it has closed, or when we do. */
static void
hear(int fd)
{
    char answer[16] = "", rest[4096];
    size_t got = 0;

    for (int i = 0; i < TURNS_MAX; i++) {
        ssize_t n;

        turn();
        n = recv(fd, rest, sizeof(rest), MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            break;
        for (ssize_t k = 0; k < n && got < 9; k++)
            answer[got++] = rest[k];
        if (n < 0 && i > 20)
            break; /* it waits for more */
    }
    must(got == 0 || memcmp(answer, "HTTP/1.1 ", got < 9 ? got : 9) == 0);
}

static void
fuzz(const char *data, size_t len)
{
    struct input in = {data, len};
    size_t piece = take_byte(&in), at = 0;
    struct web_counts c;
    int fd;

    /* The end of a target within it: such a connection has to be waited for. */
    if (memmem(in.at, in.left, "\0HTTP/", 6) != NULL)
        return;
    if (web == NULL)
        begin();
    calls = 0;
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    must(connect(fd, (struct sockaddr *)&address, address_len) == 0);
    while (at < in.left) {
        size_t n = piece == 0 || in.left - at < piece ? in.left - at : piece;

        if (send(fd, in.at + at, n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
            break;
        at += n;
        turn();
    }
    shutdown(fd, SHUT_WR);
    hear(fd);
    close(fd);
    for (int i = 0; i < TURNS_MAX; i++) {
        web_count(web, &c);
        if (c.open == 0)
            break;
        turn();
    }
    must(c.open == 0 && c.streams == 0);
    must(calls == 0 || is_strict_head(in.at, in.left));
}
