/* What an answer means. */
#include "http/answer.h"

#include <stdlib.h>

#include "config/conf.h"
#include "tap.h"

#define NOW 1700000000 /* Tue, 14 Nov 2023 22:13:20 GMT */

static struct run run;
static const struct handler_conf handler = {.response_max = 1 << 20};

static struct http_answer
status(long code, const char *head)
{
    return (struct http_answer){
        .status = code, .why = "", .retry_after = "", .head = head, .head_len = strlen(head)};
}

static struct run_end
judge(struct http_answer a)
{
    struct run_end end = RUN_END(RUN_OK);

    http_answer_judge(&a, NOW, &run, &end);
    return end;
}

static void
test_statuses(void)
{
    /* clang-format off */
    static const struct {
        int status;
        enum run_cause cause;
        const char *error;
    } rows[] = {
        {200, RUN_OK,        NULL},
        {201, RUN_OK,        NULL},
        {204, RUN_OK,        NULL},
        {299, RUN_OK,        NULL},
        {301, RUN_PERMANENT, "answered 301 Moved Permanently"},
        {304, RUN_PERMANENT, "answered 304 Not Modified"},
        {400, RUN_PERMANENT, "answered 400 Bad Request"},
        {401, RUN_PERMANENT, "answered 401 Unauthorized"},
        {404, RUN_PERMANENT, "answered 404 Not Found"},
        {408, RUN_FAILED,    "answered 408 Request Timeout"},
        {409, RUN_PERMANENT, "answered 409 Conflict"},
        {422, RUN_PERMANENT, "answered 422 Unprocessable Content"},
        {425, RUN_FAILED,    "answered 425 Too Early"},
        {429, RUN_TEMPFAIL,  "answered 429 Too Many Requests"},
        {499, RUN_PERMANENT, "answered 499"},
        {500, RUN_FAILED,    "answered 500 Internal Server Error"},
        {502, RUN_FAILED,    "answered 502 Bad Gateway"},
        {503, RUN_TEMPFAIL,  "answered 503 Service Unavailable"},
        {599, RUN_FAILED,    "answered 599"},
        {999, RUN_FAILED,    "answered 999"},
        {101, RUN_FAILED,    "answered 101"},
    };
    /* clang-format on */

    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct run_end end = judge(status(rows[i].status, ""));

        is_int(end.cause, rows[i].cause, "%d: its cause", rows[i].status);
        is_str(end.error, rows[i].error, "%d: its error", rows[i].status);
        is_int(end.wait_ms, -1, "%d: no wait asked for", rows[i].status);
    }
}

static void
test_body_line(void)
{
    static char large[HTTP_HEAD_BYTES + 1];

    is_str(judge(status(422, "no such user\nat all\n")).error,
           "answered 422 Unprocessable Content: no such user", "the first line of the body");
    is_str(judge(status(500, "\r\n \n  {\"error\": \"x\"}\r\n")).error,
           "answered 500 Internal Server Error: {\"error\": \"x\"}", "that is not blank");
    is_str(judge(status(500, " \n\t")).error, "answered 500 Internal Server Error", "if any");
    is_str(judge(status(400, "a\033[31mb\001")).error, "answered 400 Bad Request: a\\x1b[31mb\\x01",
           "printable");
    is_str(judge(status(400, "\377\376")).error, "answered 400 Bad Request: \\xff\\xfe",
           "whatever it is");
    memset(large, 'y', HTTP_HEAD_BYTES);
    ok(strlen(judge(status(400, large)).error) < 450, "and cut");
}

static void
test_retry_after(void)
{
    struct http_answer a = status(429, "");

    is_int(http_retry_after_ms("7", NOW), 7000, "seconds");
    is_int(http_retry_after_ms(" 120 ", NOW), 120000, "with blanks");
    is_int(http_retry_after_ms("Tue, 14 Nov 2023 22:13:50 GMT", NOW), 30000, "a date");
    is_int(http_retry_after_ms("Tuesday, 14-Nov-23 22:13:50 GMT", NOW), 30000, "an old date");
    is_int(http_retry_after_ms("86401", NOW), 86400000, "a day at most");
    is_int(http_retry_after_ms("99999999999999999999999999", NOW), 86400000, "whatever is said");
    is_int(http_retry_after_ms("Tue, 14 Nov 2033 22:13:50 GMT", NOW), 86400000, "as a date, too");
    is_int(http_retry_after_ms("0", NOW), -1, "at once says nothing");
    is_int(http_retry_after_ms("Tue, 14 Nov 2023 22:13:20 GMT", NOW), -1, "nor does now");
    is_int(http_retry_after_ms("Tue, 14 Nov 2003 22:13:20 GMT", NOW), -1, "nor the past");
    is_int(http_retry_after_ms("", NOW), -1, "nor nothing");
    is_int(http_retry_after_ms("soon", NOW), -1, "nor nonsense");
    is_int(http_retry_after_ms("-5", NOW), -1, "nor less than nothing");
    is_int(http_retry_after_ms("5s", NOW), -1, "nor other units");
    a.retry_after = "7";
    is_int(judge(a).wait_ms, 7000, "429 has its wait");
    a.status = 503;
    is_int(judge(a).wait_ms, 7000, "503 too");
    a.status = 500;
    is_int(judge(a).wait_ms, -1, "500 has not");
}

