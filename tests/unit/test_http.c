/* Jobs as requests, against a real server on this host: http_server.c. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/proc.h"
#include "http/request.h"
#include "tap.h"
#include "trial.h"

#define N_SERVERS 5
#define MANY 200

static const char *const kinds_of_server[N_SERVERS] = {NULL, "good", "expired", "wrong", "other"};
static int ports[N_SERVERS];

/* --- a name server of our own ----------------------------------------------------------- */

/*
 * libcurl looks names up by this function.  Names of our own cannot be had from a
 * real name server everywhere, and one that does not answer nowhere.
 */
static pthread_mutex_t dns_lock = PTHREAD_MUTEX_INITIALIZER;

int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
            struct addrinfo **res)
{
    static __typeof__(getaddrinfo) *real;
    union {
        void *found;
        __typeof__(getaddrinfo) *function;
    } as = {.found = dlsym(RTLD_NEXT, "getaddrinfo")};

    real = as.function;
    if (strcmp(node, "stuck.test") == 0) {
        pthread_mutex_lock(&dns_lock); /* held by the test */
        pthread_mutex_unlock(&dns_lock);
    }
    if (strcmp(node, "rebound.test") == 0)
        node = "169.254.169.254";
    else if (strcmp(node, "six.test") == 0)
        node = "::1";
    else if (strcmp(node, "here.test") == 0)
        node = "127.0.0.1";
    return real(node, service, hints, res);
}

/* --- servers ---------------------------------------------------------------------------- */

static void
run_server(const char *const *args)
{
    union {
        const char *const *ours;
        char *const *theirs;
    } as = {.ours = args};
    pid_t pid;

    if (posix_spawn(&pid, args[0], NULL, NULL, as.theirs, environ) != 0)
        abort();
}

static bool
is_there(void *path)
{
    return access(path, R_OK) == 0;
}

static void
start_servers(void)
{
    char program[4096];
    ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 32);
    const char *folder = trial_path("");
    const char *const certs[] = {program, "--certs", folder, NULL};

    while (program[len - 1] != '/')
        len--;
    snprintf(program + len, sizeof(program) - (size_t)len, "http_server");
    run_server(certs);
    for (int i = 0; i < N_SERVERS; i++) {
        char file[64], pem[64];
        const char *port_file, *tls = NULL;
        FILE *f;

        snprintf(file, sizeof(file), "port%d", i);
        port_file = trial_path(file);
        if (kinds_of_server[i] != NULL) {
            snprintf(pem, sizeof(pem), "%s.pem", kinds_of_server[i]);
            tls = trial_path(pem);
        }
        if (!trial_until(is_there, (void *)(uintptr_t)trial_path("stranger.pem"), 10000))
            abort();
        run_server(
            (const char *[]){program, "--port-file", port_file, tls ? "--tls" : NULL, tls, NULL});
        if (!trial_until(is_there, (void *)(uintptr_t)port_file, 10000))
            abort();
        f = fopen(port_file, "re");
        if (f == NULL || fscanf(f, "%d", &ports[i]) != 1 || fclose(f) != 0)
            abort();
    }
}

/* --- trials ----------------------------------------------------------------------------- */

static const char *
url_at(const char *scheme, const char *host, int server, const char *path)
{
    static char urls[8][512];
    static unsigned next;
    char *url = urls[next++ % LENGTH(urls)];

    snprintf(url, sizeof(urls[0]), "%s://%s:%d%s", scheme, host, ports[server], path);
    return url;
}

static const char *
url_of(const char *path)
{
    return url_at("http", "127.0.0.1", 0, path);
}

static void
http_init(struct trial *t, const char *url)
{
    static const char *const none[] = {NULL};

    trial_init(t, "");
    t->conf.slots = MANY;
    t->handler.way = CONF_HTTP;
    t->handler.url = url;
    t->handler.headers = (struct conf_list){.items = none};
    t->handler.allow_local = CONF_YES;
    t->handler.response_max = 1 << 20;
}

