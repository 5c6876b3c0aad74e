/*
 * The worker's own words, shared by its files.
 *
 * A task is a claimed job in this process.  It moves through four lists:
 *
 *   waiting -> running -> ended -> sent -> gone
 *      '------------------^
 *
 * Kinds that share slots are a lane: it is claimed for by itself, and its tasks
 * wait in a list of their own.
 *
 * worker.c    the loop: when to do what
 * lanes.c     which kinds share slots
 * claiming.c  asks for jobs
 * running.c   starts handlers and hears how they end
 * finishing.c tells the database how they ended
 * counting.c  counts for metrics
 * reporting.c tells the database how far they are
 * sqlway.c    runs jobs whose handler is a SQL function
 * recycling.c ends the process when it has done enough
 * holding.c   is the lease holder: registers, notices a lost lease
 * hearing.c   orders of the supervisor, signals
 */
#ifndef PGCREW_WORKER_INTERNAL_H
#define PGCREW_WORKER_INTERNAL_H

#include <sys/queue.h>

#include "base/backoff.h"
#include "config/conf.h"
#include "db/db.h"
#include "handler/handler.h"
#include "ipc/board.h"
#include "ipc/order.h"
#include "ipc/tally.h"
#include "queue/marks.h"
#include "queue/pace.h"
#include "queue/queue.h"
#include "worker/worker.h"

struct worker;
struct lane;
struct task;

TAILQ_HEAD(task_list, task);

struct task {
    TAILQ_ENTRY(task) link;
    struct task_list *list; /* the one it is in */
    struct worker *worker;
    struct lane *lane;
    int64_t token;
    int tempfails;
    int64_t claimed_mono_ms;
    int64_t started_mono_ms; /* 0: not started */
    int64_t waited_us;       /* until it was claimed, by the clock of the database */
    int64_t claimed_mono_us, started_mono_us, ran_us;
    int tally_row;  /* -1: not known yet */
    struct run run; /* its arena has everything of this task, and the task itself */

    bool lost;     /* the claim was taken away: nothing of it may be written */
    bool unsure;   /* a finish was sent and its answer never came */
    bool alone;    /* its last finish was refused: send it in a call of its own */
    bool stripped; /* ... and without what the handler said */

    int64_t reported_mono_ms; /* 0: not yet */
    bool progressed;          /* since the last report */
    float percent;
    char note[256];

    struct finished finished; /* from the end of the run on */
};

/* Kinds that share slots: worker.slots, or those of one handler. */
struct lane {
    struct worker *worker;
    int slots;
    /* What is claimed for it: these kinds (NULL: any), but none of those. */
    struct conf_list kinds, without;
    bool any_kind;
    struct task_list waiting;
    size_t n_waiting, n_running;

    struct marks marks;
    struct pace pace;
    bool claim_asked;  /* in flight */
    bool claim_sweeps; /* the one in flight */
    int claim_wanted;
    int64_t claim_sent_ms;
    bool wanted; /* there may be work: a wake, a finished job, a fresh session */
    bool idle;   /* its last claim found nothing: it waits to be woken */
    ev_timer look_again;
};

/* Is this process a lease holder? */
enum holding {
    HOLDING_NOT,   /* no session, or the session may not be used */
    HOLDING_ASKED, /* the registration is under way */
    HOLDING,
};

/* What the supervisor wants of us. */
enum ending { ENDING_NOT, ENDING_DRAIN, ENDING_STOP };

struct worker {
    const struct child *child;
    const struct conf *conf;
    struct ev_loop *loop;
    struct order_port *port;
    struct db *db;
    struct arena arena; /* as long as the process */

    enum holding holding;
    enum ending ending;
    bool unregistering;
    int64_t holder;
    char origin[32];        /* of the queue, see queue_read_register() */
    int64_t held_mono_ms;   /* when the registration was asked for */
    bool lost_ended;        /* holding_settle() is due */
    bool waits_for_renewal; /* nothing is claimed, the lease is late */
    char held_back[512];    /* why nothing is claimed although there is a session; "" else */

    struct lane *lanes;
    size_t n_lanes;
    struct task_list running, ended, sent;
    struct task_list **lists; /* all that a task can be in */
    size_t n_lists;
    size_t n_waiting, n_running; /* of all lanes */
    uint64_t n_ended;            /* jobs so far */
    uint64_t n_ended_at_rest;    /* when memory was given back last */
    int64_t started_mono_ms;

    bool idle; /* what the supervisor was told */
    bool report_asked;

