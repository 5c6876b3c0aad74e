/*
 * The HTTP server, in a process of its own, and raw sockets as its clients: what is answered,
 * what is refused, who is cut.
 */
#include "web/web.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tap.h"
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
static const char *
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

int
main(void)
{
    struct web_server s = web_server_start(&(struct web_options){0});

    test_routes(&s);
    test_head(&s);
    test_query(&s);
    test_headers(&s);
    ok(web_server_stop(&s), "the server lived until it was told to end");
    return done_testing();
}
