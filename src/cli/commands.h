/*
 * The functions behind the table in src/pgcrew.c, with their options.
 */
#ifndef PGCREW_CLI_COMMANDS_H
#define PGCREW_CLI_COMMANDS_H

#include "cli/cli.h"

typedef enum cli_exit cli_run(struct cli *cli, const struct args *args);

/* migrate.c */
extern const struct cli_option migrate_options[];
cli_run migrate_up, migrate_status, migrate_print;

/* enqueue.c */
extern const struct cli_option enqueue_options[];
cli_run enqueue_run;

/* batch.c, batch_watch.c */
extern const struct cli_option batch_show_options[];
cli_run batch_new, batch_show, batch_watch, batch_cancel, batch_retry;

/* job.c */
extern const struct cli_option job_list_options[];
cli_run job_list, job_show, job_retry, job_cancel, job_log;

/* queue.c */
cli_run queue_list, queue_pause, queue_resume;

/* schedule.c */
extern const struct cli_option schedule_add_options[], schedule_next_options[];
cli_run schedule_list, schedule_add, schedule_remove, schedule_pause, schedule_resume, schedule_run,
    schedule_next;

/* why.c */
cli_run why_run;

/* stats.c, workers.c */
cli_run stats_run, workers_run;
extern const struct cli_option stats_options[];

/* control.c */
extern const struct cli_option wait_options[], stop_options[];
cli_run scale_run, reload_run, drain_run, stop_run;

/* token.c */
extern const struct cli_option token_options[];
cli_run token_run;

/* ping.c, doctor.c */
extern const struct cli_option ping_options[], doctor_options[];
cli_run ping_run, doctor_run;

#endif