static struct run_end
failed(CURLcode code, const char *why, long code_of_status)
{
    struct http_answer a = status(code_of_status, "");

    a.code = code;
    a.why = why;
    return judge(a);
}

static void
test_no_answer(void)
{
    struct http_answer a = status(0, "");
    struct run_end end = failed(CURLE_COULDNT_CONNECT, "Failed to connect to x port 1", 0);

    is_int(end.cause, RUN_FAILED, "nobody there: failed");
    is_str(end.error, "no answer: Failed to connect to x port 1", "in curl's words");
    end = failed(CURLE_COULDNT_RESOLVE_HOST, "", 0);
    is_str(end.error, "no answer: Couldn't resolve host name", "or those for all such cases");
    is_int(failed(CURLE_OPERATION_TIMEDOUT, "", 0).cause, RUN_FAILED, "no connection in time");
    is_int(failed(CURLE_PEER_FAILED_VERIFICATION, "", 0).cause, RUN_FAILED, "a bad certificate");
    is_int(failed(CURLE_SSL_CONNECT_ERROR, "", 0).cause, RUN_FAILED, "no TLS");
    is_int(failed(CURLE_SSL_CACERT_BADFILE, "", 0).cause, RUN_NO_START, "a bad ca_file");
    is_int(failed(CURLE_URL_MALFORMAT, "", 0).cause, RUN_NO_START, "a bad URL");
    is_int(failed(CURLE_OUT_OF_MEMORY, "", 200).cause, RUN_LIMIT, "a very long header");
    end = failed(CURLE_PARTIAL_FILE, "a\nb", 200);
    is_int(end.cause, RUN_FAILED, "half an answer");
    is_str(end.error, "its answer broke off: a\\x0ab", "in one line");
    is_int(failed(CURLE_PARTIAL_FILE, "", 422).cause, RUN_PERMANENT, "half an error is one");
    a.code = CURLE_COULDNT_CONNECT;
    a.no_descriptor = true;
    end = judge(a);
    is_int(end.cause, RUN_TEMPFAIL, "no descriptor: later");
    is_str(end.error, "no socket could be made: too many open files", "and why");
}

static void
test_cut(void)
{
    struct http_answer a = status(200, "");
    struct run_end end;

    a.code = CURLE_WRITE_ERROR;
    a.cut = HTTP_BODY_TOO_LONG;
    end = judge(a);
    is_int(end.cause, RUN_LIMIT, "too long a body is a limit");
    is_str(end.error, "its answer is longer than response_max allows (1MiB)", "and says which");
    a.status = 404;
    is_int(judge(a).cause, RUN_PERMANENT, "of an error the status counts");
    a.cut = HTTP_HEADERS_TOO_LONG;
    end = judge(a);
    is_int(end.cause, RUN_LIMIT, "too long headers are one always");
    is_str(end.error, "the headers of its answer are longer than 64 KiB", "and it says so");
}

static void
test_refused(void)
{
    struct http_answer a = status(0, "");
    struct run_end end;

    a.code = CURLE_COULDNT_CONNECT;
    a.refused = "a loopback address";
    end = judge(a);
    is_int(end.cause, RUN_NO_START, "a URL of this host costs no attempt");
    is_str(end.error, "its URL leads to a loopback address, which only 'allow_local: yes' allows",
           "why");
    a.hops = 1;
    end = judge(a);
    is_int(end.cause, RUN_PERMANENT, "a redirect to it does");
    is_str(end.error, "was redirected to a loopback address, which only 'allow_local: yes' allows",
           "why");
    a = status(307, "body");
    a.not_followed = "which is not followed";
    is_str(judge(a).error, "answered 307 Temporary Redirect, which is not followed",
           "a redirect that is not followed says why");
    is_int(http_answer_redirects(307) + http_answer_redirects(308), 2, "307 and 308 are followed");
    is_int(http_answer_redirects(301) + http_answer_redirects(302) + http_answer_redirects(303), 0,
           "those that make a GET of it are not");
}

int
main(void)
{
    struct err err;

    if (!ok(http_library_open(&err), "libcurl is there"))
        return done_testing();
    arena_init(&run.arena);
    run.handler = &handler;
    test_statuses();
    test_body_line();
    test_retry_after();
    test_no_answer();
    test_cut();
    test_refused();
    arena_release(&run.arena);
    return done_testing();
}
