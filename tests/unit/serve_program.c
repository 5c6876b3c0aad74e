/*
 * A program for test_serve and the system tests: the job's payload says what it
 * does, the arguments how it begins.
 *
 *   in_flight=N  heartbeat  name=TEXT
 *   no-hello  early-result  version=N  hello-twice  exit=N  cry=TEXT (and exit 1)
 *   unless=FILE (exit 7 while it is there)
 *
 * Written for tests: it stops at the first thing it does not expect.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/pack.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wcast-align"
#pragma GCC diagnostic ignored "-Wundef"
#include <msgpack.h>
#pragma GCC diagnostic pop

#define MOST_HELD 100

static struct buf in, out;
static int64_t held[MOST_HELD];
static size_t n_held;
static bool deaf, draining;
static int64_t in_flight = 1, version = 1;
static const char *name;
static bool heartbeat;

/* --- frames -------------------------------------------------------------------------- */

static void
flush_out(void)
{
    for (size_t done = 0; done < out.len;) {
        ssize_t n = write(3, out.data + done, out.len - done);

        if (n <= 0)
            exit(0); /* pgcrew is gone */
        done += (size_t)n;
    }
    buf_clear(&out);
}

static int
append(void *buf, const char *data, size_t len)
{
    buf_add(buf, data, len);
    return 0;
}

static void
add_frame(const char *body, size_t len)
{
    const char head[] = {(char)(len >> 24), (char)(len >> 16), (char)(len >> 8), (char)len};

    buf_add(&out, head, sizeof(head));
    buf_add(&out, body, len);
}

static void
text(msgpack_packer *pk, const char *s)
{
    if (s == NULL)
        msgpack_pack_nil(pk);
    else
        msgpack_pack_str_with_body(pk, s, strlen(s));
}

/* ["type", job, "text" or nil] */
static void
say(const char *type, int64_t job, const char *what)
{
    struct buf body = {.data = NULL};
    msgpack_packer pk;

    msgpack_packer_init(&pk, &body, append);
    msgpack_pack_array(&pk, 3);
    text(&pk, type);
    if (job < 0)
        msgpack_pack_nil(&pk);
    else
        msgpack_pack_int64(&pk, job);
    text(&pk, what);
    add_frame(body.data, body.len);
    buf_release(&body);
}

static void
say_failure(int64_t job, const char *error, const char *again, int64_t wait_ms)
{
    struct buf body = {.data = NULL};
    msgpack_packer pk;

    msgpack_packer_init(&pk, &body, append);
    msgpack_pack_array(&pk, 3);
    text(&pk, "failure");
    msgpack_pack_int64(&pk, job);
    msgpack_pack_map(&pk, wait_ms < 0 ? 2 : 3);
    text(&pk, "error");
    text(&pk, error);
    text(&pk, "again");
    text(&pk, again);
    if (wait_ms >= 0) {
        text(&pk, "wait_ms");
        msgpack_pack_int64(&pk, wait_ms);
    }
    add_frame(body.data, body.len);
    buf_release(&body);
}

static void
say_progress(int64_t job, double percent, const char *note)
{
    struct buf body = {.data = NULL};
    msgpack_packer pk;

    msgpack_packer_init(&pk, &body, append);
    msgpack_pack_array(&pk, 4);
    text(&pk, "progress");
    msgpack_pack_int64(&pk, job);
    if (percent < -1000)
        msgpack_pack_nil(&pk);
    else
        msgpack_pack_double(&pk, percent);
    text(&pk, note);
    add_frame(body.data, body.len);
    buf_release(&body);
}

static void
say_number(const char *type, int64_t number)
{
    struct buf body = {.data = NULL};
    msgpack_packer pk;

    msgpack_packer_init(&pk, &body, append);
    msgpack_pack_array(&pk, 2);
    text(&pk, type);
    msgpack_pack_int64(&pk, number);
    add_frame(body.data, body.len);
    buf_release(&body);
}

