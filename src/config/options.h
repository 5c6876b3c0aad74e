/*
 * The table of options and what can be done with one row of it.
 *
 * The same rows drive parsing, defaults, range errors, --show-config, reload and
 * the test that compares them with conf/pgcrew.yaml and the man page.
 */
#ifndef PGCREW_CONFIG_OPTIONS_H
#define PGCREW_CONFIG_OPTIONS_H

#include "base/buf.h"
#include "base/err.h"
#include "config/conf.h"

enum option_type {
    OPTION_INT,    /* int */
    OPTION_MS,     /* int64_t, written with a unit */
    OPTION_SIZE,   /* size_t, with or without a unit */
    OPTION_TEXT,   /* const char *; min and max are lengths */
    OPTION_CHOICE, /* an enum; choices are its names in order */
    OPTION_LIST,   /* struct conf_list; min and max are numbers of items */
};

enum {
    CONF_RELOAD = 1, /* a reload may change it */
    CONF_SECRET = 2, /* never shown */
    CONF_URL = 8,    /* of a server: a secret if there is a password in it */
    CONF_QUIET = 4,  /* a wrong value is not repeated: it may be the secret itself */
};

struct option {
    const char *name;
    enum option_type type;
    size_t field;       /* offset in struct conf or struct handler_conf */
    const char *preset; /* as somebody would write it; NULL: not set, or told by the parent */
    int64_t min, max;
    unsigned flags;
    const char *const *choices;
    /* What one text or one item of a list must look like; NULL: anything printable. */
    bool (*is_good)(const char *text);
    const char *good; /* for the message: "a name of letters, digits ..." */
    unsigned ways;    /* of a handler: bits of the ways it is for; 0: all of them */
};

struct option_table {
    const struct option *rows;
    size_t n;
};

extern const struct option_table conf_options;    /* of struct conf: options.c */
extern const struct option_table handler_options; /* of struct handler_conf: handler_options.c */

const struct option *option_find(struct option_table table, const char *name);
/* The name most like this one, NULL when none is near. */
const char *option_nearest(struct option_table table, const char *name);

/*
 * Fill the field of o in base (a struct conf or handler_conf).  Lists are
 * written "a,b" here.  The error says what is allowed, not where it was written.
 */
bool option_set(const struct option *o, void *base, struct arena *a, const char *text,
                struct err *err) MUST_CHECK;
bool option_set_list(const struct option *o, void *base, struct arena *a,
                     const struct conf_list *items, struct err *err) MUST_CHECK;
void option_copy(const struct option *o, void *to, struct arena *a, const void *from);

/* The value as somebody would write it (lists "a,b"); nothing when it is not set. */
void option_print(const struct option *o, const void *base, struct buf *ret);
bool option_is_set(const struct option *o, const void *base);

/* The environment variable of its own: queue.names -> PGCREW_QUEUE_NAMES. */
const char *option_variable(const struct option *o, char ret[64]);

#endif