static void
http_run(struct trial *t, const char *path)
{
    http_init(t, url_of(path));
    trial_start(t);
    trial_wait(t);
}

static void
ends(const char *path, enum run_cause cause, const char *result, const char *error,
     const char *what)
{
    struct trial t;

    http_run(&t, path);
    is_int(t.end.cause, cause, "%s: its cause", what);
    is_str(t.end.result, result, "%s: its result", what);
    is_str(t.end.error, error, "%s: its error", what);
    is_int(t.n_ended, 1, "%s: ended once", what);
    trial_release(&t);
}

static void
test_results(void)
{
    ends("/ok", RUN_OK, "{\"ok\": [1, 2.50]}", NULL, "JSON stays as it is");
    ends("/text/hello", RUN_OK, "\"hello\"", NULL, "text becomes a string");
    ends("/text/\\u0000", RUN_OK, "\"\\\\u0000\"", NULL, "so does what jsonb refuses");
    ends("/empty", RUN_OK, NULL, NULL, "204 is no result");
    ends("/text/", RUN_OK, NULL, NULL, "nothing is no result");
    ends("/chunked/3", RUN_OK, "\"xxxxxxxxxxxxxxx\"", NULL, "chunks are put together");
    ends("/interim", RUN_OK, "{\"ok\": [1, 2.50]}", NULL, "an interim answer is none");
    ends("/status/422", RUN_PERMANENT, NULL,
         "answered 422 Unprocessable Content: the \\x1bfirst line", "an error has its first line");
    ends("/status/500", RUN_FAILED, NULL, "answered 500 Internal Server Error: the \\x1bfirst line",
         "a failure too");
    ends("/moved/302", RUN_PERMANENT, NULL, "answered 302 Found", "a redirect by default");
    ends("/close", RUN_FAILED, NULL, "no answer: Empty reply from server", "no answer");
    ends("/cut", RUN_FAILED, NULL,
         "its answer broke off: transfer closed with 94 bytes remaining to read", "half an answer");
    ends("/garbage", RUN_FAILED, NULL, "no answer: Received HTTP/0.9 when not allowed", "garbage");
    ends("/no-such", RUN_PERMANENT, NULL, "answered 404 Not Found: no such behaviour", "404");
}

static void
test_busy(void)
{
    struct trial t;

    http_run(&t, "/retry-after/429/7");
    is_int(t.end.cause, RUN_TEMPFAIL, "429 is not charged");
    is_int(t.end.wait_ms, 7000, "and waits as long as it says");
    is_str(t.end.error, "answered 429 Too Many Requests: busy", "its error");
    trial_release(&t);
    http_run(&t, "/retry-after/503/Fri,+01+Jan+2100+00:00:00+GMT");
    is_int(t.end.cause, RUN_TEMPFAIL, "503 neither");
    is_int(t.end.wait_ms, 86400000, "a day at most");
    trial_release(&t);
    http_run(&t, "/status/503");
    is_int(t.end.wait_ms, -1, "without a time: as usual");
    trial_release(&t);
}

/* --- what is sent ------------------------------------------------------------------------ */

static const char *
echo(struct trial *t)
{
    http_init(t, url_of("/echo?a=b"));
    t->run.job.batch_id = "0b0c0d0e-0000-4000-8000-000000000001";
    t->run.job.kind = "m\xc3\xa4il\r\nX-Evil: 100%";
    return "";
}

