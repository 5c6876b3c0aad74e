/*
 * The room's own words.
 *
 *   keeper            the tool itself: makes the schema, shows how far it is, removes it
 *   └── runner        measures, section after section; its own process group
 *       ├── client    several: each a connection that does the same again and again
 *       └── daemon    the supervisor with its janitor and workers
 *
 * The keeper does little, so that it is there to clean up whatever happens to the others.
 * Nobody forks while he has a session.
 *
 * bench.c     the command
 * home.c      the schema: may it be made, make it, remove it
 * keeper.c    starts the runner, hears what it says, ends it
 * show.c      what a person or a program gets to see
 * figures.c   what is measured; medians
 * runner.c    rounds and sections
 * sections.c  how each figure is measured
 * session.c   a session in which the queue has another name
 * clients.c   bare loops of several clients: the limits
 * daemon.c    starts and ends the daemon
 * nothing.c   the way to run a job that does nothing
 */
#ifndef PGCREW_BENCH_INTERNAL_H
#define PGCREW_BENCH_INTERNAL_H

#include <sys/types.h>

#include "bench/figures.h"
#include "cli/cli.h"
#include "db/session.h"

#define BENCH_SCHEMA "pgcrew_bench"
/* Who finds this comment on a schema may drop it. */
#define BENCH_COMMENT "pgcrew bench: made to measure, removed at the end or by the next run"
#define BENCH_APPLICATION "pgcrew bench"

/* Kinds of jobs, see nothing.c. */
#define KIND_NOTHING "nothing"
#define KIND_STAMPED "stamped" /* its payload is the time of its call, its result how old it was */

#define PUT_ROWS 1000 /* rows of an insert of many */
#define TAKE_ROWS 500 /* rows of a delete of many */

struct plan {
    int64_t jobs; /* of the greatest sections */
    int workers;
    int rounds;
    unsigned sections; /* bits, 1 << section */
    bool reads_wal;
};

/* Jobs of a smaller section: jobs / part, within bounds. */
int64_t plan_part(const struct plan *plan, int64_t part, int64_t least, int64_t most);
int64_t plan_single(const struct plan *plan);
int64_t plan_calls(const struct plan *plan);   /* of one row */
int64_t plan_samples(const struct plan *plan); /* of latency */
int plan_steps(const struct plan *plan);

/* --- home.c ------------------------------------------------------------------------- */

/* What was found before anything was made: facts.sql. */
struct home {
    struct session *db;
    json_t *facts;
    bool is_left_over; /* a schema of an earlier run is there */
};

/*
 * Look, and take the lock.  Nothing is changed.  False: it has been said why, cli->status has
 * the exit status.
 */
bool home_look(struct cli *cli, const struct plan *plan, struct home *ret) MUST_CHECK;
bool home_make(struct home *home, struct err *err) MUST_CHECK;
/* Remove it; over a new session if the old one is gone. */
bool home_remove(struct cli *cli, struct home *home, struct err *err) MUST_CHECK;

/* --- keeper.c ------------------------------------------------------------------------ */

/* A message of the runner. */
struct said {
    enum { SAID_STEP, SAID_SAMPLE, SAID_FAILED } what;
    enum section section;
    int round;
    enum figure figure;
    double value;
    struct err err;
};

struct runner {
    pid_t pid;
    int go;    /* written to once: begin */
    int heard; /* struct said; end of file: it has ended */
};

/* A fork of this process that waits for runner_go(); before there is a session. */
bool runner_start(const struct conf *conf, const struct plan *plan, struct runner *ret,
                  struct err *err) MUST_CHECK;
void runner_go(struct runner *r, bool reads_wal);
/* End it and all that it has started, whatever they do. */
void runner_end(struct runner *r);

/* --- session.c ----------------------------------------------------------------------- */

/* As the login, without limits of time. */
bool bench_open(const struct conf *conf, struct session **ret, struct err *err) MUST_CHECK;
/* What sql stands for in the schema of the bench. */
char *bench_text(const char *sql) MUST_CHECK;
/* Texts are written for the real queue: public.jobs is that of the bench, pgcrew.x too. */
bool bench_script(struct session *db, const char *sql, struct err *err) MUST_CHECK;
bool bench_prepare(struct session *db, const char *name, const char *sql,
                   struct err *err) MUST_CHECK;
/* One parameter at most; results are text. */
bool bench_call(struct session *db, const char *name, const char *arg, PGresult **ret,
                struct err *err) MUST_CHECK;
/* One number. */
bool bench_number(struct session *db, const char *sql, double *ret, struct err *err) MUST_CHECK;

/* --- runner.c ------------------------------------------------------------------------ */

struct bench {
    const struct conf *conf;
    const struct plan *plan;
    int to_keeper;
    int round;
    struct session *db; /* NULL while processes are forked */
    pid_t daemon;       /* 0: none */
};

int runner_main(const struct conf *conf, const struct plan *plan, int to_keeper);
void bench_sample(const struct bench *b, enum figure figure, double value);
void pause_ms(int64_t ms);
void bench_say_failed(int to_keeper, const struct err *err);
bool bench_need_session(struct bench *b, struct err *err) MUST_CHECK;
void bench_drop_session(struct bench *b);

/* --- sections.c ---------------------------------------------------------------------- */

extern bool (*const section_runs[SECTIONS])(struct bench *b, struct err *err);

/* --- clients.c ----------------------------------------------------------------------- */

/* Each of n clients does body until it ends; one more does extra, which may be NULL. */
struct crowd_plan {
    int n;
    int64_t batch; /* rows of a call */
    int64_t rows;  /* where the rows come meanwhile: so many */
    enum { CROWD_TAKE, CROWD_CLAIM, CROWD_LIFE } what;
};

/* Rows a second, of all of them; bench_bare or bench_marked are empty then. */
bool crowd_run(struct bench *b, const struct crowd_plan *plan, double *ret,
               struct err *err) MUST_CHECK;

/* --- daemon.c ------------------------------------------------------------------------ */

/* The daemon with so many workers, on the bench's schema; claim_max 0: as configured. */
bool daemon_start(struct bench *b, int claim_max, struct err *err) MUST_CHECK;
bool daemon_stop(struct bench *b, struct err *err) MUST_CHECK;
bool daemon_is_there(struct bench *b, struct err *err) MUST_CHECK;

/* --- show.c -------------------------------------------------------------------------- */

void show_intent(const struct plan *plan, const struct home *home);
/* How many of the plan's steps are done, and what comes now. */
void show_step(struct cli *cli, const struct plan *plan, int done, const struct said *now);
void show_steps_over(void);
void show_figures(struct cli *cli, const struct plan *plan, const struct home *home,
                  const struct samples *samples);

#endif
