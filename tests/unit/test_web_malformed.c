/*
 * Requests that are wrong: each file of tests/web/malformed is one, its name begins with the
 * status that it gets; 000 is none at all.  Each is sent in one piece and byte by byte, to one
 * server, that has to answer a good request after it.
 *
 * A file may have a second request after the wrong one, hidden in its body by somebody's
 * reading: that it is never answered is what this is about.
 */
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap.h"
#include "web_server.h"

#define FOLDER "tests/web/malformed/"
#define AT_LEAST 100
/* Byte by byte, longer ones are sent by so many pieces. */
#define PIECES 600

static struct web_server server;

static bool
read_file(const char *path, struct buf *ret)
{
    AUTO(file) FILE *f = fopen(path, "r");
    size_t n;

    if (f == NULL)
        return false;
    do {
        n = fread(buf_reserve(ret, 4096), 1, 4096, f);
        ret->len += n;
    } while (n > 0);
    return true;
}

/* Send it on a connection of its own; returns that. */
static int
send_it(const struct buf *request, size_t piece)
{
    int fd = web_client(&server), on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    for (size_t at = 0; at < request->len; at += piece) {
        size_t left = request->len - at;

        web_client_send(fd, request->data + at, left < piece ? left : piece);
    }
    return fd;
}

/* What the server says: until it closes, or until there is an answer that does not say so. */
static bool
hear(int fd, struct buf *ret)
{
    AUTO(buf) struct buf rest = {0};

    if (!web_client_read(fd, ret, "\r\n\r\n"))
        return ret->len == 0;
    if (strstr(ret->data, "Connection: close\r\n") == NULL)
        return true;
    if (!web_client_read(fd, &rest, NULL))
        return false;
    buf_add(ret, buf_text(&rest), rest.len);
    return true;
}

static int
count(const struct buf *answer, const char *what)
{
    const char *at = answer->len > 0 ? answer->data : NULL, *end = buf_text(answer) + answer->len;
    int n = 0;

    while (at != NULL && (at = memmem(at, (size_t)(end - at), what, strlen(what))) != NULL) {
        at++;
        n++;
    }
    return n;
}

/*
 * What is wrong with the answer; "" is right.  libmicrohttpd 0.9 says the head of some of its own
 * refusals twice; another status than the first, or a second 200, is that of another request.
 */
static const char *
complaint(const struct buf *answer, const char *expected)
{
    static char text[512];
    char first[32];

    snprintf(first, sizeof(first), "HTTP/1.1 %.3s ", expected);
    *text = '\0';
    if (strncmp(expected, "000", 3) == 0 ? answer->len > 0
                                         : strncmp(buf_text(answer), first, strlen(first)) != 0)
        snprintf(text, sizeof(text), "answer is: %.300s", buf_text(answer));
    else if (count(answer, "HTTP/1.") != count(answer, first) ||
             (expected[0] == '2' && count(answer, first) > 1))
        snprintf(text, sizeof(text), "several answers: %.300s", buf_text(answer));
    return text;
}

static bool
lives(void)
{
    static const char good[] = "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    AUTO(buf) struct buf answer = {0};
    struct buf request = {.data = (char *)(uintptr_t)good, .len = sizeof(good) - 1};
    int fd = send_it(&request, request.len);
    bool heard = hear(fd, &answer);

    close(fd);
    return heard && count(&answer, "\r\n\r\nGET /echo") == 1;
}

/* Those without an answer: the server sees after a while only that nothing more comes. */
static struct silent {
    struct silent *next;
    int fd;
    const char *name;
} * silent;

static void
test_way(const char *name, const struct buf *request, size_t piece, const char *way)
{
    AUTO(buf) struct buf answer = {0};
    int fd = send_it(request, piece);

    if (strncmp(name, "000", 3) == 0) {
        struct silent *s = xmalloc(sizeof(*s));

        shutdown(fd, SHUT_WR);
        *s = (struct silent){.next = silent, .fd = fd, .name = name};
        silent = s;
        return;
    }
    ok(hear(fd, &answer), "%s %s is answered", name, way);
    is_str(complaint(&answer, name), "", "%s: as its name says", name);
    close(fd);
    ok(lives(), "and a good request after it");
}

static void
test_silent(void)
{
    while (silent != NULL) {
        AUTO(buf) struct buf answer = {0};
        struct silent *s = silent;

        ok(web_client_read(s->fd, &answer, NULL), "%s: the connection ends", s->name);
        is_int(answer.len, 0, "without an answer");
        close(s->fd);
        silent = s->next;
        free(s);
    }
    ok(lives(), "a good request is answered after them");
}

static void
test_file(const char *name)
{
    AUTO(buf) struct buf request = {0};
    AUTO(mem) char *path = xasprintf(FOLDER "%s", name);

    if (!ok(read_file(path, &request), "%s can be read", name))
        return;
    test_way(name, &request, request.len + 1, "in one piece");
    test_way(name, &request, request.len / PIECES + 1, "in bytes");
}

int
main(void)
{
    struct dirent **files;
    int n = scandir(FOLDER, &files, NULL, alphasort), tested = 0;

    server = web_server_start(&(struct web_options){0});
    for (int i = 0; i < n; i++) {
        if (files[i]->d_name[0] != '.') {
            test_file(files[i]->d_name);
            tested++;
        }
    }
    test_silent();
    for (int i = 0; i < n; i++)
        free(files[i]);
    if (n > 0)
        free(files);
    ok(tested >= AT_LEAST, "there are at least %d wrong requests: %d", AT_LEAST, tested);
    ok(web_server_stop(&server), "the server lived until it was told to end");
    return done_testing();
}
