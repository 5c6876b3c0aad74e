/*
 * Plays pgcrew for one program of pgcrew-handler(7), an example of contrib/handlers:
 * its frames are made and read by the code of the worker.
 *
 *   serve_driver [in_flight=N] [heartbeat] [deaf] [dies] -- PROGRAM [ARGUMENT]...
 *
 * in_flight, heartbeat: what it has to say in its hello.  deaf: it hears a cancellation only
 * between jobs.  dies: {"do": "crash"} is its end.
 */
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "serve/frame.h"
#include "tap.h"

#define PATIENCE_MS 20000 /* nothing takes so long; it ends a test that hangs */
#define CROWD 200
#define LONG_JOB "{\"do\": \"sleep\", \"ms\": 60000}"

/* --- what is expected ------------------------------------------------------------------ */

static int64_t in_flight = 1;
static bool heartbeat, deaf, dies;
static char **program;

/* --- the program ------------------------------------------------------------------------ */

static pid_t pid;
static int sock = -1;
static int log_fd; /* a file: what it has printed */
static int64_t last_ref;
static struct buf in;

static _Noreturn void
become_program(int theirs)
{
    int null = open("/dev/null", O_RDONLY);

    dup2(null, STDIN_FILENO);
    dup2(log_fd, STDOUT_FILENO);
    dup2(log_fd, STDERR_FILENO);
    if (theirs == 3)
        fcntl(theirs, F_SETFD, 0);
    else if (theirs >= 0)
        dup2(theirs, 3);
    for (int fd = 4; fd < 100; fd++)
        close(fd);
    if (theirs >= 0)
        setenv("PGCREW_HANDLER_FD", "3", 1);
    signal(SIGPIPE, SIG_DFL);
    execvp(program[0], program);
    perror(program[0]);
    _exit(127);
}

static void
tell(const struct buf *frames)
{
    /* When it is gone, that shows in what it does not say. */
    (void)!send(sock, frames->data, frames->len, MSG_NOSIGNAL);
}

static void
start(void)
{
    static const struct serve_terms terms = {"example", 8, 16 << 20, 1 << 20};
    int ends[2];
    struct buf out = {.data = NULL};

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        abort();
    pid = fork();
    if (pid == 0)
        become_program(ends[1]);
    close(ends[1]);
    sock = ends[0];
    last_ref = 0;
    buf_clear(&in);
    serve_put_hello(&out, &terms);
    tell(&out);
    buf_release(&out);
}

/* Its wait status; -1, and killed, when it did not end. */
static int
wait_for_end(void)
{
    int64_t until_mono = clock_mono_ms() + PATIENCE_MS;
    int status = -1;

    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (clock_mono_ms() > until_mono) {
            kill(pid, SIGKILL);
            waitpid(pid, NULL, 0);
            status = -1;
            break;
        }
        poll(NULL, 0, 5);
    }
    if (sock >= 0)
        close(sock);
    sock = -1;
    return status;
}

static bool
has_printed(const char *text)
{
    static char all[1 << 20];
    ssize_t len = pread(log_fd, all, sizeof(all) - 1, 0);

    all[len > 0 ? len : 0] = '\0';
    return strstr(all, text) != NULL;
}

/* --- what it says ------------------------------------------------------------------------ */

static struct serve_frame heard; /* its text is kept apart: */
static char heard_text[4 << 20];

static bool
take_frame(size_t body)
{
    struct err err;
    bool good = serve_read(in.data + SERVE_HEAD, body, &heard, &err);

    if (good) {
        size_t len = heard.text.len < sizeof(heard_text) ? heard.text.len : sizeof(heard_text) - 1;

        memcpy(heard_text, heard.text.data != NULL ? heard.text.data : "", len);
        heard_text[len] = '\0';
    } else {
        printf("# broke the protocol: %s\n", err.text);
    }
    buf_drop_front(&in, SERVE_HEAD + body);
    return good;
}