static void
test_request(void)
{
    static const char *const configured[] = {"X-Plain:  some text ", "X-Empty:", "User-Agent: me",
                                             "X-Key: Bearer ${env:HTTP_KEY}", NULL};
    struct trial t;
    const char *got;

    setenv("HTTP_KEY", "k3y", 1);
    echo(&t);
    trial_start(&t);
    trial_wait(&t);
    got = t.end.result;
    has_str(got, "\"POST /echo?a=b HTTP/1.1\\r\\nHost: 127.0.0.1:", "it is a POST");
    has_str(got, "\\r\\n\\r\\n{\\\"a\\\": 1}\"", "with the payload as it is");
    has_str(got, "Content-Type: application/json\\r\\n", "and its type");
    has_str(got, "Content-Length: 8\\r\\n", "and its length");
    has_str(got, "User-Agent: pgcrew/", "the agent");
    has_str(got, "Idempotency-Key: pgcrew-5f3a-4711\\r\\n", "the key of the job");
    has_str(
        got,
        "Pgcrew-Job-Id: 4711\\r\\nPgcrew-Kind: m%C3%A4il%0D%0AX-Evil:%20100%25\\r\\n"
        "Pgcrew-Queue: default\\r\\nPgcrew-Attempt: 1\\r\\nPgcrew-Max-Attempts: 5\\r\\n"
        "Pgcrew-Batch-Id: 0b0c0d0e-0000-4000-8000-000000000001\\r\\nPgcrew-Timeout-Ms: 60000\\r\\n"
        "traceparent: 00-",
        "the facts of the job, encoded; no user, no header");
    ok(strstr(got, "Signature") == NULL, "no signature unasked");
    ok(strstr(got, "Expect") == NULL && strstr(got, "Cookie") == NULL, "nothing else");
    trial_release(&t);

    echo(&t);
    t.handler.headers = (struct conf_list){configured, 4};
    trial_start(&t);
    trial_wait(&t);
    got = t.end.result;
    has_str(got,
            "\\r\\nX-Plain: some text \\r\\nX-Empty:\\r\\nUser-Agent: me\\r\\n"
            "X-Key: Bearer k3y\\r\\n",
            "what the configuration adds");
    ok(strstr(got, "pgcrew/") == NULL, "and replaces");
    trial_release(&t);
}

static void
test_large_payload(void)
{
    char *payload = malloc(5000001);
    struct trial t;

    memset(payload, ' ', 5000000);
    payload[0] = '1';
    http_init(&t, url_of("/size"));
    t.run.job.payload = payload;
    t.run.job.payload_len = 5000000;
    trial_start(&t);
    trial_wait(&t);
    is_str(t.end.result, "5000000", "5 MB of payload arrive");
    ok(t.end.ran_ms < 900, "nobody waits for leave to send them");
    trial_release(&t);
    free(payload);
}

static void
test_signature(void)
{
    /* By openssl dgst -sha256 -hmac. */
    static const char *expected =
        "t=1700000000,v1=29e3e37db22e4fc8a25d4a1059e3ffa8b915b666aebe228c20c39c4a9a721a03";
    const struct http_secret key = {.data = "sesame", .len = 6};
    char text[HTTP_SIGNATURE_SIZE];
    struct trial t;

    http_request_sign(&key, 1700000000, "{\"a\": 1}", 8, text);
    is_str(text, expected, "a signature");
    http_init(&t, url_of("/tell/200/Pgcrew-Signature"));
    setenv("HTTP_KEY", "sesame", 1);
    t.handler.sign = "env:HTTP_KEY";
    trial_start(&t);
    trial_wait(&t);
    has_str(t.end.result, "\"t=", "is sent");
    has_str(t.end.result, ",v1=", "with its version");
    is_int(strlen(t.end.result), 2 + 2 + 10 + 4 + 64, "and its length");
    trial_release(&t);
}

/* --- secrets ----------------------------------------------------------------------------- */

static void
not_started(struct trial *t, const char *error, const char *what)
{
    struct err err = {.text = "it did start"};

    ok(!handler_start(&t->run, &err), "%s: does not start", what);
    is_int(err.class, ERR_CONFIG, "%s: a person has to act", what);
    is_str(err.text, error, "%s: says which", what);
    arena_release(&t->run.arena);
}

