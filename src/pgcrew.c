/*
 * The tool: the table of commands, and what happens before and after one.
 *
 * Adding a command?  See cli/command.h.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/out.h"

#define TAKES_NONE 0, 0
#define TAKES_ONE 1, 1
#define TAKES_SOME 1, -1

const struct cli_option global_options[] = {
    {.name = "config", .value = "FILE", .help = "configuration file, as pgcrewd reads it"},
    {.name = "database",
     .value = "URL",
     .help = "database URL instead of the configured one",
     .is_secret = true},
    {.name = "socket", .value = "PATH", .help = "control socket instead of the configured one"},
    {.name = "json", .help = "answer with one JSON document"},
    {.name = "help", .letter = 'h', .help = "this help; after a command, that command's"},
    {.name = "version", .letter = 'V', .help = "the version"},
    {.name = NULL},
};

static cli_run help_run;

/* clang-format off */
const struct command commands[] = {
    {"migrate", "up", true, "", TAKES_NONE,
     "make or upgrade the tables in the database", migrate_up, migrate_options,
     "Each file is applied once, in a transaction of its own. A table public.jobs that\n"
     "pgcrew did not make is left alone. Wants the owner of the database, not pgcrew_worker.",
     "pgcrew --database postgresql://postgres@db/app migrate\n"
     "pgcrew migrate --supabase ~/app     # writes files for: supabase db push"},
    {"migrate", "status", false, "", TAKES_NONE,
     "what has been applied; exit status 1 if something has not", migrate_status, NULL, NULL,
     "pgcrew migrate status"},
    {"migrate", "print", false, "", TAKES_NONE,
     "print the SQL, for psql or the SQL editor", migrate_print, migrate_options, NULL,
     "pgcrew migrate print | psql -1 -v ON_ERROR_STOP=1 app"},

    {"enqueue", NULL, false, "KIND [PAYLOAD|-]", 1, 2,
     "put jobs in", enqueue_run, enqueue_options,
     "PAYLOAD is JSON; - reads it from standard input. KIND stands before --file, which takes\n"
     "every word up to the next option. Many jobs are all put in, or none, and are a new batch\n"
     "unless --batch says otherwise. Prints ids (or how many, over 20) and the batch.",
     "pgcrew enqueue mail '{\"to\": \"ann@example.com\"}' --in 5min\n"
     "pgcrew enqueue thumbnail --file photos/*.jpg --user 5b2f5e4e-0b0c-4c53-9f55-0e1d6a3f1a11\n"
     "find . -name '*.pdf' -print0 | pgcrew enqueue index --files-from - -0\n"
     "pgcrew enqueue import --jsonl rows.jsonl --queue slow --priority 2"},

    {"batch", "new", false, "", TAKES_NONE,
     "print an id for a batch", batch_new, NULL, NULL,
     "batch=$(pgcrew batch new); pgcrew enqueue mail '{}' --batch \"$batch\""},
    {"batch", "show", false, "ID", TAKES_ONE,
     "how far a batch is", batch_show, batch_show_options, NULL,
     "pgcrew batch show 0d4f3c1e-7a63-4f0c-8d0a-4a2f2f8b9c11 --as 5b2f5e4e-0b0c-4c53-9f55-0e1d6a3f1a11"},
    {"batch", "watch", false, "ID", TAKES_ONE,
     "draw a progress bar until a batch has ended; exit status 1 if a job failed", batch_watch, NULL,
     "Where standard output is no terminal a line is printed at each change. A database that\n"
     "goes away is waited for.",
     "pgcrew batch watch 0d4f3c1e-7a63-4f0c-8d0a-4a2f2f8b9c11"},
    {"batch", "cancel", false, "ID", TAKES_ONE,
     "cancel what has not ended of a batch", batch_cancel, NULL, NULL,
     "pgcrew batch cancel 0d4f3c1e-7a63-4f0c-8d0a-4a2f2f8b9c11"},
    {"batch", "retry", false, "ID", TAKES_ONE,
     "queue failed and cancelled jobs of a batch again", batch_retry, NULL, NULL,
     "pgcrew batch retry 0d4f3c1e-7a63-4f0c-8d0a-4a2f2f8b9c11"},

    {"job", "list", false, "", TAKES_NONE,
     "jobs, the newest first", job_list, job_list_options, NULL,
     "pgcrew job list --status failed --kind mail --limit 50"},
    {"job", "show", false, "ID", TAKES_ONE,
     "all that is known of a job", job_show, NULL, NULL,
     "pgcrew job show 4711"},
    {"job", "log", false, "ID", TAKES_ONE,
     "attempts of a job: how they ended, what they used, the end of what they wrote", job_log, NULL, NULL,
     "pgcrew job log 4711"},
    {"job", "retry", false, "ID...", TAKES_SOME,
     "queue failed or cancelled jobs again", job_retry, NULL, NULL,
     "pgcrew job retry 4711 4712"},
    {"job", "cancel", false, "ID...", TAKES_SOME,
     "cancel jobs; those that run are asked to stop", job_cancel, NULL, NULL,
     "pgcrew job cancel 4711"},

    {"queue", "list", false, "", TAKES_NONE,
     "queues: what waits, and which are paused", queue_list, NULL, NULL,
     "pgcrew queue list"},
    {"queue", "pause", false, "NAME...", TAKES_SOME,
     "claim nothing more from these queues, on any host", queue_pause, NULL,
     "What has been claimed is run to its end, and jobs can be put in.",
     "pgcrew queue pause mail"},
    {"queue", "resume", false, "NAME...", TAKES_SOME,
     "end the pause of these queues", queue_resume, NULL, NULL,
     "pgcrew queue resume mail"},

    {"schedule", "list", false, "", TAKES_NONE,
     "schedules: when they are due, and how their last jobs are", schedule_list, NULL, NULL,
     "pgcrew schedule list"},
    {"schedule", "add", false, "NAME CRON KIND [PAYLOAD|-]", 3, 4,
     "put a job in again and again; changes the schedule of that name", schedule_add, schedule_add_options,
     "CRON is one word: minute hour day month weekday, or @hourly @daily @weekly @monthly @yearly,\n"
     "or @every and a time. The same can be added again: what is due next stays.",
     "pgcrew schedule add report '30 6 * * mon-fri' report '{\"to\": \"ann@example.com\"}' --timezone Europe/Berlin\n"
     "pgcrew schedule add poll '@every 90s' poll --overlap no"},
    {"schedule", "remove", false, "NAME...", TAKES_SOME,
     "remove schedules; the jobs that they have put in stay", schedule_remove, NULL, NULL,
     "pgcrew schedule remove report"},
    {"schedule", "pause", false, "NAME...", TAKES_SOME,
     "let schedules put no more jobs in", schedule_pause, NULL, NULL,
     "pgcrew schedule pause report"},
    {"schedule", "resume", false, "NAME...", TAKES_SOME,
     "end the pause of schedules; what was due meanwhile is not caught up", schedule_resume, NULL, NULL,
     "pgcrew schedule resume report"},
    {"schedule", "run", false, "NAME", TAKES_ONE,
     "put a job of a schedule in now", schedule_run, NULL, NULL,
     "pgcrew schedule run report"},
    {"schedule", "next", false, "CRON", TAKES_ONE,
     "say when a schedule with this text would be due", schedule_next, schedule_next_options, NULL,
     "pgcrew schedule next '0 9 * * mon-fri' --timezone America/New_York --count 10"},

    {"why", NULL, false, "ID", TAKES_ONE,
     "why a job has not started or has not ended", why_run, NULL, NULL,
     "pgcrew why 4711"},
    {"stats", NULL, false, "", TAKES_NONE,
     "what the daemon of this host does, and what waits in each queue", stats_run, stats_options, NULL,
     "pgcrew stats --json | jq .database.queues"},
    {"workers", NULL, false, "", TAKES_NONE,
     "processes of this host, and workers of all hosts", workers_run, NULL, NULL,
     "pgcrew workers"},

    {"scale", NULL, false, "N", TAKES_ONE,
     "so many workers on this host, until the next reload or restart", scale_run, NULL, NULL,
     "pgcrew scale 8"},
    {"reload", NULL, false, "", TAKES_NONE,
     "let the daemon read its configuration again", reload_run, NULL, NULL,
     "pgcrew reload"},
    {"drain", NULL, false, "", TAKES_NONE,
     "claim no more, and end when the running jobs have ended", drain_run, wait_options, NULL,
     "pgcrew drain --wait"},
    {"stop", NULL, false, "", TAKES_NONE,
     "stop the daemon of this host", stop_run, stop_options, NULL,
     "pgcrew stop --wait"},
    {"ping", NULL, false, "", TAKES_NONE,
     "does the daemon answer? exit status 0 or 69", ping_run, ping_options, NULL,
     "pgcrew ping --db"},
    {"doctor", NULL, false, "", TAKES_NONE,
     "check everything; exit status 1 if something is wrong", doctor_run, doctor_options, NULL,
     "pgcrew doctor\n"
     "pgcrew doctor --job 4711\n"
     "pgcrew doctor --job 4711 --token - < token   # why the user gets \"Job not found\""},
    {"token", NULL, false, "", TAKES_NONE,
     "make a token of a user, for tests; or look at one", token_run, token_options,
     "Signed by gateway.jwt_secret (SUPABASE_JWT_SECRET), as Supabase's legacy tokens are. Whoever\n"
     "has it is as good as a signed-in user: keep it like a password. --verify says what the\n"
     "gateway would, exit status 1 if it would refuse.",
     "token=$(pgcrew token --sub 5b2f5e4e-0b0c-4c53-9f55-0e1d6a3f1a11 --for 5min)\n"
     "pgcrew token --claim 'app_metadata={\"team\": 7}' --claim is_anonymous=true\n"
     "pgcrew token --verify - < token"},
    {"bench", NULL, false, "", TAKES_NONE,
     "measure the queue in this database, in a schema of its own", bench_run, bench_options,
     "Makes the schema pgcrew_bench, runs jobs that do nothing through the daemon's own processes,\n"
     "and removes the schema. Jobs and daemons that are there are not touched, but share the server.\n"
     "Wants the login that runs migrate. OF LIMIT is the ratio to a bare loop in the same round.\n"
     "With --json one line of JSON a figure.",
     "pgcrew --database postgresql://postgres@db/app bench\n"
     "pgcrew bench --sections drain,latency --jobs 10000 --json > bench.jsonl"},
    {"help", NULL, false, "[COMMAND [WORD]]", 0, 2,
     "options and examples of a command", help_run, NULL, NULL,
     "pgcrew help batch watch"},
};
/* clang-format on */
const size_t n_commands = LENGTH(commands);

