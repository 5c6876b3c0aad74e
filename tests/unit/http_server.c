/*
 * A web server that behaves as its path says, for test_http and tests/system/2250-http.sh.
 *
 *   http_server --certs DIR                ca.pem, and good.pem, expired.pem, wrong.pem and
 *                                          other.pem (certificate and key) for --tls
 *   http_server --port-file F [--tls FILE] [--log DIR]
 *                                          serves on 127.0.0.1, a thread each connection;
 *                                          F gets the port, DIR a N.head and a N.body each
 *                                          request
 *
 * Behaviours are the rows at the end.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "http_certs.h"

#define HEAD_MAX 65536
#define GATE_S 30 /* who stands at a gate that does not open is let go */

struct conn {
    int fd;
    SSL *ssl; /* NULL: plain */
    char head[HEAD_MAX];
    size_t head_len; /* with the empty line */
    char *body;
    size_t body_len;
    const char *path; /* in head; what follows the name of the behaviour is its argument */
};

static SSL_CTX *tls;
static const char *log_dir;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_moved = PTHREAD_COND_INITIALIZER;
static long n_requests, n_connections, n_open, max_open, n_now, max_now;
static long at_gate, gates_opened;
static char **keys; /* Idempotency-Keys that were seen by /flaky */
static size_t n_keys;

