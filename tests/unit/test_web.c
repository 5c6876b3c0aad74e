/*
 * The HTTP server, in a process of its own, and raw sockets as its clients: what is answered,
 * what is refused, who is cut.
 */
#include "web/web.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "tap.h"
#include "web/internal.h"
#include "web_server.h"

/* --- a client ------------------------------------------------------------------------ */

static struct buf got; /* what the last client has read */

static void
say(int fd, const char *text)
{
    web_client_send(fd, text, strlen(text));
}

/* All that comes until the server closes. */
static const char *
hear(int fd)
{
    web_client_read(fd, &got, NULL);
    return buf_text(&got);
}

/* One request on a connection of its own, closed by the server. */
__attribute__((format(printf, 2, 3))) static const char *
ask(const struct web_server *s, const char *format, ...)
{
    char text[8192];
    va_list args;
    int fd = web_client(s);

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    say(fd, text);
    hear(fd);
    close(fd);
    return buf_text(&got);
}

static int
status(const char *answer)
{
    return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? atoi(answer + 9) : 0;
}

static const char *
body(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");

    return end != NULL ? end + 4 : "";
}

#define LAST "Host: x\r\nConnection: close\r\n\r\n"

/* --- what is asked -------------------------------------------------------------------- */

static void
test_routes(const struct web_server *s)
{
    is_str(body(ask(s, "GET /echo HTTP/1.1\r\n" LAST)), "GET /echo", "a request is answered");
    is_int(status(buf_text(&got)), 200, "with 200");
    has_str(buf_text(&got), "Content-Type: text/plain\r\n", "and its type");
    is_str(body(ask(s, "GET /item/a%%20b/parts HTTP/1.1\r\n" LAST)), "GET /item/a b/parts [a b]",
           "segments are decoded");
    is_str(body(ask(s, "GET /item/a%%2Fb/parts HTTP/1.1\r\n" LAST)), "GET /item/a/b/parts [a/b]",
           "an encoded '/' does not part segments");
    is_int(status(ask(s, "GET /item//parts HTTP/1.1\r\n" LAST)), 404, "{} is not empty");
    is_str(body(ask(s, "GET /files/x/y.css HTTP/1.1\r\n" LAST)), "GET /files/x/y.css [x/y.css]",
           "the rest of a path");
    is_str(body(ask(s, "GET /files/ HTTP/1.1\r\n" LAST)), "GET /files/ []", "that may be empty");
    is_str(body(ask(s, "DELETE /item/1 HTTP/1.1\r\n" LAST)), "DELETE /item/1 [1]", "DELETE");
    is_int(status(ask(s, "GET /nothing HTTP/1.1\r\n" LAST)), 404, "no such path is 404");
    has_str(buf_text(&got), "application/json", "as JSON");
    has_str(buf_text(&got), "{\"code\":\"404\",\"message\":\"", "in the shape of PostgREST");
    is_int(status(ask(s, "POST /echo HTTP/1.1\r\nContent-Length: 0\r\n" LAST)), 405,
           "another method is 405");
    has_str(buf_text(&got), "Allow: GET, HEAD, OPTIONS\r\n", "with what is allowed");
    is_int(status(ask(s, "PATCH /item/1 HTTP/1.1\r\nContent-Length: 0\r\n" LAST)), 405,
           "so is a method that nobody has");
    has_str(buf_text(&got), "Allow: GET, HEAD, DELETE, OPTIONS\r\n",
            "all routes of the path count");
    is_int(status(ask(s, "OPTIONS /item/1 HTTP/1.1\r\n" LAST)), 204, "OPTIONS");
    has_str(buf_text(&got), "Allow: GET, HEAD, DELETE, OPTIONS\r\n", "says the same");
    is_int(status(ask(s, "OPTIONS * HTTP/1.1\r\n" LAST)), 204, "OPTIONS *");
}

static void
test_head(const struct web_server *s)
{
    is_int(status(ask(s, "HEAD /echo HTTP/1.1\r\n" LAST)), 200, "HEAD is answered as GET");
    has_str(buf_text(&got), "Content-Length: 9\r\n", "with its length");
    is_str(body(buf_text(&got)), "", "without its body");
}

