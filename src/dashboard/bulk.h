/*
 * What is to be done to many jobs: the body of POST /dashboard/api/bulk.
 */
#ifndef PGCREW_DASHBOARD_BULK_H
#define PGCREW_DASHBOARD_BULK_H

#include "base/arena.h"
#include "dashboard/filter.h"

struct bulk_wish {
    char action[8];       /* "retry", "cancel" or "delete" */
    bool preview;         /* only say how many */
    int64_t expected;     /* -1: any number */
    int64_t after;        /* jobs above this id only */
    struct filter filter; /* its texts are in the arena */
};

/* ERR_PERMANENT says what is wrong with it. */
bool bulk_read(const char *json, size_t len, struct arena *arena, struct bulk_wish *ret,
               struct err *err) MUST_CHECK;

#endif
