/* What a server answers to a request: its status, its headers, its body. */
#include "fuzz.h"

#include "config/conf.h"
#include "http/answer.h"

#define NOW 1764000000
#define DAY_MS (24 * 3600 * 1000)
/* A status with its words and a line of the body. */
#define ERROR_MAX 600

static void
look(const struct run_end *end)
{
    must((end->cause == RUN_OK) == (end->error == NULL));
    must(end->error == NULL || (is_clean(end->error) && strlen(end->error) < ERROR_MAX));
    must(end->error == NULL || end->error[0] != '\0');
    must(end->wait_ms == -1 || (end->wait_ms > 0 && end->wait_ms <= DAY_MS));
}

static void
fuzz(const char *data, size_t len)
{
    struct input in = {data, len};
    const struct handler_conf handler = {.kind = "mail", .response_max = 1 << 20};
    struct run run = {.handler = &handler};
    struct run_end end = RUN_END(RUN_OK);
    struct http_answer a = {0};
    struct err err;
    char *retry_after, *why;

    must(http_library_open(&err));
    a.status = take_byte(&in) * 4L + take_byte(&in) % 4;
    a.code = (CURLcode)(take_byte(&in) % CURL_LAST);
    a.cut = (enum http_cut)(take_byte(&in) % 3);
    a.hops = take_byte(&in) % 4;
    retry_after = take_line(&in);
    why = take_line(&in);
    a.retry_after = retry_after;
    a.why = why;
    a.head = in.at;
    a.head_len = in.left < HTTP_HEAD_BYTES ? in.left : HTTP_HEAD_BYTES;
    arena_init(&run.arena);
    http_answer_judge(&a, NOW, &run, &end);
    look(&end);
    arena_release(&run.arena);
    free(retry_after);
    free(why);
}