static void
test_missing_secrets(void)
{
    static const char *const missing[] = {"X-Key: ${env:HTTP_NONE}", NULL};
    static const char *const broken[] = {"X-Key: ${env:HTTP_LINES}", NULL};
    struct trial t;

    unsetenv("HTTP_NONE");
    setenv("HTTP_LINES", "planted\nX-Evil: 1", 1);
    http_init(&t, url_of("/ok"));
    t.handler.headers = (struct conf_list){missing, 1};
    not_started(&t, "header 'X-Key': no secret 'env:HTTP_NONE': it is not set", "no secret");
    http_init(&t, url_of("/ok"));
    t.handler.headers = (struct conf_list){broken, 1};
    not_started(&t, "header 'X-Key': secret 'env:HTTP_LINES' has control characters in it",
                "a secret of two lines");
    http_init(&t, url_of("/ok"));
    t.handler.sign = "credential:../x";
    not_started(&t, "sign: no secret 'credential:../x': that is no name of a credential",
                "no key to sign with");
}

/* The other side repeats what it was sent. */
static void
test_repeated_secrets(void)
{
    static const char *const configured[] = {"X-Key: Bearer ${env:HTTP_KEY}", NULL};
    static const char *const paths[] = {"/tell/200/X-Key", "/tell/400/X-Key"};
    struct trial t;

    setenv("HTTP_KEY", "planted-secret", 1);
    for (size_t i = 0; i < LENGTH(paths); i++) {
        http_init(&t, url_of(paths[i]));
        t.handler.headers = (struct conf_list){configured, 1};
        trial_start(&t);
        trial_wait(&t);
        is_str(i == 0 ? t.end.result : t.end.error,
               i == 0 ? "\"Bearer **************\""
                      : "answered 400 Bad Request: Bearer **************",
               "a secret that comes back is masked");
        trial_release(&t);
    }
    ok(strstr(trial_log(), "planted") == NULL, "and no log has it");
}

/* --- limits ------------------------------------------------------------------------------ */

static void
limited(const char *path, enum run_cause cause, const char *error, const char *what)
{
    struct trial t;

    http_init(&t, url_of(path));
    t.handler.response_max = 100000;
    trial_start(&t);
    trial_wait(&t);
    is_int(t.end.cause, cause, "%s: its cause", what);
    is_str(t.end.error, error, "%s: its error", what);
    trial_release(&t);
}

static void
test_limits(void)
{
    static const char *too_long = "its answer is longer than response_max allows (100000)";
    static const char *headers = "the headers of its answer are longer than 64 KiB";
    int64_t before = proc_rss_bytes(getpid());
    struct trial t;

    limited("/bytes/100000", RUN_OK, NULL, "as long as may be");
    limited("/bytes/100001", RUN_LIMIT, too_long, "a byte more");
    limited("/length/999999999999", RUN_LIMIT, too_long, "a length that is too much");
    limited("/chunked/20001", RUN_LIMIT, too_long, "more chunks than may be");
    limited("/endless", RUN_LIMIT, too_long, "an endless body");
    limited("/endless-headers", RUN_LIMIT, headers, "endless headers");
    http_run(&t, "/endless/500");
    is_int(t.end.cause, RUN_FAILED, "an endless error: its status counts");
    has_str(t.end.error, "answered 500 Internal Server Error: and so on and so on and so",
            "an endless error: its error");
    trial_release(&t);
    http_run(&t, "/long-header");
    is_int(t.end.cause, RUN_LIMIT, "a header without end: a limit");
    has_str(t.end.error, "header", "of headers");
    trial_release(&t);
    ok(proc_rss_bytes(getpid()) - before < 20 << 20, "the worker did not grow with it");

    http_init(&t, url_of("/bytes/5000"));
    t.conf.result_max = 2000;
    trial_start(&t);
    trial_wait(&t);
    has_str(t.end.result, "{\"pgcrew_truncated\": true, \"bytes\": 5000, \"head\": \"xxx",
            "of more than limits.result the head is kept");
    trial_release(&t);
}