static void
test_query(const struct web_server *s)
{
    is_str(
        body(ask(s, "GET /query?a=1&b=x+y%%26&a=2&c&=d&%%C3%%A9=%%E2%%82%%AC HTTP/1.1\r\n" LAST)),
        "a=1|b=x y&|a=2|c=|=d|\xc3\xa9=\xe2\x82\xac|first a: 1|", "the query is decoded");
    is_str(body(ask(s, "GET /query HTTP/1.1\r\n" LAST)), "first a: (none)|", "there may be none");
    is_str(body(ask(s, "GET /query? HTTP/1.1\r\n" LAST)), "first a: (none)|", "or an empty one");
    is_str(body(ask(s, "GET http://x/query?a=7 HTTP/1.1\r\n" LAST)), "a=7|first a: 7|",
           "the absolute form is the same");
    is_str(body(ask(s, "GET /query?&&a=&& HTTP/1.1\r\n" LAST)), "a=|first a: |", "empty pairs");
}

static void
test_headers(const struct web_server *s)
{
    is_str(body(ask(s, "GET /header HTTP/1.1\r\nX-ASKED:  yes \t\r\n" LAST)), "yes, cookie (none)",
           "a header in any case, without blanks around it");
    is_str(body(ask(s, "GET /header HTTP/1.1\r\nX-Asked: a\r\nX-Asked: b\r\n" LAST)),
           "(none), cookie (none)", "several that differ are none");
    is_str(body(ask(s, "GET /header HTTP/1.1\r\nX-Asked: a\r\nX-Asked: a\r\n" LAST)),
           "a, cookie (none)", "several that are the same are one");
    is_str(body(ask(s, "GET /header HTTP/1.1\r\nX-Asked:\r\n" LAST)), ", cookie (none)",
           "an empty one is not none");
    is_str(body(ask(s, "GET /header HTTP/1.1\r\nCookie: a=1; session=x=y; b=2\r\n" LAST)),
           "(none), cookie x=y", "a cookie");
    is_str(body(ask(s, "GET /header HTTP/1.1\r\nCookie: xsession=1; session2=2\r\n" LAST)),
           "(none), cookie (none)", "of this name only");
    is_str(body(ask(s, "GET /peer HTTP/1.1\r\n" LAST)), "127.0.0.1", "the peer is known");
}

/* --- bodies ----------------------------------------------------------------------------- */

#define TEN "ten bytes!"

static void
test_bodies(const struct web_server *s)
{
    is_str(body(ask(s, "POST /body HTTP/1.1\r\nContent-Length: 10\r\n" LAST TEN)),
           "10 bytes, sum 943, then 0", "a body arrives");
    is_str(body(ask(s, "POST /body HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" LAST
                       "3\r\nten\r\n07;x=y\r\n bytes!\r\n0\r\nX-After: 1\r\n\r\n")),
           "10 bytes, sum 943, then 0", "in chunks, too");
    is_str(body(ask(s, "POST /body HTTP/1.1\r\nContent-Length: 0\r\n" LAST)),
           "0 bytes, sum 0, then 0", "it may be empty");
    is_str(body(ask(s, "POST /body HTTP/1.1\r\n" LAST)), "0 bytes, sum 0, then 0", "or missing");
    is_str(body(ask(s, "POST /small HTTP/1.1\r\nContent-Length: 10\r\n" LAST TEN)),
           "10 bytes, sum 943, then 0", "a route has a limit of its own");
    is_int(status(ask(s, "POST /small HTTP/1.1\r\nContent-Length: 11\r\n" LAST)), 413,
           "what is above it is refused before it is sent");
    has_str(buf_text(&got), "X-Before: was here\r\n", "the hook was asked before");
    is_int(status(ask(s, "POST /body HTTP/1.1\r\nContent-Length: 65537\r\n" LAST)), 413,
           "so is what is above the limit of all");
    is_int(status(ask(s, "POST /body HTTP/1.1\r\nContent-Length: 18446744073709551617\r\n" LAST)),
           413, "and a number above all numbers");
    is_int(status(ask(s, "POST /small HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" LAST
                         "5\r\n12345\r\n6\r\n123456\r\n0\r\n\r\n")),
           413, "chunks are counted");
}

