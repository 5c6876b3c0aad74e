/*
 * Commands that change things by name, as pgcrew queue pause NAME... does.
 */
#ifndef PGCREW_CLI_CHANGE_H
#define PGCREW_CLI_CHANGE_H

#include "cli/cli.h"
#include "cli/out.h"

/*
 * Run sql with the words of the command and, if it wants to know, with who says so.  A row of
 * its answer is a name and what became of it; "unknown" is not done.  list names them in
 * JSON.
 */
enum cli_exit change_named(struct cli *cli, const struct args *args, const char *sql, bool with_who,
                           const char *list, const struct column *columns);

#endif
