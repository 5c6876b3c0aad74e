/*
 * The migrations as files of a Supabase CLI project, which wants its own names:
 * 20261124083000_pgcrew_004_create_jobs_table.sql.
 */
#ifndef PGCREW_CLI_MIGRATE_FILES_H
#define PGCREW_CLI_MIGRATE_FILES_H

#include <jansson.h>

#include "base/err.h"

/*
 * Write what is not there yet to dir (or to dir/supabase/migrations where that
 * exists), under times later than every file there: the CLI refuses files that
 * sort before one it has pushed.  *ret is an array of paths; the caller owns it.
 */
bool migrate_write_files(const char *dir, json_t **ret, struct err *err) MUST_CHECK;

#endif