/* Who sends all of it before listening is answered, too. */
static void
test_refused_while_sending(const struct web_server *s)
{
    static char text[4 << 20];
    static const char *const heads[] = {"POST /body HTTP/1.1\r\nContent-Length: 4194304\r\n" LAST,
                                        "POST /body HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" LAST
                                        "400000\r\n"};

    for (size_t i = 0; i < LENGTH(heads); i++) {
        int fd = web_client(s);

        say(fd, heads[i]);
        ok(web_client_send(fd, text, sizeof(text)), "4 MiB can be sent");
        shutdown(fd, SHUT_WR);
        is_int(status(hear(fd)), 413, "and 413 is heard then");
        close(fd);
    }
}

static void
test_expect(const struct web_server *s)
{
    int fd = web_client(s);

    say(fd, "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n"
            "Connection: close\r\n\r\n");
    ok(web_client_read(fd, &got, "\r\n\r\n"), "who waits for 100");
    is_str(buf_text(&got), "HTTP/1.1 100 Continue\r\n\r\n", "gets it");
    say(fd, TEN);
    is_str(body(hear(fd)), "10 bytes, sum 943, then 0", "and then the answer");
    close(fd);
    is_int(status(ask(s, "POST /small HTTP/1.1\r\nContent-Length: 11\r\n"
                         "Expect: 100-continue\r\n" LAST)),
           413, "or no, at once");
    is_int(status(ask(s, "POST /body HTTP/1.1\r\nContent-Length: 11\r\nExpect: wonders\r\n" LAST)),
           417, "other expectations are refused");
}

/* --- connections ------------------------------------------------------------------------- */

static size_t
answers_in(const char *text)
{
    size_t n = 0;

    for (const char *p = text; (p = strstr(p, "HTTP/1.1 ")) != NULL; p++)
        n++;
    return n;
}