static void
test_timeout(void)
{
    static const char *const paths[] = {"/slow", "/drip", "/length/1000"};
    struct trial t;

    for (size_t i = 0; i < LENGTH(paths); i++) {
        http_init(&t, url_of(paths[i]));
        t.handler.timeout_ms = 300;
        trial_start(&t);
        trial_wait(&t);
        is_int(t.end.cause, RUN_TIMEOUT, "%s meets its timeout", paths[i]);
        is_str(t.end.error, "ran longer than its timeout of 300 ms", "%s is told so", paths[i]);
        trial_release(&t);
    }
}

/* --- redirects --------------------------------------------------------------------------- */

static const char *
redirected(struct trial *t, const char *url, int redirects)
{
    http_init(t, url);
    t->handler.redirects = redirects;
    trial_start(t);
    trial_wait(t);
    return t->end.error;
}

static void
test_redirects(void)
{
    struct trial t;

    is_str(redirected(&t, url_of("/redirect/1"), 0),
           "answered 307 Temporary Redirect, which is not followed ('redirects' is 0)",
           "not unasked");
    is_int(t.end.cause, RUN_PERMANENT, "for good");
    trial_release(&t);
    redirected(&t, url_of("/redirect/3"), 3);
    is_int(t.end.cause, RUN_OK, "as many as are allowed");
    has_str(t.end.result, "\"POST /redirect/0 ", "a POST stays one");
    has_str(t.end.result, "\\r\\n\\r\\n{\\\"a\\\": 1}\"", "with its payload");
    has_str(t.end.result, "Pgcrew-Job-Id: 4711\\r\\n", "and its facts");
    trial_release(&t);
    is_str(redirected(&t, url_of("/redirect/4"), 3),
           "answered 307 Temporary Redirect, one redirect more than 'redirects' allows", "no more");
    trial_release(&t);
    is_str(redirected(&t, url_of("/redirect-loop"), 20),
           "answered 308 Permanent Redirect, one redirect more than 'redirects' allows",
           "a loop ends");
    trial_release(&t);
    is_str(redirected(&t, url_of("/moved/303"), 5), "answered 303 See Other",
           "what would make a GET of it is not followed");
    trial_release(&t);
    is_str(redirected(&t, url_of("/redirect-to/ftp://127.0.0.1/x"), 5),
           "answered 307 Temporary Redirect, which leads away from http", "nor is another scheme");
    trial_release(&t);
    is_str(redirected(&t, url_of("/redirect-to/file:///etc/passwd"), 5),
           "answered 307 Temporary Redirect, which leads to no URL", "nor is a file");
    trial_release(&t);
    is_str(redirected(&t, url_of("/redirect-to/http://"), 5),
           "answered 307 Temporary Redirect, which leads to no URL", "nor is what is no URL");
    trial_release(&t);
}

static void
test_redirect_to_stranger(void)
{
    static const char *const configured[] = {"Authorization: Bearer ${env:HTTP_KEY}",
                                             "X-Api-Key: ${env:HTTP_KEY}", NULL};
    struct trial t;
    char path[600];

    setenv("HTTP_KEY", "planted-secret", 1);
    snprintf(path, sizeof(path), "/redirect-to/%s", url_at("http", "here.test", 0, "/echo"));
    http_init(&t, url_of(path));
    t.handler.redirects = 1;
    t.handler.headers = (struct conf_list){configured, 2};
    t.handler.sign = "env:HTTP_KEY";
    trial_start(&t);
    trial_wait(&t);
    has_str(t.end.result, "Host: here.test:", "another host is reached");
    has_str(t.end.result, "Idempotency-Key: pgcrew-5f3a-4711\\r\\n", "it gets the job");
    ok(strstr(t.end.result, "Authorization") == NULL && strstr(t.end.result, "Api-Key") == NULL &&
           strstr(t.end.result, "****") == NULL && strstr(t.end.result, "Signature") == NULL,
       "but no header that was configured, and no signature");
    trial_release(&t);

    snprintf(path, sizeof(path), "/redirect-to/%s", url_of("/echo"));
    http_init(&t, url_of(path));
    t.handler.redirects = 1;
    t.handler.headers = (struct conf_list){configured, 2};
    t.handler.sign = "env:HTTP_KEY";
    trial_start(&t);
    trial_wait(&t);
    has_str(t.end.result, "Authorization: Bearer ****", "the same host gets them");
    has_str(t.end.result, "Pgcrew-Signature: t=", "and a signature");
    trial_release(&t);
}

