/*
 * How answers look: tables that line up, colours where they are wanted, and
 * nothing from outside that could drive the terminal.
 */
#ifndef PGCREW_CLI_OUT_H
#define PGCREW_CLI_OUT_H

#include <jansson.h>
#include <stdio.h>

#include "base/buf.h"
#include "cli/cli.h"

/* The command's one document with --json; takes doc. */
void out_json(struct cli *cli, json_t *doc);

enum out_colour { OUT_PLAIN, OUT_BOLD, OUT_DIM, OUT_RED, OUT_GREEN, OUT_YELLOW, OUT_BLUE };

/* The sequence that switches to colour, "" where colours are not wanted. */
const char *out_colour(const struct cli *cli, enum out_colour colour);
/* Colour of a job's or batch's status, or of a worker's state. */
enum out_colour out_status_colour(const char *status);

enum column_kind {
    COLUMN_TEXT,
    COLUMN_NUMBER, /* to the right */
    COLUMN_TIME,   /* shown in local time */
    COLUMN_MS,     /* a duration */
    COLUMN_BYTES,
    COLUMN_STATUS, /* coloured by what it says */
    COLUMN_LIST,   /* an array, by commas; null is "any" */
};

struct column {
    const char *field;
    const char *head;
    enum column_kind kind;
    int max_width; /* longer ones are cut, with dots; 0: never */
};

/* Rows is an array of objects; columns ends with a row without field. */
void out_table(const struct cli *cli, const json_t *rows, const struct column *columns);
/* The command's answer: rows as a table, "no NAME" when there are none, or {NAME: rows} with
 * --json; takes rows. */
void out_list(struct cli *cli, const char *name, json_t *rows, const struct column *columns);
/* One object, a line per column: "queue:  default".  Fields that are not set are left out. */
void out_fields(const struct cli *cli, const json_t *object, const struct column *columns);

/* One value as a person reads it, without control characters, added to ret. */
void out_value(struct buf *ret, const json_t *value, enum column_kind kind);

/* How many places of a terminal the text takes. */
size_t out_width(const char *text);

/* "pgcrew: text" on standard error, after what went to standard output. */
void out_note(const char *text);

/* Text from outside, safe for a terminal; line feeds stay when lines is true. */
void out_printable(FILE *to, const char *text, bool lines);

#endif
