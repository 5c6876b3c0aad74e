/*
 * A command of the tool: a row of the table in src/pgcrew.c.
 *
 * Adding one?  A file in src/cli, a row in src/pgcrew.c, an entry in pgcrew.1
 * and in contrib/completion/pgcrew, a test 5xxx in tests/system.
 */
#ifndef PGCREW_CLI_COMMAND_H
#define PGCREW_CLI_COMMAND_H

#include "base/base.h"

struct cli;
struct args;

/* What the caller of the tool gets to see, in scripts too. */
enum cli_exit {
    CLI_DONE = 0,
    CLI_NOT_DONE = 1, /* a job failed, nothing was found, the state refuses it */
    CLI_USAGE = 2,    /* wrong options, bad values, an unreadable configuration */
    CLI_AWAY = 69,    /* database or daemon cannot be reached; sysexits' EX_UNAVAILABLE */
};

struct cli_option {
    const char *name;  /* without the dashes */
    const char *value; /* what its value is called in the help; NULL: a switch */
    const char *help;
    bool many;      /* every word up to the next option belongs to it */
    char letter;    /* short form; 0: none */
    bool is_secret; /* its value is not to be seen in the list of processes */
};

struct command {
    const char *name;
    const char *sub;          /* second word; NULL: none */
    bool is_default;          /* this row when the second word is missing */
    const char *args;         /* for the synopsis: "ID..." */
    int min_words, max_words; /* max -1: any number */
    const char *summary;
    enum cli_exit (*run)(struct cli *cli, const struct args *args);
    const struct cli_option *options; /* ends with a row without name; NULL: none */
    const char *more;                 /* paragraphs after the options; may be NULL */
    const char *examples;             /* lines; never NULL */
};

/* The table and its end, and the options that every command takes. */
extern const struct command commands[];
extern const size_t n_commands;
extern const struct cli_option global_options[];

#endif