/* --- addresses --------------------------------------------------------------------------- */

static void
refused(const char *url, const char *what, const char *how)
{
    struct trial t;
    char error[256];

    http_init(&t, url);
    t.handler.allow_local = CONF_NO;
    trial_start(&t);
    trial_wait(&t);
    snprintf(error, sizeof(error), "its URL leads to %s, which only 'allow_local: yes' allows",
             what);
    is_int(t.end.cause, RUN_NO_START, "%s: costs no attempt", how);
    is_str(t.end.error, error, "%s: refused", how);
    trial_release(&t);
}

static void
test_addresses(void)
{
    struct trial t;
    char path[600];

    http_run(&t, "/ok"); /* leaves a connection behind that must not be used */
    trial_release(&t);
    refused(url_of("/ok"), "a loopback address", "an address");
    refused(url_at("http", "2130706433", 0, "/ok"), "a loopback address", "one as a number");
    refused(url_at("http", "0", 0, "/ok"), "an unspecified address", "zero");
    refused(url_at("http", "[::1]", 0, "/ok"), "a loopback address", "IPv6");
    refused(url_at("http", "[::ffff:127.0.0.1]", 0, "/ok"), "a loopback address", "mapped");
    refused(url_at("http", "localhost", 0, "/ok"), "a loopback address", "a name");
    refused("http://rebound.test/latest/meta-data/", "a link-local address", "a name of DNS");
    refused("http://six.test/", "a loopback address", "a name of DNS in IPv6");

    /* The first hop goes over a connection that is there already: only the second is new. */
    http_run(&t, "/ok");
    trial_release(&t);
    snprintf(path, sizeof(path), "/redirect-to/%s", "http://rebound.test/");
    http_init(&t, url_of(path));
    t.handler.redirects = 1;
    trial_start(&t);
    t.handler.allow_local = CONF_NO;
    trial_wait(&t);
    is_int(t.end.cause, RUN_PERMANENT, "a redirect is what the other side says: for good");
    is_str(t.end.error,
           "was redirected to a link-local address, which only 'allow_local: yes' allows",
           "but it is looked at");
    trial_release(&t);
}

/* --- TLS --------------------------------------------------------------------------------- */

static const char *
tls_error(struct trial *t, int server, const char *host, const char *ca)
{
    http_init(t, url_at("https", host, server, "/ok"));
    t->handler.ca_file = ca != NULL ? trial_path(ca) : NULL;
    trial_start(t);
    trial_wait(t);
    return t->end.error;
}

