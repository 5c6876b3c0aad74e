/*
 * Which jobs are meant: of a search, and of what is done to many.
 */
#ifndef PGCREW_DASHBOARD_FILTER_H
#define PGCREW_DASHBOARD_FILTER_H

#include "base/err.h"
#include "base/uuid.h"
#include "db/value.h"

/* Texts are NULL when they are not asked for, and point to where they came from. */
struct filter {
    const char *state, *kind, *queue, *since, *until, *text;
    bool has_batch, has_user;
    struct uuid batch, user;
    int64_t id; /* 0: any */
};

/* The value under a name of where it comes from; NULL or "": any. */
typedef const char *filter_get(void *from, const char *name);

/* ERR_PERMANENT says what cannot be meant. */
bool filter_read(struct filter *ret, filter_get *get, void *from, struct err *err) MUST_CHECK;
bool filter_knows(const char *name);
/* $1 to $9 of search.sql and bulk.sql. */
void filter_params(const struct filter *f, struct params *p);

#endif
