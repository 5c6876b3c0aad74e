/*
 * Why a job has not started or has not ended; also asked by doctor.
 */
#ifndef PGCREW_CLI_WHY_H
#define PGCREW_CLI_WHY_H

#include "cli/cli.h"

/*
 * What is known of the job, with "reason", "text" and "advice".  For an id that
 * does not exist the reason is "unknown".  NULL: it has been said why.  The
 * caller owns it.
 */
json_t *why_ask(struct cli *cli, int64_t job_id);

#endif