static enum cli_exit
help_about(const char *name, const char *sub)
{
    const char *near;

    for (size_t i = 0; i < n_commands; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            help_command(stdout, name, sub);
            return CLI_DONE;
        }
    }
    near = command_nearest(name);
    fputs("pgcrew: unknown command '", stderr);
    out_printable(stderr, name, false);
    fprintf(stderr, "'%s%s%s\n", near ? ": did you mean '" : "", near ? near : "",
            near ? "'?" : "");
    return CLI_USAGE;
}

static enum cli_exit
help_run(UNUSED struct cli *cli, const struct args *args)
{
    if (args->n_words == 0) {
        help_all(stdout);
        return CLI_DONE;
    }
    return help_about(args->words[0], args->n_words > 1 ? args->words[1] : NULL);
}

/* --help, --version, or no command at all; false: there is something to run. */
static bool
is_answered(const struct args *args, enum cli_exit *ret)
{
    *ret = CLI_DONE;
    if (args_has(args, "version")) {
        puts("pgcrew " PACKAGE_VERSION);
    } else if (args_has(args, "help") && args->command != NULL) {
        help_command(stdout, args->command->name, args->command->sub);
    } else if (args_has(args, "help") && args->n_words > 0) {
        help_command(stdout, args->words[0], NULL);
    } else if (args_has(args, "help")) {
        help_all(stdout);
    } else if (args->command == NULL) {
        help_all(stderr);
        *ret = CLI_USAGE;
    } else {
        return false;
    }
    return true;
}

static enum cli_exit
wrong_use(const struct args *args, const struct err *err)
{
    out_note(err->text);
    if (args->command != NULL) {
        help_usage(stderr, args->command);
        fprintf(stderr, "more: pgcrew help %s\n", args->command->name);
    } else {
        fprintf(stderr, "more: pgcrew help\n");
    }
    return CLI_USAGE;
}

/* A full disk or a closed pipe must not look like success. */
static enum cli_exit
close_output(enum cli_exit status)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return status;
    fprintf(stderr, "pgcrew: cannot write to standard output\n");
    return status == CLI_DONE ? CLI_NOT_DONE : status;
}

int
main(int argc, char **argv)
{
    struct arena arena;
    struct args args;
    struct cli cli;
    enum cli_exit status;
    struct err err;

    /* The daemon's socket may close while we write; standard output may too. */
    signal(SIGPIPE, SIG_IGN);
    arena_init(&arena);
    if (!args_parse(&arena, argc, argv, &args, &err)) {
        status = wrong_use(&args, &err);
    } else if (!is_answered(&args, &status)) {
        cli_init(&cli, &args);
        status = args.command->run(&cli, &args);
        cli_release(&cli);
    }
    arena_release(&arena);
    return (int)close_output(status);
}
