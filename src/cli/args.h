/*
 * The command line, taken apart by the tables of command.h.
 *
 * Global options may stand before or after the command; "--" ends the options;
 * "-" is a word.
 */
#ifndef PGCREW_CLI_ARGS_H
#define PGCREW_CLI_ARGS_H

#include "base/arena.h"
#include "base/err.h"
#include "cli/command.h"

struct arg {
    const struct cli_option *option;
    const char *value; /* NULL for a switch */
};

struct args {
    const struct command *command; /* NULL: none was given */
    struct arg *given;
    size_t n_given;
    const char **words; /* what is neither command nor option */
    size_t n_words;
};

/*
 * Parse.  Texts are those of argv, arrays live in the arena.  An error is
 * ERR_CONFIG and names the nearest known word; args->command is set when it
 * was understood, so that its synopsis can be shown.  --help and --version
 * anywhere make the rest unchecked.
 */
bool args_parse(struct arena *a, int argc, char **argv, struct args *args,
                struct err *err) MUST_CHECK;

/* The last value given, NULL without one.  A name that is in no table aborts. */
const char *args_value(const struct args *args, const char *name);
bool args_has(const struct args *args, const char *name);
/* All values of an option that may be repeated, in the order of the command line. */
size_t args_all(const struct args *args, const char *name, struct arena *a,
                const char *const **ret);
/* A whole number from min to max; fallback when the option was not given. */
bool args_int(const struct args *args, const char *name, int64_t min, int64_t max, int64_t fallback,
              int64_t *ret, struct err *err) MUST_CHECK;

/* The rows called name; for a name that is not known, the nearest one, or NULL. */
const struct command *command_find(const char *name, const char *sub);
const char *command_nearest(const char *name);

#endif
