/*
 * Many requests at once by libcurl, on the loop of the worker.
 *
 * A multi keeps connections and hands them on to later requests.
 */
#ifndef PGCREW_HTTP_MULTI_H
#define PGCREW_HTTP_MULTI_H

#include "base/base.h"
#include "base/loop.h"
#include "http/library.h"

struct http_multi;

/* A request is over.  It is still in the multi: remove it. */
typedef void http_multi_over(CURL *easy, CURLcode code);

/* Lives as long as the process; keeps at most so many connections that are not in use. */
struct http_multi *http_multi_new(struct ev_loop *loop, long connections,
                                  http_multi_over *over) MUST_CHECK;

/* Nothing is sent before the next turn of the loop. */
void http_multi_add(struct http_multi *m, CURL *easy);
/* At any time but in a callback of curl; a request that is under way is dropped at once. */
void http_multi_remove(struct http_multi *m, CURL *easy);

#endif
