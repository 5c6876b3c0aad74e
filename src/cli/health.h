/*
 * How the server is, as the database and our clock say: for doctor, stats and why.
 */
#ifndef PGCREW_CLI_HEALTH_H
#define PGCREW_CLI_HEALTH_H

#include "cli/cli.h"

/*
 * An array of {name, subject, level, value, finding, fix}, the worst first; finding and
 * fix may be null.  The caller owns *ret.
 */
bool health_try(struct cli *cli, json_t **ret, struct err *err) MUST_CHECK;

/* The first entry that is not ok; NULL: all is well. */
const json_t *health_worst(const json_t *health);

#endif
