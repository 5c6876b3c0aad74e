/*
 * The configuration: one struct, filled from defaults < file < environment <
 * overrides of the command line.
 *
 * options.c has one row per option and decides names, defaults, limits and what
 * a reload may change.  A struct conf never changes after conf_load(): a reload
 * loads a second one and swaps.  Everything in it lives in its own arena.
 */
#ifndef PGCREW_CONFIG_CONF_H
#define PGCREW_CONFIG_CONF_H

#include "base/arena.h"
#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"

struct conf_list {
    const char *const *items; /* followed by a NULL; never NULL itself after conf_load() */
    size_t n;
};

enum conf_listen { CONF_LISTEN_AUTO, CONF_LISTEN_OFF };

/* Do claims and finishes wait until the server has them on disk? */
enum conf_durability { CONF_STRICT, CONF_RELAXED };

enum conf_switch { CONF_NO, CONF_YES };

/* Which attempts leave a row in pgcrew.attempts. */
enum conf_keep { CONF_KEEP_FAILED, CONF_KEEP_ALL };

/* Who may read the metrics: everybody who reaches the dashboard, who is logged in, nobody. */
enum conf_metrics { CONF_METRICS_OPEN, CONF_METRICS_LOGIN, CONF_METRICS_OFF };

/* A process that serves HTTP. */
struct conf_web {
    struct conf_list listen; /* "127.0.0.1:8480", "/run/x.sock", "systemd"; none: no process */
    int connections_max;
    int per_address_max; /* 0: no limit */
    size_t header_max, body_max;
    int64_t request_ms; /* a request must have arrived after so long */
    int64_t idle_ms;    /* a connection without a request is closed after so long */
};

/* The ways to run a job; the key under `handlers:` that names what runs is the name of the way. */
enum conf_way { CONF_EXEC, CONF_SERVE, CONF_MODULE, CONF_SQL, CONF_HTTP, CONF_WAYS };

/* What runs the jobs of one kind.  Fields of another way than its own are as if not written. */
struct handler_conf {
    const char *kind; /* "*" takes every kind that has no handler of its own */
    enum conf_way way;
    int line; /* in the file, for messages */

    int64_t timeout_ms;
    int64_t retry_first_ms;
    int64_t retry_max_ms;
    int tempfail_max;
    int slots; /* of its own, in each worker; 0: it takes part in worker.slots */
    enum conf_keep keep_attempts;

    /* exec and serve: a program ... */
    const char *program;     /* absolute path */
    const char *const *argv; /* argv[0] as it was written; NULL-terminated */
    const char *const *envp; /* handler.env and this handler's env, looked up: NAME=value,
                                NULL-terminated; names that are not set are left out */
    struct conf_list env;    /* this handler's own, as written: NAME or NAME=value */
    const char *workdir;     /* NULL: its own temporary folder */
    int nice;                /* 0..19 */
    /* ... and what it may take; 0 is no limit */
    const char *user;    /* NULL: the daemon's */
    size_t memory;       /* bytes, all its processes together */
    int cpu_percent;     /* of one processor: 150 is one and a half */
    int64_t cpu_time_ms; /* of each process */
    int processes;
    int open_files;
    size_t file_size;
    size_t tmp_size;
    enum conf_switch network;

    /* serve */
    int programs;  /* in each worker */
    int in_flight; /* jobs at once in one program, if it can */
    int64_t answer_ms;
    int recycle_jobs;
    int64_t recycle_age_ms;
    size_t recycle_memory;

    /* module */
    const char *module;   /* absolute path of a shared object */
    const char *function; /* NULL: the one called as the kind */

    /* sql */
    const char *sql;  /* schema.function */
    const char *role; /* NULL: the session's own */
    enum conf_switch as_owner;

    /* http */
    const char *url;
    struct conf_list
        headers;      /* "Name: value", values may have ${env:X}, ${file:X}, ${credential:X} */
    const char *sign; /* a reference to the key of the signature: "env:X" and so on */
    const char *ca_file;
    int redirects;
    enum conf_switch allow_local;
    size_t response_max;
};

struct conf {
    struct arena arena;
    const char *path;  /* the file it came from; NULL when there is none */
    const char *doubt; /* what is wrong with the rights of that file; NULL: nothing */

    const char *name; /* this host, as workers and logs show it */

    const char *db_url;  /* libpq URL or key=value; NULL: libpq's PG* variables */
    const char *db_role; /* SET ROLE after connecting; NULL: none */
    const char *schema;  /* of the queue; no option: NULL but for the daemon of `pgcrew bench` */
    enum conf_listen db_listen;
    enum conf_durability db_durability;
    int64_t connect_timeout_ms;
    int64_t statement_timeout_ms;
    int64_t health_ms;          /* how often the janitor measures the server's health */
    int64_t old_transaction_ms; /* a transaction of so long is warned of */

