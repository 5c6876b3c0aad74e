/*
 * The lists in a query: select=id,state:status, order=id.desc.nullslast, in.(1,"2,3").
 *
 * Each fills its part of q, or refuses.
 */
#ifndef PGCREW_GATEWAY_REST_LIST_H
#define PGCREW_GATEWAY_REST_LIST_H

#include "gateway/rest_query.h"

void rest_read_select(struct rest_query *q, const char *text);
void rest_read_order(struct rest_query *q, const char *text);
/* "(a,b)" of a filter; false: it is not one, nothing is refused yet. */
bool rest_read_values(struct rest_query *q, const char *text, struct rest_filter *ret) MUST_CHECK;

/* The column of this name; NULL: refused. */
const struct rest_column *rest_known_column(struct rest_query *q, const char *name);

#endif
