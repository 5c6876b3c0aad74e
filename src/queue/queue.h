/*
 * The life of a job in SQL: one function a statement, which knows its
 * parameters and its columns.  The statements are in queue/sql, what they call
 * in migrations/005_queue_functions.sql and 006_schedules.sql.
 *
 *   enqueue -> ready -> claim -> finish -> (succeeded | failed | cancelled)
 *                ^        |        '-> scheduled (retry) -> promote -> ready
 *                '--------'  release, reap
 *
 * queue_ask_...() asks within the current transaction of the session (the
 * caller closes it by db_commit()); queue_read_...() reads a row of the answer.
 */
#ifndef PGCREW_QUEUE_QUEUE_H
#define PGCREW_QUEUE_QUEUE_H

#include "db/db.h"
#include "queue/marks.h"

/* The schema that these statements are written for: the number of the last migration. */
#define QUEUE_SCHEMA_VERSION 6

/*
 * May this program work with the schema that the session found?  A newer one says itself
 * whether it may, see db_read_schema().  False says to a person what to do; nothing must be
 * claimed then.
 */
bool queue_schema_fits(const struct db_session *session, struct err *err) MUST_CHECK;

/* A worker process as the database knows it. */
struct queue_worker {
    struct uuid process;
    const char *name;
    int slot;
    const char *const *queues;
    size_t n_queues;
    const char *const *kinds; /* NULL: any */
    size_t n_kinds;
    int slots;
    int64_t lease_ms;
};

void queue_ask_register(struct db *db, const struct queue_worker *w, db_answer *answer, void *arg);

struct registered {
    int64_t holder;
    int64_t *tokens; /* claims of earlier sessions of this process */
    size_t n_tokens;
    const char *origin; /* a name of the queue that stays and that no other database has */
    int64_t *numbers;   /* of the worker's queues, in their order */
};

/* Arrays are in a, origin belongs to the result. */
void queue_read_register(const PGresult *res, struct arena *a, struct registered *ret);
void queue_ask_unregister(struct db *db, const struct uuid *process, db_answer *answer, void *arg);

struct claim {
    int64_t holder;
    struct places places;
    const char *const *kinds; /* NULL: any ... */
    size_t n_kinds;
    const char *const *without; /* ... but these; NULL: none */
    size_t n_without;
    int want;
    bool stay_idle; /* the holder waits for other kinds, whatever this call finds */
};

/*
 * Just before its commit: the transaction need not be on disk when it is answered: a crash of the
 * server may undo the newest such transactions.  Only for what is then done again, never for
 * registering: nobody may be given the id of a holder twice.
 */
void queue_ask_relax(struct db *db);

void queue_ask_claim(struct db *db, const struct claim *claim, db_answer *answer, void *arg);

/* One claimed job; texts belong to the result. */
struct claimed {
    int64_t token;
    int64_t job_id;
    const char *queue;
    int priority;
    const char *kind;
    const char *payload;
    size_t payload_len;
    int attempt;
    int max_attempts;
    struct uuid batch_id; /* zero: none */
    struct uuid user_id;  /* zero: none */
    int tempfails;        /* attempts of this job that were not charged so far */
    int64_t waited_us;    /* since it could have run, until it was claimed */
};

void queue_read_claim(const PGresult *res, int row, struct claimed *ret);

/* What becomes of a job; the words of pgcrew.finish(). */
enum outcome {
    OUTCOME_SUCCEEDED,
    OUTCOME_FAILED, /* never again */
    OUTCOME_RETRY,  /* charged; scheduled again, or failed when attempts are used up */
    OUTCOME_AGAIN,  /* not charged; scheduled again */
    OUTCOME_CANCELLED,
    OUTCOME_RELEASE, /* back as it was */
};

const char *outcome_name(enum outcome outcome);

struct finished {
    int64_t job_id;
    enum outcome outcome;
    int64_t ran_ms;     /* -1: was never started */
    int64_t wait_ms;    /* for RETRY and AGAIN */
    const char *result; /* JSON or NULL */
    const char *error;
    const char *cause; /* NULL when there is nothing to say; "succeeded": note the attempt */
    int exit_status;   /* -1: none */
    int signal;        /* 0: none */
    const char *stderr_tail;
    int64_t user_ms, system_ms, max_rss_bytes; /* 0: not known */
};

/* Jobs of one claim.  The answer has a row for each that did not just succeed. */
void queue_ask_finish(struct db *db, int64_t holder, int64_t token, const struct finished *jobs,
                      size_t n, db_answer *answer, void *arg);

struct finish_answer {
    int64_t job_id;
    const char *status; /* of the job now; NULL: it was not the holder's any more */
    int attempts, max_attempts;
    int64_t wait_ms; /* until the next attempt, -1: none */
};

