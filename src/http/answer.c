#include "http/answer.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/conf.h"

/* An error is one line for people. */
#define LINE_MAX_BYTES 400
#define DAY_S 86400

/* --- what a status says -------------------------------------------------------------- */

/* clang-format off */
static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {300, "Multiple Choices"},      {301, "Moved Permanently"},       {302, "Found"},
    {303, "See Other"},             {304, "Not Modified"},            {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},    {400, "Bad Request"},             {401, "Unauthorized"},
    {402, "Payment Required"},      {403, "Forbidden"},               {404, "Not Found"},
    {405, "Method Not Allowed"},    {406, "Not Acceptable"},          {408, "Request Timeout"},
    {409, "Conflict"},              {410, "Gone"},                    {411, "Length Required"},
    {412, "Precondition Failed"},   {413, "Content Too Large"},       {414, "URI Too Long"},
    {415, "Unsupported Media Type"},{417, "Expectation Failed"},      {421, "Misdirected Request"},
    {422, "Unprocessable Content"}, {423, "Locked"},                  {424, "Failed Dependency"},
    {425, "Too Early"},             {426, "Upgrade Required"},        {428, "Precondition Required"},
    {429, "Too Many Requests"},     {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"}, {501, "Not Implemented"},         {502, "Bad Gateway"},
    {503, "Service Unavailable"},   {504, "Gateway Timeout"},         {507, "Insufficient Storage"},
    {508, "Loop Detected"},
};
/* clang-format on */

static const char *
reason_of(long status)
{
    for (size_t i = 0; i < LENGTH(reasons); i++) {
        if (reasons[i].status == status)
            return reasons[i].reason;
    }
    return "";
}

static bool
is_busy(long status)
{
    return status == 429 || status == 503;
}

static enum run_cause
cause_of_status(long status)
{
    if (status >= 200 && status < 300)
        return RUN_OK;
    if (is_busy(status))
        return RUN_TEMPFAIL;
    if (status == 408 || status == 425)
        return RUN_FAILED;
    return status >= 300 && status < 500 ? RUN_PERMANENT : RUN_FAILED;
}

bool
http_answer_redirects(long status)
{
    return status == 307 || status == 308;
}

int64_t
http_retry_after_ms(const char *value, time_t now)
{
    char *end;
    int64_t s;

    value += strspn(value, " \t");
    if (isdigit((unsigned char)*value)) {
        s = strtoll(value, &end, 10);
        if (end[strspn(end, " \t")] != '\0')
            return -1;
    } else {
        time_t at = curl_getdate(value, NULL);

        s = at >= 0 ? (int64_t)at - now : 0;
    }
    /* "At once" from somebody who is too busy is nothing to rely on. */
    if (s <= 0)
        return -1;
    return (s < DAY_S ? s : DAY_S) * 1000;
}

/* --- the line for people ------------------------------------------------------------- */

/* The first line of the body that is not blank, printable; NULL when there is none. */
static const char *
first_line(const struct http_answer *a, struct arena *arena)
{
    const char *p = a->head, *end = a->head + a->head_len;
    size_t len = 0;
    char *text;

    while (p < end && isspace((unsigned char)*p))
        p++;
    if (p == end)
        return NULL;
    while (p + len < end && p[len] != '\n' && p[len] != '\r')
        len++;
    text = arena_alloc(arena, LINE_MAX_BYTES);
    text_printable(text, LINE_MAX_BYTES, p, text_utf8_cut(p, len, LINE_MAX_BYTES - 1));
    return text;
}

/* "answered 422 Unprocessable Content" */
static const char *
answered(const struct http_answer *a, struct arena *arena)
{
    const char *reason = reason_of(a->status);

    return arena_printf(arena, "answered %ld%s%s", a->status, *reason != '\0' ? " " : "", reason);
}

static const char *
size_of(struct arena *arena, size_t bytes)
{
    char text[32];

    return arena_strdup(arena, text_from_bytes(text, (int64_t)bytes));
}