static void
test_tls(void)
{
    struct trial t;

    is_str(tls_error(&t, 1, "localhost", "ca.pem"), NULL, "a good certificate");
    is_int(t.end.cause, RUN_OK, "is fine");
    trial_release(&t);
    is_str(tls_error(&t, 1, "127.0.0.1", "ca.pem"), NULL, "for an address, too");
    trial_release(&t);
    is_str(tls_error(&t, 1, "localhost", NULL),
           "no answer: SSL certificate problem: unable to get local issuer certificate",
           "nobody knows our authority");
    is_int(t.end.cause, RUN_FAILED, "tried again");
    trial_release(&t);
    is_str(tls_error(&t, 2, "localhost", "ca.pem"),
           "no answer: SSL certificate problem: certificate has expired", "an expired one");
    is_int(t.end.cause, RUN_FAILED, "tried again");
    trial_release(&t);
    has_str(tls_error(&t, 3, "localhost", "ca.pem"), "no alternative certificate subject name",
            "one of another host");
    is_int(t.end.cause, RUN_FAILED, "tried again");
    trial_release(&t);
    is_str(tls_error(&t, 4, "localhost", "ca.pem"),
           "no answer: SSL certificate problem: unable to get local issuer certificate",
           "one of another authority");
    trial_release(&t);
    is_str(tls_error(&t, 4, "localhost", "stranger.pem"), NULL, "which may be trusted instead");
    trial_release(&t);
    has_str(tls_error(&t, 1, "localhost", "none.pem"), "no answer: error setting certificate",
            "a ca_file that is missing");
    is_int(t.end.cause, RUN_NO_START, "is ours to mend");
    trial_release(&t);
    has_str(tls_error(&t, 0, "localhost", "ca.pem"), "no answer: ", "a server without TLS");
    is_int(t.end.cause, RUN_FAILED, "is no answer");
    trial_release(&t);
}

/* --- many, and early ends ---------------------------------------------------------------- */

static void
init_all(struct trial *all, size_t n, const char *path)
{
    for (size_t i = 0; i < n; i++)
        http_init(&all[i], url_of(path));
}

struct all {
    struct trial *trials;
    size_t n;
};

static bool
have_ended(void *what)
{
    const struct all *all = what;

    for (size_t i = 0; i < all->n; i++) {
        if (!all->trials[i].ended)
            return false;
    }
    return true;
}

static size_t
count(const struct all *all, enum run_cause cause)
{
    size_t n = 0;

    for (size_t i = 0; i < all->n; i++)
        n += all->trials[i].ended && all->trials[i].end.cause == cause;
    return n;
}

static void
release_all(struct all *all)
{
    for (size_t i = 0; i < all->n; i++)
        trial_release(&all->trials[i]);
}

static const char *
stat_of(const char *name)
{
    static char value[32];
    struct trial t;
    const char *p;

    http_run(&t, "/stats");
    p = strstr(t.end.result, name);
    snprintf(value, sizeof(value), "%d", p != NULL ? atoi(p + strlen(name) + 3) : -1);
    trial_release(&t);
    return value;
}

/* How many of 200 that wait for each other have ended well. */
static size_t
run_many(struct all *all, const char *url)
{
    int64_t before = proc_rss_bytes(getpid());
    size_t well;

    for (size_t i = 0; i < all->n; i++) {
        http_init(&all->trials[i], url);
        all->trials[i].handler.ca_file = trial_path("ca.pem");
        trial_start(&all->trials[i]);
    }
    trial_until(have_ended, all, 30000);
    printf("# %lld bytes of memory each\n",
           (long long)((proc_rss_bytes(getpid()) - before) / (int64_t)all->n));
    well = count(all, RUN_OK);
    release_all(all);
    return well;
}

static void
test_many(void)
{
    static struct trial trials[MANY];
    struct all all = {trials, MANY};
    long connections;

    is_int(run_many(&all, url_of("/gate/200")), MANY, "200 requests are under way at once");
    connections = atol(stat_of("\"connections"));
    is_int(run_many(&all, url_of("/gate/200")), MANY, "and again");
    ok(atol(stat_of("\"connections")) - connections <= 1, "over the same connections");
    is_int(run_many(&all, url_at("https", "localhost", 1, "/gate/200")), MANY, "with TLS, too");
}

static bool
are_under_way(void *n)
{
    return atol(stat_of("\"now")) == (long)*(const size_t *)n;
}