static void
test_keep_alive(const struct web_server *s)
{
    int fd = web_client(s);

    for (int i = 0; i < 3; i++) {
        say(fd, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
        ok(web_client_read(fd, &got, "GET /echo"), "request %d of a connection", i + 1);
    }
    say(fd, "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n" TEN);
    ok(web_client_read(fd, &got, "10 bytes"), "one with a body");
    say(fd, "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
    ok(web_client_read(fd, &got, "\"hint\":null}"), "an error does not end it");
    say(fd, "GET /echo HTTP/1.1\r\n" LAST);
    is_int(answers_in(hear(fd)), 1, "the client ends it");
    close(fd);

    fd = web_client(s);
    say(fd, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\nGET /item/1 HTTP/1.1\r\nHost: x\r\n\r\n"
            "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n" TEN
            "GET /item/2 HTTP/1.1\r\n" LAST);
    hear(fd);
    close(fd);
    is_int(answers_in(buf_text(&got)), 4, "requests that are sent at once are all answered");
    has_str(strstr(buf_text(&got), "/item/1"), "10 bytes", "in their order");
    has_str(strstr(buf_text(&got), "10 bytes"), "/item/2", "to the last");

    is_int(answers_in(ask(s, "POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "1\r\nx\r\n0\r\n\r\nGET /echo HTTP/1.1\r\nHost: x\r\n\r\n")),
           1, "after chunks nothing is read any more");
    is_str(body(ask(s, "GET /echo HTTP/1.0\r\n\r\n")), "GET /echo", "HTTP/1.0 needs no Host");
    fd = web_client_unix(s);
    say(fd, "GET /peer HTTP/1.1\r\n" LAST);
    is_str(body(hear(fd)), "unix", "over a Unix socket, too");
    close(fd);
}

/* What it said last and that it has left arrive together: one edge for the server. */
static void
test_leaving(const struct web_server *s)
{
    static const char *const last[] = {"GET /ec", "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"};

    for (size_t i = 0; i < LENGTH(last); i++) {
        int fd = web_client(s), stopped;

        say(fd, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
        ok(web_client_read(fd, &got, "GET /echo"), "a kept connection");
        kill(s->pid, SIGSTOP);
        waitpid(s->pid, &stopped, WUNTRACED);
        say(fd, last[i]);
        shutdown(fd, SHUT_WR);
        kill(s->pid, SIGCONT);
        ok(web_client_read(fd, &got, NULL), "ends when its client has left");
        is_int(answers_in(buf_text(&got)), i, "what was whole is answered before");
        close(fd);
    }
}

static void
test_byte_by_byte(const struct web_server *s)
{
    static const char text[] = "POST /body?x=1 HTTP/1.1\r\nContent-Length: 10\r\n"
                               "X-Long: 0123456789012345678901234567890123456789\r\n" LAST TEN;
    int fd = web_client(s), n = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &n, sizeof(n));
    for (const char *p = text; *p != '\0'; p++)
        web_client_send(fd, p, 1);
    is_str(body(hear(fd)), "10 bytes, sum 943, then 0", "a request may come byte by byte");
    close(fd);
}

static void
test_hook(const struct web_server *s)
{
    is_int(status(ask(s, "GET /echo?forbidden HTTP/1.1\r\n" LAST)), 403, "the hook answers");
    is_str(body(buf_text(&got)),
           "{\"code\":\"403\",\"message\":\"the hook says \\\"no\\\"\",\"details\":null,"
           "\"hint\":null}",
           "in JSON");
    has_str(ask(s, "GET /nothing HTTP/1.1\r\n" LAST), "X-Before: was here\r\n",
            "its headers are on errors, too");
}

static void
test_long_headers(const struct web_server *s)
{
    static char text[70000];

    for (size_t len = 16384 - 200; len < 65000; len = len * 5 / 4) {
        int fd = web_client(s);

        memset(text, 'x', sizeof(text) - 1);
        memcpy(text, "GET /echo HTTP/1.1\r\nX-Long: ", 28);
        web_client_send(fd, text, len);
        say(fd, "\r\n" LAST);
        is_int(status(hear(fd)), len < 16384 - 100 ? 200 : 431, "%zu bytes of header", len);
        close(fd);
    }
    memset(text, 'x', sizeof(text) - 1);
    memcpy(text, "GET /", 5);
    {
        int fd = web_client(s);

        web_client_send(fd, text, 60000);
        say(fd, " HTTP/1.1\r\n" LAST);
        is_int(status(hear(fd)), 414, "a target without end");
        close(fd);
    }
}

/* --- later ------------------------------------------------------------------------------- */

static void
test_later(const struct web_server *s)
{
    int fd = web_client(s);

    say(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\nGET /echo HTTP/1.1\r\n" LAST);
    ok(web_server_news(s, 'l'), "a handler returns without an answer");
    is_int(status(ask(s, "GET /echo HTTP/1.1\r\n" LAST)), 200, "others are served meanwhile");
    web_server_order(s, 'a');
    hear(fd);
    close(fd);
    has_str(buf_text(&got), "late", "it answers later");
    is_int(answers_in(buf_text(&got)), 2, "and the next request of the connection follows");

    fd = web_client(s);
    say(fd, "POST /later HTTP/1.1\r\nContent-Length: 10\r\n" LAST TEN);
    ok(web_server_news(s, 'l'), "another one");
    close(fd);
    is_int(status(ask(s, "GET /echo HTTP/1.1\r\n" LAST)), 200, "its client has left");
    web_server_order(s, 'a');
    is_int(status(ask(s, "GET /echo HTTP/1.1\r\n" LAST)), 200, "that does no harm");
}

/* --- streams ------------------------------------------------------------------------------- */

static void
test_streams(const struct web_server *s)
{
    int fd = web_client(s);

    say(fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    ok(web_client_read(fd, &got, "data: 1\n\n\r\n"), "a stream begins");
    ok(web_server_news(s, 's'), "the handler knows");
    is_int(status(buf_text(&got)), 200, "with 200");
    has_str(buf_text(&got), "Content-Type: text/event-stream\r\n", "its type");
    has_str(buf_text(&got), "X-Accel-Buffering: no\r\n", "and headers");
    has_str(buf_text(&got), "X-Before: was here\r\n", "those of the hook, too");
    web_server_order(s, 'w');
    ok(web_client_read(fd, &got, "data: 2\n\n\r\n"), "what is written arrives");
    is_int(web_server_counts(s).streams, 1, "one is counted");
    web_server_order(s, 'x');
    is_str(hear(fd), "0\r\n\r\n", "its end is one");
    close(fd);
    is_int(web_server_counts(s).streams, 0, "it is gone");

    fd = web_client(s);
    say(fd, "GET /stream HTTP/1.0\r\n\r\n");
    ok(web_server_news(s, 's') && web_client_read(fd, &got, "\r\n\r\ndata: 1\n\n"),
       "HTTP/1.0 has it without chunks");
    close(fd);
    ok(web_server_news(s, 'g'), "that the client leaves is seen");

    fd = web_client(s);
    say(fd, "HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    ok(web_server_news(s, 's'), "HEAD of a stream");
    is_str(body(hear(fd)), "", "has no body");
    close(fd);
    ok(web_server_news(s, 'g'), "and is over at once");

    fd = web_client(s);
    say(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    ok(web_server_news(s, 'l'), "a stream may begin later");
    web_server_order(s, 's');
    ok(web_client_read(fd, &got, "1\r\ns\r\n"), "it does");
    close(fd);
    ok(web_server_news(s, 'g'), "and ends");

    fd = web_client(s);
    say(fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    ok(web_server_news(s, 's'), "a client that does not read");
    web_server_order(s, 'f');
    ok(web_server_news(s, 'g'), "is cut when much is written");
    web_client_read(fd, &got, NULL);
    ok(got.len < 8 << 20, "what was kept for it was little");
    close(fd);
}

/* --- times -------------------------------------------------------------------------------- */

static void
test_slow_clients(void)
{
    struct web_server s =
        web_server_start(&(struct web_options){.request_ms = 400, .idle_ms = 1200});
    int fd = web_client(&s), idle = web_client(&s), kept = web_client(&s), unix_fd;

    say(fd, "GET /echo HT");
    is_int(status(hear(fd)), 408, "a part of a request is not waited for");
    close(fd);
    fd = web_client(&s);
    say(fd, "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nten");
    is_int(status(hear(fd)), 408, "nor a part of a body");
    close(fd);
    fd = web_client(&s);
    say(fd, "GET /later HTTP/1.1\r\n" LAST);
    ok(web_server_news(&s, 'l'), "a handler may take its time");
    say(kept, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    ok(web_client_read(kept, &got, "GET /echo"), "a connection is kept");
    is_str(hear(kept), "", "but not for ever");
    is_str(hear(idle), "", "nor is one that never asks");
    web_server_order(&s, 'a');
    is_str(body(hear(fd)), "late", "that was longer");
    close(fd);
    unix_fd = web_client_unix(&s);
    say(unix_fd, "G");
    is_str(hear(unix_fd), "", "over a Unix socket, too");
    close(unix_fd);
    close(idle);
    close(kept);
    ok(web_server_stop(&s), "the server lived until it was told to end");
}

static void
test_trickle(void)
{
    struct web_server s =
        web_server_start(&(struct web_options){.request_ms = 500, .idle_ms = 60000});
    int fds[] = {web_client(&s), web_client_unix(&s)};

    for (size_t i = 0; i < LENGTH(fds); i++) {
        struct pollfd p = {.fd = fds[i], .events = POLLIN};
        int n = 0;

        say(fds[i], "GET /echo HTTP/1.1\r\nX-Slow: ");
        for (; n < 1000 && poll(&p, 1, 20) == 0; n++)
            say(fds[i], "x");
        ok(n < 1000, "who sends a byte now and then is cut");
        is_int(status(hear(fds[i])), 408, "with 408");
        close(fds[i]);
    }
    ok(web_server_stop(&s), "the server lived until it was told to end");
}

/* Its answer is much and it takes little: it is cut. */
static void
test_slow_reader(void)
{
    struct web_server s =
        web_server_start(&(struct web_options){.request_ms = 200, .idle_ms = 400});
    int fd = web_client(&s);

    say(fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    ok(web_server_news(&s, 's'), "a stream");
    web_server_order(&s, 'm');
    ok(web_server_news(&s, 'g'), "whose client takes nothing is cut after a while");
    close(fd);
    fd = web_client(&s);
    say(fd, "GET /big?n=50000 HTTP/1.1\r\n" LAST);
    ok(strlen(body(hear(fd))) == 50000, "a long answer arrives whole");
    close(fd);
    ok(web_server_stop(&s), "the server lived until it was told to end");
}

/* --- how many ------------------------------------------------------------------------------ */

static void
test_connections_max(void)
{
    struct web_server s = web_server_start(&(struct web_options){.connections_max = 2});
    int a = web_client(&s), b = web_client(&s), c = web_client(&s);
    struct pollfd p = {.fd = c, .events = POLLIN};

    say(a, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    ok(web_server_news(&s, 's'), "a stream");
    say(b, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    ok(web_client_read(b, &got, "GET /echo"), "another connection");
    say(c, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    say(b, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    ok(web_client_read(b, &got, "GET /echo"), "they are served");
    is_int(poll(&p, 1, 0), 0, "one more than the most waits");
    close(b);
    ok(web_client_read(c, &got, "GET /echo"), "until another one ends");
    b = web_client(&s);
    say(b, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    close(a);
    ok(web_server_news(&s, 'g') && web_client_read(b, &got, "GET /echo"), "or a stream");
    close(b);
    close(c);
    ok(web_server_stop(&s), "the server lived until it was told to end");
}

static void
test_no_descriptors(void)
{
    struct web_server s = web_server_start_with(&(struct web_options){0}, 24);
    int fds[30], n = 0;
    struct timespec cpu;
    clockid_t clock;

    clock_getcpuclockid(s.pid, &clock);
    for (; n < 30; n++)
        fds[n] = web_client(&s);
    say(fds[0], "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    ok(web_client_read(fds[0], &got, "GET /echo"), "without descriptors the first are served");
    say(fds[29], "GET /echo HTTP/1.1\r\n" LAST);
    for (int i = 0; i < 20; i++)
        close(fds[i]);
    is_str(body(hear(fds[29])), "GET /echo", "the last are when others have ended");
    clock_gettime(clock, &cpu);
    ok(cpu.tv_sec == 0, "the loop was not busy with it");
    for (int i = 20; i < 30; i++)
        close(fds[i]);
    ok(web_server_stop(&s), "the server lived until it was told to end");
}

/* --- addresses: 127.0.0.1 is not counted, so without sockets ------------------------------- */

static bool
takes(struct web *w, const char *text, struct peer **ret)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return peer_take(w, (const struct sockaddr *)&v4, ret);
    inet_pton(AF_INET6, text, &v6.sin6_addr);
    return peer_take(w, (const struct sockaddr *)&v6, ret);
}

static void
test_addresses(void)
{
    static const char *const uncounted[] = {"127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"};
    static const char *const same[][2] = {{"192.0.2.1", "192.0.2.1"},
                                          {"192.0.2.1", "::ffff:192.0.2.1"},
                                          {"2001:db8::1", "2001:db8::ffff:1"}};
    struct web w = {.options.per_address_max = 2};
    const struct sockaddr un = {.sa_family = AF_UNIX};
    struct peer *p[4];
    int n = 0;

    for (size_t i = 0; i < LENGTH(uncounted); i++)
        ok(takes(&w, uncounted[i], &p[0]) && p[0] == NULL, "%s is not counted", uncounted[i]);
    ok(peer_take(&w, &un, &p[0]) && p[0] == NULL, "nor is a Unix socket");
    for (size_t i = 0; i < LENGTH(same); i++) {
        ok(takes(&w, same[i][0], &p[0]) && takes(&w, same[i][1], &p[1]), "%s twice", same[i][0]);
        ok(!takes(&w, same[i][0], &p[3]) && !takes(&w, same[i][1], &p[3]), "but not three times");
        ok(takes(&w, "192.0.2.2", &p[2]), "another address is another");
        peer_drop(&w, p[2]);
        peer_drop(&w, p[1]);
        ok(takes(&w, same[i][1], &p[1]), "when one has ended, one more is fine");
        peer_drop(&w, p[0]);
        peer_drop(&w, p[1]);
    }
    ok(takes(&w, "2001:db8:0:1::1", &p[0]) && takes(&w, "2001:db8:0:2::1", &p[1]) && p[0] != p[1],
       "another /64 is another");
    peer_drop(&w, p[0]);
    peer_drop(&w, p[1]);
    for (int i = 0; i < PEER_SLOTS; i++)
        n += w.peers[i] != NULL;
    is_int(n, 0, "nothing is kept of who has left");
}

/* --- draining ------------------------------------------------------------------------------ */

static void
test_drain(void)
{
    struct web_server s = web_server_start(&(struct web_options){0});
    int idle = web_client(&s), stream = web_client(&s), later = web_client(&s),
        part = web_client(&s);

    say(idle, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    ok(web_client_read(idle, &got, "GET /echo"), "an idle connection");
    say(stream, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    ok(web_server_news(&s, 's'), "a stream");
    say(later, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    ok(web_server_news(&s, 'l'), "a request under way");
    say(part, "GET /echo HTTP/1.1\r\nHost: x");
    is_int(status(ask(&s, "GET /echo HTTP/1.1\r\n" LAST)), 200, "half a request");
    web_server_order(&s, 'd');
    is_str(hear(idle), "", "the server drains: the idle one is closed");
    ok(web_server_news(&s, 'g'), "the stream has gone");
    has_str(hear(stream), "0\r\n\r\n", "with an end");
    web_server_order(&s, 'a');
    has_str(hear(later), "late", "what is under way is answered");
    has_str(buf_text(&got), "Connection: close\r\n", "as the last");
    close(part);
    ok(web_server_news(&s, 'e'), "then it has ended");
    close(idle);
    close(stream);
    close(later);
    ok(web_server_stop(&s), "the server lived until it was told to end");

    s = web_server_start(&(struct web_options){0});
    web_server_order(&s, 'd');
    ok(web_server_news(&s, 'e'), "without connections it ends at once");
    ok(web_server_stop(&s), "the server lived until it was told to end");
}

/* What is under way when the server is freed. */
static void
test_free(void)
{
    struct web_server s = web_server_start(&(struct web_options){0});
    int fds[] = {web_client(&s), web_client(&s), web_client(&s), web_client(&s)};

    say(fds[0], "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    ok(web_server_news(&s, 's'), "a stream");
    say(fds[1], "GET /later HTTP/1.1\r\nHost: x\r\n\r\nGET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    ok(web_server_news(&s, 'l'), "a request under way");
    say(fds[2], "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nten");
    is_int(status(ask(&s, "GET /echo HTTP/1.1\r\n" LAST)), 200, "half a request");
    ok(web_server_stop(&s), "the server ends and leaves nothing behind");
    for (size_t i = 0; i < LENGTH(fds); i++)
        close(fds[i]);
}

int
main(void)
{
    struct web_server s = web_server_start(&(struct web_options){0});

    test_routes(&s);
    test_head(&s);
    test_query(&s);
    test_headers(&s);
    test_bodies(&s);
    test_refused_while_sending(&s);
    test_expect(&s);
    test_keep_alive(&s);
    test_leaving(&s);
    test_byte_by_byte(&s);
    test_hook(&s);
    test_long_headers(&s);
    test_later(&s);
    test_streams(&s);
    ok(web_server_stop(&s), "the server lived until it was told to end");
    test_slow_clients();
    test_trickle();
    test_slow_reader();
    test_connections_max();
    test_no_descriptors();
    test_addresses();
    test_drain();
    test_free();
    return done_testing();
}