void queue_read_finish(const PGresult *res, int row, struct finish_answer *ret);

/* A handler that is a SQL function. */
struct sql_call {
    int64_t holder, token, job_id;
    const char *function; /* with its schema */
    const char *role;     /* NULL: the session's */
    bool as_owner;
    bool keep; /* note the attempt */
    int64_t timeout_ms;
};

/* A row as of queue_read_finish(), or none: the claim is not the holder's. */
void queue_ask_run_sql(struct db *db, const struct sql_call *call, db_answer *answer, void *arg);
/* End what another session of this login is doing. */
void queue_ask_cancel_backend(struct db *db, int backend_pid, db_answer *answer, void *arg);

struct progress {
    int64_t token;
    int64_t job_id;
    int64_t ran_ms;
    float percent; /* negative: unknown */
    const char *note;
};

void queue_ask_report(struct db *db, int64_t holder, const struct progress *jobs, size_t n,
                      db_answer *answer, void *arg);
int64_t queue_read_report(const PGresult *res, int row); /* a job that is not ours any more */

/* All that holder has goes back, but these jobs. */
void queue_ask_release_unknown(struct db *db, int64_t holder, const int64_t *known, size_t n,
                               db_answer *answer, void *arg);
int64_t queue_read_release_unknown(const PGresult *res); /* jobs given back */

void queue_ask_heartbeat(struct db *db, const struct uuid *processes, size_t n, db_answer *answer,
                         void *arg);
struct uuid queue_read_heartbeat(const PGresult *res, int row, struct arena *a,
                                 int64_t **ret_cancels, size_t *ret_n);

/* only: no job but those running can have ended the process.  running NULL: nobody knows. */
void queue_ask_reap_process(struct db *db, const struct uuid *process, const int64_t *running,
                            size_t n, bool only, db_answer *answer, void *arg);
int64_t queue_read_reap_process(const PGresult *res); /* jobs given back */
void queue_ask_reap_expired(struct db *db, db_answer *answer, void *arg);

struct reaped {
    const char *name;
    int slot;
    int64_t jobs;
};

void queue_read_reap_expired(const PGresult *res, int row, struct reaped *ret);

void queue_ask_promote(struct db *db, int most, db_answer *answer, void *arg);
/* At most so many schedules put their jobs in. */
void queue_ask_run_schedules(struct db *db, int most, db_answer *answer, void *arg);
/* The answer of both: how many jobs became ready; *ret_next_ms is -1 when nothing waits. */
int64_t queue_read_due(const PGresult *res, int64_t *ret_next_ms);

/* Does anything wait that an idle worker among these processes would claim? */
void queue_ask_waits_for(struct db *db, const struct uuid *processes, size_t n, db_answer *answer,
                         void *arg);
/* *ret_cost_ms: how long the server took to find out. */
bool queue_read_waits_for(const PGresult *res, int64_t *ret_cost_ms);

void queue_ask_survey(struct db *db, const char *const *queues, size_t n, db_answer *answer,
                      void *arg);

struct surveyed {
    const char *queue;
    const char *kind;
    int64_t jobs;
};

void queue_read_survey(const PGresult *res, int row, struct surveyed *ret);

/* Why these processes, idle for a while, claim nothing. */
void queue_ask_stalled(struct db *db, const struct uuid *processes, size_t n, db_answer *answer,
                       void *arg);

struct stalled {
    const char *queues; /* "default, images" */
    int64_t jobs;       /* of the next 1000 of each queue */
    bool gives;         /* the database gives them to who claims */
    const char *detail; /* why they are not claimed, for a person */
};

/* False: nothing surely waits for them. */
bool queue_read_stalled(const PGresult *res, struct stalled *ret);

/* How is the server?  A transaction older than old_ms is pointed out. */
void queue_ask_health(struct db *db, int64_t old_ms, db_answer *answer, void *arg);

/* A figure. */
struct health {
    const char *name, *subject; /* "dead_rows", "pgcrew.ready"; subject may be "" */
    const char *level;          /* ok, warn, error */
    double value;
    const char *finding, *fix; /* "" when there is nothing to say */
};

void queue_read_health(const PGresult *res, int row, struct health *ret);

#define QUEUE_FINDING 128

/*
 * The figure "server_ms" as one of the difference to our clock.  The server read its clock
 * between the question and the answer, so what lies outside of both is a difference for
 * sure, however long the way was.
 */
void queue_judge_clock(int64_t server_ms, int64_t asked_real_ms, int64_t answered_real_ms,
                       char finding[QUEUE_FINDING], struct health *ret);

#endif
