/*
 * The dashboard's own words, shared by its files.
 *
 * dashboard.c   the process: sessions, routes, the end
 * door.c        before each request: headers, who asks, whether he may
 * login.c       what opens the dashboard; pass.c: what a browser keeps of it
 * assets.c      the pages
 * ask.c         a statement, and its answer as an answer of HTTP
 * filter.c      which jobs are meant
 * jobs.c        search, one job, what is done to it
 * why.c         why one is where it is
 * bulk.c        the same to many; bulk_read.c: what is wished
 * lists.c       batches, queues, schedules, errors, hosts
 * scrape.c      the metrics
 * watch.c       the overview, for all who look; trend.c: what it makes of the seconds before
 */
#ifndef PGCREW_DASHBOARD_INTERNAL_H
#define PGCREW_DASHBOARD_INTERNAL_H

#include "config/conf.h"
#include "dashboard/dashboard.h"
#include "dashboard/login.h"
#include "db/db.h"
#include "front/front.h"
#include "web/web.h"

/*
 * A search may take seconds, and whoever cancels a job shall not wait for it: there are two
 * sessions.
 */
enum desk_name { DESK_QUICK, DESK_SLOW, DESKS };

struct desk {
    struct dashboard *d;
    struct db *db;
    bool open;         /* there is a session and its schema fits */
    bool is_held;      /* a person has to act */
    char why_not[512]; /* for a person */
    int backend_pid;
    uint64_t connects;
    ev_timer look_again;
};

struct watch;

struct dashboard {
    const struct child *child;
    const struct conf *conf;
    struct ev_loop *loop;
    struct front *front;
    struct login login;
    struct desk desks[DESKS];
    struct watch *watch;
    uint64_t db_errors;
};

/* --- door.c: of each request ----------------------------------------------------------- */

struct visit {
    struct dashboard *d;
    bool is_in; /* logged in */
    bool by_cookie;
    struct pass pass;
    char csrf[PASS_CSRF_SIZE];
    const char *opens; /* text of a cookie that is good as long as this login is */
    const char *who;   /* "session 1a2b3c4d from 192.0.2.1", for the log */
    void *of_route;    /* what the route keeps until it answers */
};

bool door_before(struct web_request *r, void *owner);
/* By the token or the cookie; false: it has been answered. */
bool door_come_in(struct web_request *r);
struct visit *door_visit(struct web_request *r);
void door_login(struct web_request *r, void *owner);
void door_logout(struct web_request *r, void *owner);
void door_session(struct web_request *r, void *owner);
void door_page(struct web_request *r, void *owner);

/* --- ask.c ------------------------------------------------------------------------------- */

#define ASK_SHORT_MS 5000
#define ASK_LONG_MS 15000 /* what changes things in steps */

/* {"code", "message", "details", "hint"}; hint may be NULL. */
void ask_refuse(struct web_request *r, int status, const char *message, const char *hint);
/* The first statement of each transaction: what the others may take. */
void ask_limit(struct db *db, int64_t timeout_ms);
void ask_answer_json(struct web_request *r, const char *json, size_t len);
/*
 * One statement in a transaction of its own; answer gets r as its argument and has to answer
 * it.  Without a session that may be used 503 is answered here.  Takes params.
 */
void ask_desk(struct web_request *r, enum desk_name desk, int64_t timeout_ms,
              const struct statement *what, struct params *params, db_answer *answer);
/* The same; the first column of its row is the answer: JSON.  No row is 404. */
void ask_for_json(struct web_request *r, enum desk_name desk, const struct statement *what,
                  struct params *params);
/* What went wrong, for the browser. */
void ask_failed(struct web_request *r, const struct err *err);
/* An action is done: who, what, how many. */
void ask_log_deed(struct web_request *r, const char *what, int64_t count);

/* Of the query: a number of at least 1, or fallback; false: it was refused. */
bool ask_number(struct web_request *r, const char *name, int64_t max, int64_t fallback,
                int64_t *ret) MUST_CHECK;
bool ask_uuid(struct web_request *r, const char *text, struct uuid *ret) MUST_CHECK;

/* --- routes ------------------------------------------------------------------------------ */

void jobs_search(struct web_request *r, void *owner);
void jobs_show(struct web_request *r, void *owner);
void jobs_act(struct web_request *r, void *owner);
void bulk_act(struct web_request *r, void *owner);
void lists_batches(struct web_request *r, void *owner);
void lists_batch(struct web_request *r, void *owner);
void lists_batch_act(struct web_request *r, void *owner);
void lists_queues(struct web_request *r, void *owner);
void lists_queue_act(struct web_request *r, void *owner);
void lists_schedules(struct web_request *r, void *owner);
void lists_schedule_act(struct web_request *r, void *owner);
void lists_errors(struct web_request *r, void *owner);
void lists_hosts(struct web_request *r, void *owner);

/* why.c: the answer has what why_json() reads: "why": "...", "advice": "...", or null. */
void why_ask_job(struct web_request *r, int64_t id, db_answer *answer);
void why_json(const PGresult *res, struct buf *sink);

/* An action on jobs by its name in a path: "retry", "cancel", "delete"; NULL: none. */
const struct statement *jobs_statement(const char *action);

/* --- scrape.c ---------------------------------------------------------------------------- */

void scrape_metrics(struct web_request *r, void *owner);

/* --- watch.c ----------------------------------------------------------------------------- */

/* $1 and $2 of watch.sql. */
#define WATCH_COUNT_MAX 10000
#define WATCH_RUNNING_MAX 200

struct watch *watch_new(struct dashboard *d);
void watch_free(struct watch *w);
void watch_overview(struct web_request *r, void *owner);
void watch_live(struct web_request *r, void *owner);

/* An overview that is no older than a second is there; err: it cannot be had. */
typedef void watch_ready(struct web_request *r, const struct err *err);
/* At once, or when it is there. */
void watch_want(struct web_request *r, watch_ready *ready);
/* Of it, as JSON. */
const char *watch_queues_json(const struct watch *w);
const char *watch_daemon_json(const struct watch *w);
const char *watch_health_json(const struct watch *w);

#endif