static void
say_hello(void)
{
    struct buf body = {.data = NULL};
    msgpack_packer pk;

    msgpack_packer_init(&pk, &body, append);
    msgpack_pack_array(&pk, 3); /* the last one is of a later version */
    text(&pk, "hello");
    msgpack_pack_map(&pk, 5);
    text(&pk, "version");
    msgpack_pack_int64(&pk, version);
    text(&pk, "name");
    text(&pk, name);
    text(&pk, "in_flight");
    msgpack_pack_int64(&pk, in_flight);
    text(&pk, "heartbeat");
    heartbeat ? msgpack_pack_true(&pk) : msgpack_pack_false(&pk);
    text(&pk, "colour");
    text(&pk, "green");
    msgpack_pack_array(&pk, 0);
    add_frame(body.data, body.len);
    buf_release(&body);
}

/* --- what a job can ask for ------------------------------------------------------------ */

static void
sleep_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static void
note_pid(void)
{
    FILE *f = fopen(getenv("PIDS") != NULL ? getenv("PIDS") : "/dev/null", "ae");

    fprintf(f, "%d\n", (int)getpid());
    fclose(f);
}

static void
do_echo(int64_t job, const char *arg)
{
    say("result", job, arg);
}

static void
do_nothing(int64_t job, const char *arg)
{
    (void)arg;
    say("result", job, NULL);
}

static void
do_fail(int64_t job, const char *arg)
{
    say_failure(job, arg, "retry", -1);
}

static void
do_never(int64_t job, const char *arg)
{
    say_failure(job, arg, "never", -1);
}

static void
do_snooze(int64_t job, const char *arg)
{
    say_failure(job, "not now", "snooze", atoi(arg));
}

static void
do_retry(int64_t job, const char *arg)
{
    say_failure(job, "again", "retry", atoi(arg));
}

static void
do_exit(int64_t job, const char *arg)
{
    (void)job;
    flush_out();
    exit(atoi(arg));
}

static void
do_signal(int64_t job, const char *arg)
{
    (void)job;
    flush_out();
    kill(getpid(), atoi(arg));
}

static void
do_hold(int64_t job, const char *arg)
{
    (void)arg;
    if (n_held < MOST_HELD)
        held[n_held++] = job;
    say_progress(job, 1, "held");
}

static void
do_deaf(int64_t job, const char *arg)
{
    deaf = true;
    do_hold(job, arg);
}

/* The last that came is answered first. */
static void
do_release(int64_t job, const char *arg)
{
    char number[32];

    (void)arg;
    while (n_held > 0) {
        snprintf(number, sizeof(number), "%lld", (long long)held[--n_held]);
        say("result", held[n_held], number);
    }
    say("result", job, NULL);
}

static void
do_raw(int64_t job, const char *arg)
{
    (void)job;
    for (unsigned byte; sscanf(arg, "%2x", &byte) == 1; arg += 2)
        buf_add(&out, (const char[]){(char)byte}, 1);
}

static void
do_stranger(int64_t job, const char *arg)
{
    say("result", job + atoi(arg), NULL);
}

static void
do_hello(int64_t job, const char *arg)
{
    (void)job;
    (void)arg;
    say_hello();
}

static void
do_progress(int64_t job, const char *arg)
{
    say_progress(job, atof(arg), strchr(arg, ' '));
    say("result", job, NULL);
}

static void
do_unsure(int64_t job, const char *arg)
{
    say_progress(job, -2000, arg);
    say("result", job, NULL);
}

static void
do_log(int64_t job, const char *arg)
{
    say("log", job, arg);
    say("log", -1, "of no job");
    say_failure(job, "logged", "retry", -1);
}

static void
do_print(int64_t job, const char *arg)
{
    fprintf(stderr, "%s\n", arg);
    say_failure(job, "printed", "retry", -1);
}

static void
do_out(int64_t job, const char *arg)
{
    puts(arg);
    fflush(stdout);
    say("result", job, NULL);
}

static void
do_litter(int64_t job, const char *arg)
{
    (void)arg;
    if (fork() == 0) {
        setsid();
        if (fork() != 0)
            _exit(0);
        note_pid();
        for (;;)
            pause();
    }
    note_pid();
    sleep_ms(100);
    say("result", job, NULL);
}