    struct arena scratch; /* for reading one answer */
    struct board_score score;
    struct tally_writer *tally;

    ev_timer beat, turn_later, flush, give_back, report, lease, pause, patience, age, measure;
    ev_signal term, interrupt, quit;
};

/* worker.c */
void worker_turn_soon(struct worker *w); /* look at everything again, in this turn of the loop */
/* Commit what does nothing but claim, finish and report, as durably as the configuration says. */
void worker_commit(struct worker *w);
void worker_pause(struct worker *w, int64_t ms); /* claim nothing for a while */
void worker_drain(struct worker *w,
                  const char *why); /* claim nothing more, end when all has ended */

/* lanes.c */
#define LANE_FOREACH(lane, w)                                                                      \
    for (struct lane *lane = (w)->lanes; lane < (w)->lanes + (w)->n_lanes; lane++)
void lanes_init(struct worker *w);
int lane_free_slots(const struct lane *lane);
/* May this task start?  It has a slot, or its way takes tasks without one. */
bool lane_lets_start(const struct lane *lane, const struct task *task);
/* A free slot and nothing to put into it. */
bool lanes_have_room(const struct worker *w);
bool lanes_are_idle(const struct worker *w, const struct lane *but); /* any of them, but one */
void lanes_want(struct worker *w); /* claim for all of them: there may be work */
/* The numbers of the queues, in the order of the configuration. */
void lanes_number(struct worker *w, const int64_t *numbers);

/* running.c */
struct task *task_new(struct lane *lane, const struct claimed *job);
void task_free(struct task *task);                       /* in no list any more */
void task_move(struct task *task, struct task_list *to); /* NULL: to no list */
void running_start(struct worker *w); /* waiting tasks, while there are free slots */
void running_cancel(struct worker *w, int64_t job_id);
void running_stop_all(struct worker *w);
/* The lease may be over before we can renew it: end all handlers now, give all back. */
void running_abandon_all(struct worker *w);
/* Forget a task whose claim is not ours: its handler is killed, its result dropped. */
void running_lose(struct task *task, const char *why);
struct task *task_of(const struct run *run);
struct task *running_find(struct worker *w, int64_t job_id);

/* claiming.c */
void claiming_init(struct worker *w);
void claiming_ask(struct lane *lane); /* within the current transaction */
bool claiming_is_wanted(const struct lane *lane);
void claiming_give_back(struct worker *w); /* what has not started */

/* finishing.c */
void finishing_init(struct worker *w);
bool finishing_is_due(const struct worker *w);
void finishing_ask(struct worker *w); /* all ended tasks, within the current transaction */
/* The task has ended; its finished part is filled but for the job's id. */
void finishing_add(struct task *task);

/* The end of the task is in the database already, and this is what it said. */
void finishing_settled(struct task *task, const struct finish_answer *answer);

/* counting.c */
void counting_started(struct task *task);
void counting_ran(struct task *task, int64_t ran_ms); /* so long, by the word of its way */
/* status: of the job now, as the database says; NULL: its claim had been taken away. */
void counting_ended(struct task *task, const char *status);

/* sqlway.c */
extern const struct way way_sql;
void sqlway_turn(void); /* what could not be asked before */

/* reporting.c */
void reporting_init(struct worker *w);
void reporting_progress(struct task *task, float percent, const char *note);
void reporting_plan(struct worker *w);

/* recycling.c */
void recycling_init(struct worker *w);
void recycling_check(struct worker *w); /* after each turn */
void recycling_rest(struct worker *w);  /* nothing to do just now */

/* holding.c */
/* How a session of this worker is made; what is the end of its name. */
struct db_options holding_options(struct worker *w, const char *what);
bool holding_start(struct worker *w, struct err *err) MUST_CHECK;
/* May a job be claimed, or would its handler be killed at once? */
bool holding_is_renewed(const struct worker *w);
void holding_watch(struct worker *w); /* after each turn: the lease, while it matters */
void holding_lost(struct worker *w, const char *why); /* the holder is not known any more */
/*
 * A lost attempt has ended.  As long as its handler ran its job was said to be known, or
 * another would have started it; if it is ours nevertheless (the holder was given up
 * mistakenly, or has claimed the job again and did not hear it), it goes back now.  Not while
 * a claim is in flight: its jobs are ours and we do not know them yet.
 */
void holding_settle(struct worker *w);
void holding_end(struct worker *w); /* give it all up; the process ends then */

/* hearing.c */
void hearing_start(struct worker *w);
void hearing_tell_idle(struct worker *w, bool idle);

#endif