/* The next frame; false at the end of the stream, or when it broke the protocol. */
static bool
hear(void)
{
    int64_t until_mono = clock_mono_ms() + PATIENCE_MS;
    size_t body;

    for (;;) {
        enum serve_cut cut = serve_cut(in.data, in.len, (1 << 20) + (64 << 10), &body);
        struct pollfd p = {.fd = sock, .events = POLLIN};
        int64_t left_ms = until_mono - clock_mono_ms();
        ssize_t len;

        if (cut == SERVE_WHOLE)
            return take_frame(body);
        if (cut == SERVE_BAD)
            printf("# a frame of %zu bytes\n", body);
        if (cut == SERVE_BAD || left_ms <= 0 || poll(&p, 1, (int)left_ms) <= 0)
            return false;
        len = read(sock, buf_reserve(&in, 65536), 65536);
        if (len <= 0)
            return false;
        in.len += (size_t)len;
    }
}

/* Until this job has ended; what it said before is kept. */
static struct {
    float percent;
    char note[100], log[10000];
} told;

static bool
hear_end(int64_t ref)
{
    told.percent = -1;
    told.note[0] = told.log[0] = '\0';
    while (hear()) {
        if (heard.type == SERVE_PROGRESS && heard.job == ref) {
            told.percent = heard.percent;
            snprintf(told.note, sizeof(told.note), "%.99s", heard_text);
        } else if (heard.type == SERVE_LOG && heard.job == ref) {
            snprintf(told.log, sizeof(told.log), "%.9999s", heard_text);
        } else if (heard.type == SERVE_RESULT || heard.type == SERVE_FAILURE) {
            return heard.job == ref;
        }
    }
    return false;
}

/* --- jobs ---------------------------------------------------------------------------------- */

static int64_t
put_job(struct buf *out, const char *payload)
{
    struct job job = {.id = 4711,
                      .token = 99,
                      .kind = "example",
                      .queue = "default",
                      .attempt = 1,
                      .max_attempts = 5,
                      .batch_id = "",
                      .user_id = "",
                      .payload = payload,
                      .payload_len = strlen(payload)};

    serve_put_job(out, ++last_ref, &job, 60000, "00-0af7651916cd43dd8448eb211c80319c-b7ad-01");
    return last_ref;
}

static int64_t
give(const char *payload)
{
    struct buf out = {.data = NULL};
    int64_t ref = put_job(&out, payload);

    tell(&out);
    buf_release(&out);
    return ref;
}

static void
cancel(int64_t ref)
{
    struct buf out = {.data = NULL};

    serve_put_cancel(&out, ref, "cancelled");
    tell(&out);
    buf_release(&out);
}

static void
drain(void)
{
    struct buf out = {.data = NULL};

    serve_put_drain(&out);
    tell(&out);
    buf_release(&out);
}

static bool
beats(int64_t number)
{
    struct buf out = {.data = NULL};

    serve_put_heartbeat(&out, number);
    tell(&out);
    buf_release(&out);
    return hear() && heard.type == SERVE_HEARTBEAT && heard.number == number;
}

static bool
same_json(const char *got, const char *expected)
{
    json_t *a = json_loads(got, JSON_DECODE_ANY, NULL);
    json_t *b = json_loads(expected, JSON_DECODE_ANY, NULL);
    bool same = a != NULL && json_equal(a, b);

    json_decref(a);
    json_decref(b);
    return same;
}

static bool
results_in(const char *payload, const char *expected)
{
    return hear_end(give(payload)) && heard.type == SERVE_RESULT && same_json(heard_text, expected);
}

static bool
fails_as(const char *payload, enum serve_again again)
{
    return hear_end(give(payload)) && heard.type == SERVE_FAILURE && heard.again == again &&
           heard_text[0] != '\0';
}

static bool
adds(void)
{
    return results_in("{\"do\": \"add\", \"a\": 20, \"b\": 22}", "{\"sum\": 42}");
}

static bool
is_answered(int64_t ref)
{
    return hear_end(ref);
}

/* --- the tests -------------------------------------------------------------------------------- */

static void
test_hello(void)
{
    start();
    ok(hear() && heard.type == SERVE_HELLO, "its first frame is its hello");
    is_str(heard_text, "example 1.0", "with its name");
    is_int(heard.in_flight, in_flight, "and how many jobs it takes at once");
    is_int(heard.heartbeat, heartbeat, "and whether it answers heartbeats");
}

