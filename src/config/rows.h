/*
 * What the rows of both tables of options are written with.
 */
#ifndef PGCREW_CONFIG_ROWS_H
#define PGCREW_CONFIG_ROWS_H

#include "config/options.h"

/* The offset of a field, refused by the compiler when its type is not the row's. */
#define FIELD(owner, field, type)                                                                  \
    (offsetof(struct owner, field) +                                                               \
     0 * sizeof(char[_Generic(((struct owner *)NULL)->field, type : 1, default                     \
                              : -1)]))

#define OPT(owner, ways, name, kind, field, type, preset, min, max, flags, choices, ...)           \
    {                                                                                              \
        name, kind, FIELD(owner, field, type), preset, min, max, flags, choices, __VA_ARGS__, ways \
    }

#define ANY NULL, NULL
#define GOOD_PATH option_is_absolute, "an absolute path"

#define SECOND ((int64_t)1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define KIB ((int64_t)1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

extern const char *const option_keep_choices[3]; /* of enum conf_keep */

/* Is this the name of an environment variable that a handler may be given? */
bool option_is_variable(const char *text, size_t len);
bool option_is_absolute(const char *text);

#endif