    int workers; /* never 0: counted when the file says 0 */
    int slots;   /* jobs at once per worker */
    int64_t claim_ahead_ms;
    int claim_max;
    int64_t drain_ms; /* how long running jobs may take to end when we stop */
    int64_t grace_ms; /* between TERM and KILL of a handler */
    int64_t stall_ms; /* a worker whose loop does not beat for so long is killed */
    /* A worker is replaced, between jobs, after so many of them, so long, above so much; 0: never. */
    int recycle_jobs;
    int64_t recycle_age_ms;
    size_t recycle_memory;
    size_t memory_max; /* a worker above it is killed at once; 0: no limit */

    struct conf_list queues;
    int64_t poll_ms;
    int64_t stall_after_ms; /* idle workers that take nothing of what waits are a stall; 0: never */
    int64_t lease_ms;

    int64_t retry_first_ms;
    int64_t retry_max_ms;
    int tempfail_max; /* so many EX_TEMPFAIL are not charged */

    int64_t timeout_ms;   /* of a handler that says nothing else */
    struct conf_list env; /* names of environment variables that every handler gets */
    enum conf_keep keep_attempts;
    size_t handler_memory;
    int handler_processes;

    size_t payload_max;
    size_t result_max;
    size_t stderr_tail;
    size_t log_line_max;

    struct conf_web gateway;
    const char *gateway_url; /* its own login; never the daemon's rights */
    int gateway_sessions;
    int64_t gateway_statement_ms;
    int gateway_requests_max;              /* in the database at once */
    const char *jwt_secret;                /* NULL: only keys of jwks_file */
    const char *jwks_file;                 /* NULL: only jwt_secret */
    const char *jwt_audience, *jwt_issuer; /* NULL: any */
    struct conf_list gateway_roles;        /* that a token may name */
    const char *service_key;               /* who sends it may do all; NULL: nobody */
    struct conf_list origins;              /* whose pages may ask, by CORS */
    int64_t watch_ms;
    int listeners_max, listeners_per_user; /* streams of events */

    struct conf_web dashboard;
    const char *dashboard_token_file; /* NULL: no login by a token */
    enum conf_switch dashboard_service_key_login;
    int64_t dashboard_session_ms;
    enum conf_metrics dashboard_metrics;

    const char *socket_path;
    const char *socket_group; /* NULL: the daemon's own */
    enum log_level log_level;
    enum conf_switch allow_root;

    const struct handler_conf *handlers; /* sorted by kind */
    size_t n_handlers;
    struct conf_list kinds; /* of the handlers, sorted, without "*" */
    bool any_kind;          /* there is a handler for "*" */
};

enum {
    /*
     * For the tool: handler programs are not looked for (they may be on another
     * host) and a default file that may not be read counts as missing.
     */
    CONF_FOR_TOOL = 1,
};

struct conf_source {
    const char *path;             /* NULL: the default file, which may be missing */
    const char *const *overrides; /* "worker.count=2", NULL-terminated; may be NULL */
    unsigned flags;
};

/*
 * Read the configuration.
 *
 * An error is always ERR_CONFIG and says file and line (or the variable, or the
 * override), what is wrong and what is allowed.  The caller owns *ret.
 */
bool conf_load(const struct conf_source *from, struct conf **ret, struct err *err) MUST_CHECK;
void conf_free(struct conf *conf); /* NULL is fine */

const char *conf_way_name(enum conf_way way);

/* The handler of this kind, else the one of "*", else NULL. */
const struct handler_conf *conf_handler(const struct conf *conf, const char *kind);

/*
 * What a reload changes, for the log: "queue.poll_interval 2s -> 1s;
 * database.url needs a restart".  Returns false and adds nothing when old and
 * fresh say the same.  Secrets are named, never shown.
 */
bool conf_diff(const struct conf *old, const struct conf *fresh, struct buf *ret);
/* Give fresh the values that only a restart may change, as old has them. */
void conf_keep_fixed(struct conf *fresh, const struct conf *old);

/* The processes that are forked with a configuration. */
enum conf_holder { CONF_OF_WORKER, CONF_OF_JANITOR, CONF_OF_GATEWAY, CONF_OF_DASHBOARD };

/*
 * In a child: take out of its memory and its environment the secrets that such a process
 * does not need; in conf they are not set any more.  A worker keeps what handlers are given
 * or name.  The gateway keeps nothing of handlers, nor of the environment but what libraries
 * want to know.
 */
void conf_forget(struct conf *conf, enum conf_holder who);

/* Is the value of this override ("database.url=...") a secret? */
bool conf_is_secret(const char *override);

/* The whole configuration as YAML that conf_load() would take; secrets are masked. */
void conf_show(const struct conf *conf, struct buf *ret);

#endif