static void
test_results(void)
{
    static const char rich[] =
        "{\"do\": \"echo\", \"text\": \"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 \\\" \\\\ \\n \\u0001\","
        " \"big\": 9007199254740993, \"less\": -9007199254740993, \"half\": 0.5,"
        " \"yes\": true, \"no\": false, \"none\": null, \"empty\": {}, \"list\": [],"
        " \"deep\": {\"a\": [{\"b\": \"\"}]}}";
    AUTO(mem) char *large = malloc(1100000);

    ok(adds(), "a result");
    ok(results_in(rich, rich), "any JSON goes through unharmed, large numbers, too");
    snprintf(large, 1100000, "{\"do\": \"echo\", \"text\": \"%0*d\"}", 1000000, 0);
    ok(results_in(large, large), "so does a megabyte");
    ok(hear_end(give("{\"do\": \"facts\"}")) && heard.type == SERVE_RESULT, "facts of the job");
    has_str(heard_text, "4711", "with its id");
    has_str(heard_text, "\"example\"", "and its kind");
}

static void
test_failures(void)
{
    ok(fails_as("{\"do\": \"fail\"}", SERVE_RETRY), "a failure");
    is_str(heard_text, "not this time", "with its text");
    is_int(heard.wait_ms, -1, "and the usual wait");
    ok(fails_as("{\"do\": \"never\"}", SERVE_NEVER), "a failure for good");
    ok(fails_as("{\"do\": \"snooze\", \"ms\": 50}", SERVE_SNOOZE), "a snooze");
    is_int(heard.wait_ms, 50, "for so long");
    for (const char *const *p = (const char *const[]){"{}", "[]", "null", "5", "\"a\"", "", NULL};
         *p != NULL; p++)
        ok(hear_end(give(*p)) && heard.type == SERVE_FAILURE, "payload '%s' is a failure", *p);
    ok(adds(), "and the next job succeeds");
}

static void
test_crash(void)
{
    if (dies) {
        give("{\"do\": \"crash\"}");
        ok(!hear(), "a crash ends it without another word");
        ok(WIFSIGNALED(wait_for_end()), "by a signal");
        start();
        hear();
    } else {
        ok(fails_as("{\"do\": \"crash\"}", SERVE_RETRY), "a crash is a failure");
    }
    ok(adds(), "and the next job succeeds");
}

static void
test_words(void)
{
    ok(results_in("{\"do\": \"progress\"}", "{\"told\": 50}"), "a job that tells its progress");
    is_int(told.percent, 50, "a percentage");
    is_str(told.note, "half", "and a note");
    ok(hear_end(give("{\"do\": \"log\"}")) && heard.type == SERVE_RESULT, "a job that logs");
    is_str(told.log, "a line of the log", "its line");
    ok(has_printed("this is no result"), "what is printed is no result");
}

/* What version 1 has not, and how bytes may arrive. */
static void
test_stream(void)
{
    /* ["news", [1, "x", nil]], and a cancellation that is longer than those of now. */
    static const char news[] = "\0\0\0\x0b\x92\xa4news\x93\x01\xa1x\xc0";
    static const char longer[] = "\0\0\0\x11\x95\xa6\x63\x61ncel\0\xa4none\xc0\x91\x01";
    struct buf out = {.data = NULL};
    struct buf byte = {.len = 1};

    buf_add(&out, news, sizeof(news) - 1);
    buf_add(&out, longer, sizeof(longer) - 1);
    put_job(&out, "{\"do\": \"add\", \"a\": 1, \"b\": 2}");
    tell(&out);
    ok(is_answered(last_ref) && same_json(heard_text, "{\"sum\": 3}"),
       "frames and elements that it does not know are passed over");
    buf_clear(&out);
    put_job(&out, "{\"do\": \"add\", \"a\": 2, \"b\": 2}");
    for (size_t i = 0; i < out.len; i++) {
        byte.data = out.data + i;
        tell(&byte);
    }
    ok(is_answered(last_ref) && same_json(heard_text, "{\"sum\": 4}"), "a frame in many pieces");
    buf_release(&out);
}

