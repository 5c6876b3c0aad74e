/*
 * Help, made from the table of commands.
 */
#ifndef PGCREW_CLI_HELP_H
#define PGCREW_CLI_HELP_H

#include <stdio.h>

#include "cli/command.h"

void help_all(FILE *to);
/* Every row called name, or only the one with that second word. */
void help_command(FILE *to, const char *name, const char *sub);
void help_usage(FILE *to, const struct command *c); /* "usage: pgcrew batch show ID [--as USER]" */

#endif
