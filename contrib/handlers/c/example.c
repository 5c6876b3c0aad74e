/*
 * What a handler can do, one of each: {"do": "add", "a": 1, "b": 2} and so on.
 *
 *     cc -o example example.c pgcrew_*.c $(pkg-config --cflags --libs msgpack jansson)
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pgcrew_handler.h"

/* Answer with a result made by json_pack(). */
static void
answer(struct pgcrew_job *job, json_t *result)
{
    char *text = json_dumps(result, JSON_COMPACT | JSON_ENCODE_ANY);

    pgcrew_result(job, text);
    free(text);
    json_decref(result);
}

static void
facts(struct pgcrew_job *job)
{
    msgpack_object kind = pgcrew_fact(job, "kind"), id = pgcrew_fact(job, "id");

    answer(job, json_pack("{s:I, s:s%}", "id", (json_int_t)id.via.i64, "kind", kind.via.str.ptr,
                          (size_t)kind.via.str.size));
}

static void
nap(struct pgcrew_job *job, json_int_t ms)
{
    for (json_int_t slept = 0; slept < ms; slept += 10) {
        if (pgcrew_cancelled(job)) {
            pgcrew_failure(job, "stopped", "retry", -1);
            return;
        }
        nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
    }
    answer(job, json_pack("{s:I}", "slept", ms));
}

static void
work(struct pgcrew_job *job)
{
    json_t *in = json_loads(job->payload, 0, NULL);
    const char *what = json_string_value(json_object_get(in, "do"));
    json_int_t ms = json_integer_value(json_object_get(in, "ms")), a = 0, b = 0;

    json_unpack(in, "{s:I, s:I}", "a", &a, "b", &b);
    if (what == NULL)
        what = "";
    if (strcmp(what, "echo") == 0) {
        pgcrew_result(job, job->payload);
    } else if (strcmp(what, "add") == 0) {
        answer(job, json_pack("{s:I}", "sum", a + b));
    } else if (strcmp(what, "facts") == 0) {
        facts(job);
    } else if (strcmp(what, "progress") == 0) {
        pgcrew_progress(job, 50, "half");
        pgcrew_result(job, "{\"told\": 50}");
    } else if (strcmp(what, "log") == 0) {
        pgcrew_log(job, "a line of the log");
        puts("this is no result");
        pgcrew_result(job, "{\"logged\": true}");
    } else if (strcmp(what, "sleep") == 0) {
        nap(job, ms);
    } else if (strcmp(what, "fail") == 0) {
        pgcrew_failure(job, "not this time", "retry", -1);
    } else if (strcmp(what, "never") == 0) {
        pgcrew_failure(job, "it can not be done", "never", -1);
    } else if (strcmp(what, "snooze") == 0) {
        pgcrew_failure(job, "not yet", "snooze", ms);
    } else if (strcmp(what, "crash") == 0) {
        abort(); /* ends the program; pgcrew starts another */
    } else {
        pgcrew_failure(job, "nothing to do", "never", -1);
    }
    json_decref(in);
}

int
main(void)
{
    pgcrew_serve("example 1.0", work);
    return 0;
}