/* --- there was no answer, or not a whole one ----------------------------------------- */

/* Ours to mend: it says nothing about the job. */
static bool
is_ours_to_mend(CURLcode code)
{
    return code == CURLE_URL_MALFORMAT || code == CURLE_SSL_CACERT_BADFILE ||
           code == CURLE_FAILED_INIT || code == CURLE_NOT_BUILT_IN;
}

static bool
refused_address(const struct http_answer *a, struct run *run, struct run_end *ret)
{
    if (a->refused == NULL)
        return false;
    /* A wrong URL must not cost attempts; a redirect is what the other side answered. */
    ret->cause = a->hops == 0 ? RUN_NO_START : RUN_PERMANENT;
    ret->error = arena_printf(&run->arena, "%s %s, which only 'allow_local: yes' allows",
                              a->hops == 0 ? "its URL leads to" : "was redirected to", a->refused);
    return true;
}

static bool
is_whole(const struct http_answer *a)
{
    /* An error needs no body. */
    return a->code == CURLE_OK || a->status >= 300;
}

static void
not_answered(const struct http_answer *a, struct run *run, struct run_end *ret)
{
    struct arena *arena = &run->arena;
    const char *why = *a->why != '\0' ? a->why : curl_easy_strerror(a->code);
    char line[LINE_MAX_BYTES];

    text_printable(line, sizeof(line), why, strlen(why));
    if (a->no_descriptor) {
        ret->cause = RUN_TEMPFAIL;
        ret->error = arena_strdup(arena, "no socket could be made: too many open files");
    } else if (a->code == CURLE_OUT_OF_MEMORY) {
        /* curl's own limit for one header. */
        ret->cause = RUN_LIMIT;
        ret->error = arena_strdup(arena, "a header of the answer is too long");
    } else {
        ret->cause = is_ours_to_mend(a->code) ? RUN_NO_START : RUN_FAILED;
        ret->error = arena_printf(arena, "%s: %s",
                                  a->status != 0 ? "its answer broke off" : "no answer", line);
    }
}

static bool
is_over_a_limit(const struct http_answer *a, struct run *run, struct run_end *ret)
{
    struct arena *arena = &run->arena;

    if (a->cut == HTTP_HEADERS_TOO_LONG)
        ret->error = arena_strdup(arena, "the headers of its answer are longer than 64 KiB");
    else if (a->cut == HTTP_BODY_TOO_LONG && cause_of_status(a->status) == RUN_OK)
        ret->error = arena_printf(arena, "its answer is longer than response_max allows (%s)",
                                  size_of(arena, run->handler->response_max));
    else
        return false;
    ret->cause = RUN_LIMIT;
    return true;
}

/* --- there was an answer ------------------------------------------------------------- */

static void
judge_status(const struct http_answer *a, time_t now, struct run *run, struct run_end *ret)
{
    struct arena *arena = &run->arena;
    const char *line;

    ret->cause = cause_of_status(a->status);
    if (ret->cause == RUN_OK)
        return;
    if (is_busy(a->status))
        ret->wait_ms = http_retry_after_ms(a->retry_after, now);
    line = a->not_followed != NULL ? a->not_followed : first_line(a, arena);
    if (line == NULL)
        ret->error = arena_strdup(arena, answered(a, arena));
    else
        ret->error = arena_printf(arena, "%s%s %s", answered(a, arena),
                                  a->not_followed != NULL ? "," : ":", line);
}

void
http_answer_judge(const struct http_answer *a, time_t now, struct run *run, struct run_end *ret)
{
    ret->wait_ms = -1;
    if (refused_address(a, run, ret) || is_over_a_limit(a, run, ret))
        return;
    if (is_whole(a) || a->cut != HTTP_NOT_CUT)
        judge_status(a, now, run, ret);
    else
        not_answered(a, run, ret);
}