static void
do_freeze(int64_t job, const char *arg)
{
    (void)job;
    (void)arg;
    flush_out();
    for (;;)
        pause();
}

static void
do_spin(int64_t job, const char *arg)
{
    (void)job;
    (void)arg;
    for (volatile unsigned i = 0;; i++)
        ;
}

static void
do_grow(int64_t job, const char *arg)
{
    size_t size = (size_t)atoi(arg) << 20;
    volatile char *memory = malloc(size);

    for (size_t i = 0; i < size; i += 4096)
        memory[i] = 1;
    say("result", job, NULL);
}

static void
do_twice(int64_t job, const char *arg)
{
    say("result", job, arg);
    say("result", job, "\"again\"");
    say_failure(job, "too late", "never", -1);
    say_progress(job, 50, "too late");
}

static void
do_pid(int64_t job, const char *arg)
{
    char number[32];

    (void)arg;
    snprintf(number, sizeof(number), "%d", (int)getpid());
    say("result", job, number);
}

static void
do_close(int64_t job, const char *arg)
{
    (void)job;
    (void)arg;
    flush_out();
    close(3);
    for (;;)
        pause();
}

static void
do_long(int64_t job, const char *arg)
{
    size_t size = (size_t)atoi(arg);
    char *value = malloc(size + 1);

    memset(value, 'x', size);
    value[size] = '\0';
    say("result", job, value);
    free(value);
}

static void
do_slow(int64_t job, const char *arg)
{
    flush_out();
    sleep_ms(atoi(arg));
    say("result", job, NULL);
}

static void
do_split(int64_t job, const char *arg)
{
    say("result", job, arg);
    for (size_t i = 0; i < out.len; i++) {
        if (write(3, out.data + i, 1) != 1)
            exit(0);
        sleep_ms(1);
    }
    buf_clear(&out);
}

static void
do_env(int64_t job, const char *arg)
{
    struct buf all = {.data = NULL};

    (void)arg;
    for (char **e = environ; *e != NULL; e++)
        buf_printf(&all, "%s\n", *e);
    say("result", job, buf_text(&all));
    buf_release(&all);
}

static void
do_append(int64_t job, const char *arg)
{
    FILE *f = fopen(arg, "ae");

    if (f != NULL) {
        fprintf(f, "%lld\n", (long long)getpid());
        fclose(f);
    }
    say("result", job, NULL);
}

static const struct {
    const char *name;
    void (*act)(int64_t job, const char *arg);
} deeds[] = {
    {"echo", do_echo},         {"nothing", do_nothing}, {"fail", do_fail},
    {"never", do_never},       {"snooze", do_snooze},   {"retry", do_retry},
    {"exit", do_exit},         {"signal", do_signal},   {"hold", do_hold},
    {"deaf", do_deaf},         {"release", do_release}, {"raw", do_raw},
    {"stranger", do_stranger}, {"hello", do_hello},     {"progress", do_progress},
    {"unsure", do_unsure},     {"log", do_log},         {"print", do_print},
    {"out", do_out},           {"litter", do_litter},   {"freeze", do_freeze},
    {"grow", do_grow},         {"spin", do_spin},       {"twice", do_twice},
    {"pid", do_pid},           {"close", do_close},     {"long", do_long},
    {"slow", do_slow},         {"split", do_split},     {"env", do_env},
    {"append", do_append},
};

/* --- what it hears ------------------------------------------------------------------------ */

static void
need(bool condition)
{
    if (!condition)
        exit(99);
}

static void
on_job(struct pack_reader *r)
{
    struct pack_value ref, payload;
    char word[32] = "", *arg;
    AUTO(mem) char *copy = NULL;

    need(pack_next(r, &ref) == PACK_WHOLE && pack_skip(r, 1) == PACK_WHOLE &&
         pack_next(r, &payload) == PACK_WHOLE && payload.type == PACK_TEXT);
    copy = xstrndup(payload.text, payload.len);
    arg = copy[0] == '"' ? copy + 1 : copy; /* in the database it is JSON */
    if (copy[0] == '"')
        copy[payload.len - 1] = '\0';
    sscanf(arg, "%31s", word);
    arg += strlen(word) + (arg[strlen(word)] == ' ');
    for (size_t i = 0; i < LENGTH(deeds); i++) {
        if (strcmp(deeds[i].name, word) == 0) {
            deeds[i].act(ref.number, arg);
            return;
        }
    }
    do_echo(ref.number, copy);
}

