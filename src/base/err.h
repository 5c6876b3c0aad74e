/*
 * Errors are values.  The class tells the caller what to do; the text tells a
 * person what happened.  Deep code fills an err and returns false; only a loop
 * decides, and logs once.
 */
#ifndef PGCREW_BASE_ERR_H
#define PGCREW_BASE_ERR_H

#include "base/base.h"

enum err_class {
    ERR_NONE,
    ERR_RETRY,     /* try again later: the database is away, a lock was taken */
    ERR_UNCERTAIN, /* the server may have done it: the connection was lost before the answer */
    ERR_PERMANENT, /* do not try this again: it is refused for what it is */
    ERR_CONFIG,    /* a person has to act: configuration, privileges, schema */
};

struct err {
    enum err_class class;
    char sqlstate[6]; /* "" unless the server said one */
    char text[512];
};

/* All three return false, so that `return err_set(...)` reads well.  err may be NULL. */
bool err_set(struct err *err, enum err_class class, const char *format, ...) PRINTF_LIKE(3, 4);
/* The same, followed by ": " and the text of errno. */
bool err_errno(struct err *err, enum err_class class, const char *format, ...) PRINTF_LIKE(3, 4);
/* Put a text and ": " before what err says already. */
bool err_before(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

void err_clear(struct err *err);

#endif