static void
die(const char *what)
{
    fprintf(stderr, "http_server: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* --- bytes --------------------------------------------------------------------------- */

static ssize_t
take(struct conn *c, char *to, size_t max)
{
    return c->ssl != NULL ? SSL_read(c->ssl, to, (int)max) : read(c->fd, to, max);
}

static bool
give(struct conn *c, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = c->ssl != NULL ? SSL_write(c->ssl, data, (int)len)
                                   : send(c->fd, data, len, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

static bool
say(struct conn *c, const char *text)
{
    return give(c, text, strlen(text));
}

static bool
answer(struct conn *c, int status, const char *headers, const char *body, size_t len)
{
    char head[4096];
    int n = snprintf(head, sizeof(head), "HTTP/1.1 %d Whatever\r\nContent-Length: %zu\r\n%s\r\n",
                     status, len, headers);

    return give(c, head, (size_t)n) && give(c, body, len);
}

static bool
answer_text(struct conn *c, int status, const char *headers, const char *body)
{
    return answer(c, status, headers, body, strlen(body));
}

/* The value of a header of the request, "" when it has none. */
static void
header(const struct conn *c, const char *name, char *ret, size_t size)
{
    size_t len = strlen(name);

    ret[0] = '\0';
    for (const char *p = strstr(c->head, "\r\n"); p != NULL; p = strstr(p + 2, "\r\n")) {
        if (strncasecmp(p + 2, name, len) == 0 && p[2 + len] == ':') {
            p += 3 + len;
            p += strspn(p, " ");
            snprintf(ret, size, "%.*s", (int)strcspn(p, "\r"), p);
            return;
        }
    }
}

/* Until the other side has gone. */
static void
wait_for_end(struct conn *c)
{
    char ignored[4096];

    while (take(c, ignored, sizeof(ignored)) > 0)
        ;
}

static void
nap(long ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&t, NULL);
}

/* --- behaviours: false closes the connection ------------------------------------------ */

static bool
do_ok(struct conn *c, const char *arg)
{
    (void)arg;
    return answer_text(c, 200, "Content-Type: application/json\r\n", "{\"ok\": [1, 2.50]}\n");
}

static bool
do_text(struct conn *c, const char *arg)
{
    return answer_text(c, 200, "", arg);
}

static bool
do_empty(struct conn *c, const char *arg)
{
    (void)arg;
    return say(c, "HTTP/1.1 204 No Content\r\n\r\n");
}

/* What was sent: head and body. */
static bool
do_echo(struct conn *c, const char *arg)
{
    char *all = malloc(c->head_len + c->body_len);
    bool done;

    (void)arg;
    memcpy(all, c->head, c->head_len);
    memcpy(all + c->head_len, c->body, c->body_len);
    done = answer(c, 200, "", all, c->head_len + c->body_len);
    free(all);
    return done;
}

/* /tell/STATUS/HEADER: the value of that header. */
static bool
do_tell(struct conn *c, const char *arg)
{
    char value[HEAD_MAX];

    header(c, strchr(arg, '/') + 1, value, sizeof(value));
    return answer_text(c, atoi(arg), "", value);
}

static bool
do_size(struct conn *c, const char *arg)
{
    char text[32];

    (void)arg;
    snprintf(text, sizeof(text), "%zu", c->body_len);
    return answer_text(c, 200, "", text);
}

static bool
do_status(struct conn *c, const char *arg)
{
    return answer_text(c, atoi(arg), "", "\n  the \033first line\r\nthe second\n");
}

/* /retry-after/STATUS/VALUE, with + for a blank */
static bool
do_retry_after(struct conn *c, const char *arg)
{
    char headers[256];

    snprintf(headers, sizeof(headers), "Retry-After: %s\r\n", strchr(arg, '/') + 1);
    for (char *p = headers + 13; *p != '\0'; p++)
        *p = *p == '+' ? ' ' : *p;
    return answer_text(c, atoi(arg), headers, "busy\n");
}

/* /flaky/STATUS/SECONDS: so at the first sight of an Idempotency-Key, well after that. */
static bool
do_flaky(struct conn *c, const char *arg)
{
    char key[256];
    bool known = false;

    header(c, "Idempotency-Key", key, sizeof(key));
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < n_keys; i++)
        known |= strcmp(keys[i], key) == 0;
    if (!known) {
        keys = realloc(keys, (n_keys + 1) * sizeof(*keys));
        keys[n_keys++] = strdup(key);
    }
    pthread_mutex_unlock(&lock);
    return known ? do_ok(c, arg) : do_retry_after(c, arg);
}

static bool
do_redirect(struct conn *c, const char *arg)
{
    char headers[128];
    int n = atoi(arg);

    snprintf(headers, sizeof(headers), "Location: /redirect/%d\r\n", n - 1);
    return n > 0 ? answer_text(c, n % 2 != 0 ? 307 : 308, headers, "go on\n") : do_echo(c, arg);
}

static bool
redirect_to(struct conn *c, int status, const char *url)
{
    char headers[2048];

    snprintf(headers, sizeof(headers), "Location: %s\r\n", url);
    return answer_text(c, status, headers, "");
}

static bool
do_redirect_to(struct conn *c, const char *arg)
{
    return redirect_to(c, 307, arg);
}

static bool
do_redirect_loop(struct conn *c, const char *arg)
{
    (void)arg;
    return redirect_to(c, 308, "/redirect-loop");
}

static bool
do_moved(struct conn *c, const char *arg)
{
    return redirect_to(c, atoi(arg), "/ok");
}

static bool
do_bytes(struct conn *c, const char *arg)
{
    size_t len = strtoul(arg, NULL, 10);
    char *body = malloc(len + 1);
    bool done;

    memset(body, 'x', len);
    done = answer(c, 200, "", body, len);
    free(body);
    return done;
}

static bool
do_chunked(struct conn *c, const char *arg)
{
    bool done = say(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");

    for (int n = atoi(arg); done && n > 0; n--)
        done = say(c, "5\r\nxxxxx\r\n");
    return done && say(c, "0\r\n\r\n");
}

/* Says that so much will come, sends a little. */
static bool
do_length(struct conn *c, const char *arg)
{
    char head[128];

    snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\nxxxx", arg);
    say(c, head);
    wait_for_end(c);
    return false;
}

static bool
do_endless(struct conn *c, const char *arg)
{
    char head[64];

    snprintf(head, sizeof(head), "HTTP/1.1 %d OK\r\n\r\n", *arg != '\0' ? atoi(arg) : 200);
    if (say(c, head)) {
        while (say(c, "and so on and so on and so on and so on and so on and so on, "))
            ;
    }
    return false;
}

static bool
do_endless_headers(struct conn *c, const char *arg)
{
    (void)arg;
    if (say(c, "HTTP/1.1 200 OK\r\n")) {
        while (say(c, "X-Another: one and one and one and one and one and one more\r\n"))
            ;
    }
    return false;
}

static bool
do_long_header(struct conn *c, const char *arg)
{
    (void)arg;
    if (say(c, "HTTP/1.1 200 OK\r\nX-Long: ")) {
        while (say(c, "one and one and one and one and one and one and one and one and "))
            ;
    }
    return false;
}

static bool
do_drip(struct conn *c, const char *arg)
{
    (void)arg;
    if (say(c, "HTTP/1.1 200 OK\r\n\r\n")) {
        while (say(c, "."))
            nap(20);
    }
    return false;
}

static bool
do_slow(struct conn *c, const char *arg)
{
    (void)arg;
    wait_for_end(c);
    return false;
}

static bool
do_close(struct conn *c, const char *arg)
{
    (void)c;
    (void)arg;
    return false;
}

static bool
do_garbage(struct conn *c, const char *arg)
{
    (void)arg;
    say(c, "\001\002\003 this is no HTTP\r\n\r\nat all\r\n");
    return false;
}

static bool
do_cut(struct conn *c, const char *arg)
{
    (void)arg;
    say(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"ok\":");
    return false;
}

static bool
do_interim(struct conn *c, const char *arg)
{
    (void)arg;
    return say(c, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\nContent-Length: 99999999\r\n\r\n") &&
           do_ok(c, arg);
}

/* Nobody passes before N stand here. */
static bool
do_gate(struct conn *c, const char *arg)
{
    struct timespec until;
    long mine;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += GATE_S;
    pthread_mutex_lock(&lock);
    mine = gates_opened;
    if (++at_gate >= atol(arg)) {
        at_gate = 0;
        gates_opened++;
        pthread_cond_broadcast(&gate_moved);
    }
    while (mine == gates_opened && pthread_cond_timedwait(&gate_moved, &lock, &until) == 0)
        ;
    pthread_mutex_unlock(&lock);
    return do_ok(c, arg);
}

static bool
do_stats(struct conn *c, const char *arg)
{
    char text[256];

    (void)arg;
    pthread_mutex_lock(&lock);
    snprintf(text, sizeof(text),
             "{\"requests\": %ld, \"connections\": %ld, \"most_connections\": %ld, "
             "\"now\": %ld, \"most\": %ld}",
             n_requests, n_connections, max_open, n_now - 1, max_now);
    pthread_mutex_unlock(&lock);
    return answer_text(c, 200, "", text);
}

static const struct {
    const char *path;
    bool (*act)(struct conn *c, const char *arg);
} behaviours[] = {
    {"/ok", do_ok},
    {"/text/", do_text},
    {"/empty", do_empty},
    {"/echo", do_echo},
    {"/tell/", do_tell},
    {"/size", do_size},
    {"/status/", do_status},
    {"/retry-after/", do_retry_after},
    {"/flaky/", do_flaky},
    {"/redirect/", do_redirect},
    {"/redirect-to/", do_redirect_to},
    {"/redirect-loop", do_redirect_loop},
    {"/moved/", do_moved},
    {"/bytes/", do_bytes},
    {"/chunked/", do_chunked},
    {"/length/", do_length},
    {"/endless-headers", do_endless_headers},
    {"/endless", do_endless},
    {"/long-header", do_long_header},
    {"/drip", do_drip},
    {"/slow", do_slow},
    {"/close", do_close},
    {"/garbage", do_garbage},
    {"/cut", do_cut},
    {"/interim", do_interim},
    {"/gate/", do_gate},
    {"/stats", do_stats},
};

static bool
behave(struct conn *c)
{
    for (size_t i = 0; i < sizeof(behaviours) / sizeof(behaviours[0]); i++) {
        size_t len = strlen(behaviours[i].path);

        if (strncmp(c->path, behaviours[i].path, len) == 0)
            return behaviours[i].act(c, c->path + len + (c->path[len] == '/'));
    }
    return answer_text(c, 404, "", "no such behaviour\n");
}

/* --- requests ------------------------------------------------------------------------ */

static bool
read_body(struct conn *c, const char *rest, size_t rest_len)
{
    char length[32];

    header(c, "Content-Length", length, sizeof(length));
    c->body_len = strtoul(length, NULL, 10);
    c->body = realloc(c->body, c->body_len + 1);
    if (rest_len > c->body_len)
        return false; /* nobody of ours sends two at once */
    memcpy(c->body, rest, rest_len);
    while (rest_len < c->body_len) {
        ssize_t n = take(c, c->body + rest_len, c->body_len - rest_len);

        if (n <= 0)
            return false;
        rest_len += (size_t)n;
    }
    return true;
}

static bool
read_request(struct conn *c)
{
    static _Thread_local char first[HEAD_MAX];
    size_t len = 0;
    char *end;

    do {
        ssize_t n = take(c, first + len, sizeof(first) - 1 - len);

        if (n <= 0 || first[0] != 'P') /* TLS where there is none */
            return false;
        len += (size_t)n;
        first[len] = '\0';
    } while ((end = strstr(first, "\r\n\r\n")) == NULL);
    c->head_len = (size_t)(end - first) + 4;
    memcpy(c->head, first, c->head_len);
    c->head[c->head_len] = '\0';
    return read_body(c, first + c->head_len, len - c->head_len);
}

static void
write_file(long n, const char *what, const char *data, size_t len)
{
    char path[4096];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%ld.%s", log_dir, n, what);
    f = fopen(path, "we");
    if (f == NULL || fwrite(data, 1, len, f) != len || fclose(f) != 0)
        die(path);
}

static void
enter(const struct conn *c)
{
    long n;

    pthread_mutex_lock(&lock);
    n = ++n_requests;
    n_now++;
    if (n_now > max_now)
        max_now = n_now;
    pthread_mutex_unlock(&lock);
    if (log_dir != NULL) {
        write_file(n, "head", c->head, c->head_len);
        write_file(n, "body", c->body, c->body_len);
    }
}

static void
leave(void)
{
    pthread_mutex_lock(&lock);
    n_now--;
    pthread_mutex_unlock(&lock);
}

static bool
serve_one(struct conn *c)
{
    static _Thread_local char path[4096];
    const char *blank;
    bool stays;

    if (!read_request(c) || strncmp(c->head, "POST ", 5) != 0 ||
        (blank = strchr(c->head + 5, ' ')) == NULL)
        return false;
    snprintf(path, sizeof(path), "%.*s", (int)(blank - c->head - 5), c->head + 5);
    c->path = path;
    enter(c);
    stays = behave(c);
    leave();
    return stays;
}

static void
count_open(int more)
{
    pthread_mutex_lock(&lock);
    n_connections += more > 0;
    n_open += more;
    if (n_open > max_open)
        max_open = n_open;
    pthread_mutex_unlock(&lock);
}

static void *
serve(void *arg)
{
    struct conn *c = arg;

    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    count_open(1);
    if (tls != NULL) {
        c->ssl = SSL_new(tls);
        SSL_set_fd(c->ssl, c->fd);
    }
    if (c->ssl == NULL || SSL_accept(c->ssl) == 1) {
        while (serve_one(c))
            ;
    }
    if (c->ssl != NULL)
        SSL_shutdown(c->ssl);
    SSL_free(c->ssl);
    close(c->fd);
    count_open(-1);
    free(c->body);
    free(c);
    return NULL;
}

static int
listen_here(const char *port_file)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char fresh[4096];
    FILE *f;

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, 1024) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        die("listen");
    snprintf(fresh, sizeof(fresh), "%s.new", port_file);
    f = fopen(fresh, "we");
    if (f == NULL || fprintf(f, "%d\n", ntohs(address.sin_port)) < 0 || fclose(f) != 0 ||
        rename(fresh, port_file) < 0)
        die(port_file);
    return fd;
}

static void
serve_all(int fd)
{
    pthread_attr_t small;
    pthread_t thread;

    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 512 * 1024);
    pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
    for (;;) {
        struct conn *c = calloc(1, sizeof(*c));

        c->fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        if (c->fd < 0 || pthread_create(&thread, &small, serve, c) != 0)
            die("accept");
    }
}

static const char *
option(int argc, char **argv, const char *name)
{
    for (int i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], name) == 0)
            return argv[i + 1];
    }
    return NULL;
}

int
main(int argc, char **argv)
{
    const char *certs = option(argc, argv, "--certs"), *file = option(argc, argv, "--tls");
    const char *port_file = option(argc, argv, "--port-file");

    if (certs != NULL)
        return make_certs(certs) ? 0 : 1;
    if (port_file == NULL)
        return 2;
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    signal(SIGPIPE, SIG_IGN);
    log_dir = option(argc, argv, "--log");
    if (file != NULL) {
        tls = SSL_CTX_new(TLS_server_method());
        if (SSL_CTX_use_certificate_file(tls, file, SSL_FILETYPE_PEM) != 1 ||
            SSL_CTX_use_PrivateKey_file(tls, file, SSL_FILETYPE_PEM) != 1)
            die(file);
    }
    serve_all(listen_here(port_file));
}
