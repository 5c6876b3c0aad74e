/*
 * The janitor's own words, shared by its files.
 *
 * janitor.c    the loop, the session, orders
 * leases.c     heartbeat of this host's workers; cancellations come back with it
 * reaping.c    dead workers of this host by order, dead hosts by sweep
 * promoting.c  scheduled jobs that are due; what waits for idle workers; kinds nobody handles
 * stalling.c   what waits, and idle workers do not take
 * health.c     what of the server will stop or slow us down
 *
 * Each duty has a timer, at most one question in flight, and tries again by
 * its timer when the question fails.  What will be due soon goes along with what is
 * due now, as one transaction.
 */
#ifndef PGCREW_JANITOR_INTERNAL_H
#define PGCREW_JANITOR_INTERNAL_H

#include "config/conf.h"
#include "db/db.h"
#include "ipc/board.h"
#include "ipc/order.h"
#include "janitor/janitor.h"
#include "queue/queue.h"

struct janitor;

struct duty {
    ev_timer timer;
    int64_t due_mono_ms; /* while the timer runs */
    int64_t every_ms;
    bool asked;
    bool again;  /* wanted once more while a question was in flight */
    bool alone;  /* in a transaction of its own: always, or because the last one failed */
    bool shared; /* the question in flight is in a transaction with others */
    void (*ask)(struct janitor *j); /* without the commit */
};

/* In the order they are asked: the heartbeat last, so that its locks are held shortly. */
enum duty_name {
    DUTY_PROMOTE,
    DUTY_SURVEY,
    DUTY_STALL,
    DUTY_HEALTH,
    DUTY_HEARTBEAT,
    DUTY_SWEEP,
    DUTIES
};

struct reap; /* reaping.c */

/* How far a worker process was when we looked last. */
struct progress_seen {
    struct uuid process;
    uint64_t claimed, db_errors;
};

#define CONCERNS 32

/* What was warned of, until it has been well twice. */
struct concern {
    char name[32], subject[96]; /* name "": free */
    bool is_error;
    int well; /* so many measures in a row */
};

struct janitor {
    const struct child *child;
    const struct conf *conf;
    struct ev_loop *loop;
    struct order_port *port;
    struct db *db;
    bool open; /* there is a session and it fits */
    bool poll_only;
    char held_back[512]; /* why the session may not be used; "" else */

    struct duty duties[DUTIES];
    int64_t schedules_due_ms; /* of the question in flight; -1: none will be */
    int64_t look_due_mono_ms; /* not sooner: the last look for waiting jobs was dear */
    int64_t heartbeat_sent_ms;
    struct uuid sent[BOARD_PLACES]; /* processes of the heartbeat in flight */
    bool sent_holds[BOARD_PLACES];
    size_t n_sent;

    struct reap *reaps;
    size_t n_reaps, room_reaps;
    char unhandled[512]; /* what the last survey warned of */

    struct progress_seen seen[BOARD_PLACES];
    size_t n_seen;
    bool errors_seen;            /* claims failed since we looked before */
    int64_t waits_since_mono_ms; /* jobs wait, and nothing is claimed; 0: not so */
    bool is_stalled, is_undecided;

    struct concern concerns[CONCERNS];
    int64_t health_asked_real_ms;

    struct arena scratch;
    struct board_score score;
    ev_timer beat, look_again;
    ev_signal term, interrupt, quit;
};

/* janitor.c: do the duty in ms, or when its answer has come. */
void duty_in(struct janitor *j, enum duty_name name, int64_t ms);
/* The answer is here; the next time is in ms.  Errors are logged and counted. */
void duty_answered(struct janitor *j, enum duty_name name, int64_t ms, const struct err *err,
                   const char *what);
/* The worker processes of this host, as the board has them.  ret_holds may be NULL. */
size_t janitor_workers(const struct janitor *j, struct uuid ret[BOARD_PLACES],
                       bool ret_holds[BOARD_PLACES]);

void leases_heartbeat(struct janitor *j);
void reaping_order(struct janitor *j, const struct order *order);
void reaping_go_on(struct janitor *j); /* ask for all that has not been asked in this session */
void reaping_session_lost(struct janitor *j);
void reaping_sweep(struct janitor *j);
void promoting_promote(struct janitor *j);
void promoting_survey(struct janitor *j);
void stalling_look(struct janitor *j);
void stalling_session_lost(struct janitor *j, const char *why);
/* How often to look; 0: never. */
int64_t stalling_every_ms(const struct conf *conf);
void health_measure(struct janitor *j);

#endif
