/*
 * The status of a batch, asked by show and watch.
 */
#ifndef PGCREW_CLI_BATCH_STATUS_H
#define PGCREW_CLI_BATCH_STATUS_H

#include "cli/cli.h"

/*
 * Ask public.batch_status().  user NULL: as this login; else as that signed-in
 * user, through row level security.  The caller owns *ret.
 */
bool batch_status_get(struct session *db, const struct uuid *batch, const struct uuid *user,
                      int job_limit, json_t **ret, struct err *err) MUST_CHECK;

/* Did batch_status() say that nobody may see such a batch? */
bool batch_status_is_unknown(const struct err *err);

#endif
