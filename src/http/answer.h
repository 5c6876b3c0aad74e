/*
 * What an answer means for its job: from a status, or from what went wrong before
 * there was one, to the cause that decides over a retry and the line people read.
 */
#ifndef PGCREW_HTTP_ANSWER_H
#define PGCREW_HTTP_ANSWER_H

#include <time.h>

#include "handler/handler.h"
#include "http/library.h"

/* Of the body of an answer that is no success; its first line becomes part of the error. */
#define HTTP_HEAD_BYTES 1024

/* Why we ended the request ourselves. */
enum http_cut {
    HTTP_NOT_CUT,
    HTTP_HEADERS_TOO_LONG,
    HTTP_BODY_TOO_LONG,
};

struct http_answer {
    CURLcode code;   /* CURLE_OK: an answer came, whole */
    const char *why; /* what curl says of another code */
    enum http_cut cut;
    /* Addresses: what is wrong with the one that was refused, when no other was tried. */
    const char *refused;
    bool no_descriptor; /* no socket could be made */

    long status;              /* 0: no answer had begun */
    int hops;                 /* redirects that were followed before it */
    const char *not_followed; /* why this one was not; NULL: it is none of 307 and 308 */
    const char *retry_after;  /* the header's value, "" when there was none */
    const char *head;         /* of the body, HTTP_HEAD_BYTES at most */
    size_t head_len;
};

/* Fills cause, error and wait_ms of ret.  now: by the clock of this host. */
void http_answer_judge(const struct http_answer *answer, time_t now, struct run *run,
                       struct run_end *ret);

/* 307 and 308: the same request again, elsewhere.  Other redirects turn a POST into a GET. */
bool http_answer_redirects(long status);

/* Seconds or a date; at most a day.  -1 when it says nothing we understand. */
int64_t http_retry_after_ms(const char *value, time_t now);

#endif
