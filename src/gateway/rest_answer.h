/*
 * What is said of the rows that a query has found, as PostgREST does.
 */
#ifndef PGCREW_GATEWAY_REST_ANSWER_H
#define PGCREW_GATEWAY_REST_ANSWER_H

#include "gateway/rest_query.h"

#define REST_RANGE_SIZE 64

struct rest_found {
    int64_t rows;  /* in the answer */
    int64_t total; /* -1: not counted */
};

/*
 * The status, and the value of Content-Range.  200: these are all, or it is not known; 206:
 * there are more.  Others are in q->refused, too: an offset beyond the end, not one row where
 * one object is wanted.
 */
int rest_judge(struct rest_query *q, const struct rest_found *found, char range[REST_RANGE_SIZE]);
/* Of the body. */
const char *rest_content_type(const struct rest_query *q);

#endif