static void
test_cancel(void)
{
    struct buf out = {.data = NULL};
    int64_t ref = put_job(&out, deaf ? "{\"do\": \"sleep\", \"ms\": 100}" : LONG_JOB);

    serve_put_cancel(&out, ref, "cancelled");
    tell(&out);
    ok(is_answered(ref), "a job that was cancelled at once is answered");
    buf_release(&out);
    ref = give(deaf ? "{\"do\": \"sleep\", \"ms\": 100}" : LONG_JOB);
    poll(NULL, 0, 50); /* mostly it runs then; either way it is answered */
    cancel(ref);
    ok(is_answered(ref), "so is one that runs");
    cancel(ref);
    ok(adds(), "a cancellation that comes too late harms no other");
}

static void
test_many(void)
{
    int64_t slow, quick;
    int results = 0;

    if (in_flight == 1)
        return;
    slow = give(LONG_JOB);
    quick = give("{\"do\": \"add\", \"a\": 3, \"b\": 4}");
    ok(is_answered(quick) && same_json(heard_text, "{\"sum\": 7}"),
       "one is done while another runs");
    ok(!heartbeat || beats(77), "a heartbeat is answered meanwhile");
    cancel(slow);
    ok(is_answered(slow) && heard.type == SERVE_FAILURE, "and the other can still be cancelled");
    for (int i = 0; i < CROWD; i++)
        give("{\"do\": \"progress\"}");
    while (results < CROWD && hear())
        results += heard.type == SERVE_RESULT;
    is_int(results, CROWD, "a crowd is answered in whole frames");
}

static void
test_drain(void)
{
    int64_t ref = give("{\"do\": \"sleep\", \"ms\": 200}");

    drain();
    ok(is_answered(ref) && heard.type == SERVE_RESULT, "drained, it finishes what it has in hand");
    ok(!hear(), "says no more");
    is_int(wait_for_end(), 0, "and exits with 0");
    start();
    hear();
    drain();
    is_int(wait_for_end(), 0, "so it does at once when it has nothing in hand");
    if (!heartbeat)
        return;
    start();
    hear();
    ref = give(LONG_JOB);
    drain();
    ok(beats(5), "drained, it still answers heartbeats");
    cancel(ref);
    ok(is_answered(ref), "and hears a cancellation");
    is_int(wait_for_end(), 0, "before it exits");
}

static void
test_ends(void)
{
    static const char quit[] = "\0\0\0\x06\x91\xa4quit";
    struct buf frame = {.data = (char[sizeof(quit)]){0}, .len = sizeof(quit) - 1};

    memcpy(frame.data, quit, sizeof(quit));
    start();
    hear();
    if (!deaf)
        give(LONG_JOB);
    tell(&frame);
    is_int(wait_for_end(), 0, "it quits when told so%s", deaf ? "" : ", whatever it has in hand");
    start();
    hear();
    if (!deaf)
        give(LONG_JOB);
    close(sock);
    sock = -1;
    is_int(wait_for_end(), 0, "it ends when pgcrew is gone");
    pid = fork();
    if (pid == 0)
        become_program(-1);
    ok(wait_for_end() > 0 && has_printed("pgcrew-handler(7)"), "started by hand it says why not");
}

static bool
read_arguments(int argc, char **argv)
{
    int i = 1;

    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        heartbeat |= strcmp(argv[i], "heartbeat") == 0;
        deaf |= strcmp(argv[i], "deaf") == 0;
        dies |= strcmp(argv[i], "dies") == 0;
        if (strncmp(argv[i], "in_flight=", 10) == 0)
            in_flight = atoi(argv[i] + 10);
    }
    program = argv + i + 1;
    return i + 1 < argc;
}

int
main(int argc, char **argv)
{
    static void (*const tests[])(void) = {test_hello, test_results, test_failures, test_crash,
                                          test_words, test_stream,  test_cancel,   test_many,
                                          test_drain, test_ends};
    FILE *log = tmpfile();

    if (!read_arguments(argc, argv) || log == NULL) {
        fprintf(stderr, "usage: serve_driver [WHAT]... -- PROGRAM [ARGUMENT]...\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    unsetenv("PGCREW_HANDLER_FD");
    log_fd = fileno(log);
    for (size_t i = 0; i < LENGTH(tests); i++)
        tests[i]();
    return done_testing();
}