static void
test_stop(void)
{
    static struct trial trials[20];
    struct all all = {trials, LENGTH(trials)};
    size_t n = LENGTH(trials), none = 0;

    init_all(trials, n, "/slow");
    for (size_t i = 0; i < n; i++)
        trial_start(&trials[i]);
    ok(trial_until(are_under_way, &n, 10000), "20 requests are under way");
    for (size_t i = 0; i < n; i++) {
        handler_stop(&trials[i].run, RUN_CANCELLED);
        handler_kill(&trials[i].run, RUN_STOPPED);
        is_int(trials[i].n_ended, 0, "a stop tells nothing at once");
    }
    ok(trial_until(have_ended, &all, 1000), "but in the next turn");
    is_int(count(&all, RUN_CANCELLED), (int64_t)n, "with the first cause");
    is_str(trials[0].end.error, "was cancelled while it ran", "and says so");
    handler_stop(&trials[0].run, RUN_STOPPED);
    ok(trial_until(are_under_way, &none, 10000), "the server sees them go");
    for (size_t i = 0; i < n; i++)
        is_int(trials[i].n_ended, 1, "each ended once");
    release_all(&all);

    http_init(&trials[0], url_of("/slow"));
    trial_start(&trials[0]);
    handler_kill(&trials[0].run, RUN_STOPPED);
    trial_wait(&trials[0]);
    is_int(trials[0].end.cause, RUN_STOPPED, "before it has been sent, too");
    trial_release(&trials[0]);
}

/* A name server that does not answer holds up nobody. */
static void
test_stuck_dns(void)
{
    struct trial t, other;
    int64_t started_mono = clock_mono_ms();

    pthread_mutex_lock(&dns_lock);
    http_init(&t, "http://stuck.test/");
    trial_start(&t);
    http_run(&other, "/ok");
    is_int(other.end.cause, RUN_OK, "others go on while a name is looked up");
    trial_release(&other);
    handler_stop(&t.run, RUN_CANCELLED);
    trial_wait(&t);
    is_int(t.end.cause, RUN_CANCELLED, "who waits for it can be cancelled");
    trial_release(&t);
    http_init(&t, "http://stuck.test/");
    t.handler.timeout_ms = 100;
    trial_start(&t);
    trial_wait(&t);
    is_int(t.end.cause, RUN_TIMEOUT, "and meets its timeout");
    trial_release(&t);
    ok(clock_mono_ms() - started_mono < 8000, "none of it waits");
    pthread_mutex_unlock(&dns_lock);
}

static void
test_no_descriptors(void)
{
    struct rlimit old, none;
    struct trial t;

    getrlimit(RLIMIT_NOFILE, &old);
    none = old;
    none.rlim_cur = 3;
    http_init(&t, url_at("http", "localhost", 0, "/ok"));
    trial_start(&t);
    setrlimit(RLIMIT_NOFILE, &none);
    trial_wait(&t);
    setrlimit(RLIMIT_NOFILE, &old);
    is_int(t.end.cause, RUN_TEMPFAIL, "without descriptors: later");
    is_str(t.end.error, "no socket could be made: too many open files", "and why");
    trial_release(&t);
}

static void
test_leaks(void)
{
    size_t before;
    struct trial t;

    http_run(&t, "/ok");
    trial_release(&t);
    before = open_descriptors();
    for (int i = 0; i < 50; i++) {
        http_run(&t, i % 2 == 0 ? "/close" : "/endless");
        trial_release(&t);
    }
    ok(open_descriptors() <= before + 1, "no descriptor is left behind");
}

int
main(void)
{
    trials_begin();
    signal(SIGPIPE, SIG_IGN); /* as in the daemon */
    start_servers();
    test_results();
    test_busy();
    test_request();
    test_large_payload();
    test_signature();
    test_missing_secrets();
    test_repeated_secrets();
    test_limits();
    test_timeout();
    test_redirects();
    test_redirect_to_stranger();
    test_addresses();
    test_tls();
    test_many();
    test_stop();
    test_stuck_dns();
    test_no_descriptors();
    test_leaks();
    trials_end();
    return done_testing();
}