static void
on_cancel(struct pack_reader *r)
{
    struct pack_value ref, why;

    need(pack_next(r, &ref) == PACK_WHOLE && pack_next(r, &why) == PACK_WHOLE);
    for (size_t i = 0; i < n_held && !deaf; i++) {
        if (held[i] == ref.number) {
            say("result", ref.number, "\"although cancelled\"");
            held[i] = held[--n_held];
        }
    }
}

static void
on_frame(const char *body, size_t len)
{
    struct pack_reader r = {body, body + len};
    struct pack_value array, type, number;

    need(pack_next(&r, &array) == PACK_WHOLE && array.type == PACK_ARRAY &&
         pack_next(&r, &type) == PACK_WHOLE);
    if (pack_is(&type, "job"))
        on_job(&r);
    else if (pack_is(&type, "cancel"))
        on_cancel(&r);
    else if (pack_is(&type, "heartbeat") && pack_next(&r, &number) == PACK_WHOLE)
        say_number("heartbeat", number.number);
    else if (pack_is(&type, "drain"))
        draining = true;
    else if (pack_is(&type, "hello") && getenv("SHOW_HELLO") != NULL)
        fprintf(stderr, "hello has %zu bytes\n", len);
    else if (pack_is(&type, "quit") && getenv("SHOW_HELLO") != NULL)
        fprintf(stderr, "told to quit\n");
}

static size_t
frame_length(void)
{
    size_t len = 0;

    for (size_t i = 0; i < 4; i++)
        len = len << 8 | (unsigned char)in.data[i];
    return len;
}

static void
hear(void)
{
    size_t room = (size_t)256 * 1024, len;

    for (;;) {
        ssize_t n = read(3, buf_reserve(&in, room), room);

        if (n <= 0)
            exit(0);
        in.len += (size_t)n;
        while (in.len >= 4 && in.len - 4 >= (len = frame_length())) {
            on_frame(in.data + 4, len);
            buf_drop_front(&in, 4 + len);
        }
        flush_out();
        if (draining && n_held == 0 && !deaf)
            exit(0);
    }
}

/* --- how it begins -------------------------------------------------------------------------- */

static const char *
value_of(const char *arg, const char *option)
{
    size_t len = strlen(option);

    return strncmp(arg, option, len) == 0 ? arg + len : NULL;
}

static void
obey(const char *arg)
{
    const char *value;

    if ((value = value_of(arg, "in_flight=")) != NULL)
        in_flight = atoi(value);
    else if ((value = value_of(arg, "version=")) != NULL)
        version = atoi(value);
    else if ((value = value_of(arg, "name=")) != NULL)
        name = value;
    else if (strcmp(arg, "heartbeat") == 0)
        heartbeat = true;
    else if ((value = value_of(arg, "unless=")) != NULL && access(value, F_OK) == 0)
        exit(7); /* broken as long as the file is there */
    else if ((value = value_of(arg, "exit=")) != NULL)
        exit(atoi(value));
    else if ((value = value_of(arg, "cry=")) != NULL)
        exit((fprintf(stderr, "%s\n", value), 1));
    else if (strcmp(arg, "early-result") == 0)
        say("result", 1, NULL);
    else if (strcmp(arg, "hello-twice") == 0)
        say_hello();
    else if (strcmp(arg, "no-hello") == 0)
        do_freeze(0, "");
}

int
main(int argc, char **argv)
{
    if (getenv("PGCREW_HANDLER_FD") == NULL || strcmp(getenv("PGCREW_HANDLER_FD"), "3") != 0)
        return 97;
    for (int i = 1; i < argc; i++)
        obey(argv[i]);
    say_hello();
    flush_out();
    hear();
}
