/*
 * The scoreboard: what every process of this host is doing, in shared
 * anonymous memory made before the first fork.
 *
 * A place has two halves with one writer each: the roster half is written by
 * the supervisor when it forks and when it reaps, the score half by the child
 * that has the place.  Readers copy and check the sequence count; they trust
 * nothing they read (lengths and enums are brought into range by the copy).
 *
 * Adding a field?  Fill it in board_take(), print it in cli/stats.c or
 * cli/workers.c and in supervisor/report.c.
 */
#ifndef PGCREW_IPC_BOARD_H
#define PGCREW_IPC_BOARD_H

#include <stdatomic.h>
#include <sys/types.h>

#include "base/base.h"
#include "base/uuid.h"

/* Places: worker slots and those leaving during a reload, the janitor, who serves HTTP. */
#define BOARD_PLACES 2304
#define BOARD_RUNNING 16 /* job ids shown per worker; more slots than that show the oldest */

enum board_role { BOARD_NOBODY, BOARD_WORKER, BOARD_JANITOR, BOARD_GATEWAY, BOARD_DASHBOARD };
#define BOARD_ROLES (BOARD_DASHBOARD + 1)

enum board_state {
    BOARD_STARTING,   /* forked, not yet ready */
    BOARD_CONNECTING, /* no database session yet, or lost */
    BOARD_IDLE,       /* nothing to do */
    BOARD_BUSY,       /* jobs in hand */
    BOARD_DRAINING,   /* ends when its jobs have ended */
    BOARD_HELD,       /* connected, but must not claim: schema or privileges; text says why */
};

struct board_running {
    int64_t job_id;
    int64_t started_mono_ms;
    char kind[48];
};

/* Written by the supervisor. */
struct board_roster {
    enum board_role role;
    int slot; /* 1..N for workers, 0 for those of which there is one */
    pid_t pid;
    uint32_t generation; /* of the configuration it was forked with */
    struct uuid process; /* made at the fork; what the lease is known by */
    int64_t forked_mono_ms;
};

/* Written by the child. */
struct board_score {
    enum board_state state;
    uint64_t beat; /* rises with every turn of a timer, while it does not rest */
    int64_t beat_mono_ms;
    bool rests;     /* has nothing in hand and asked for nothing: only an order makes it move */
    uint64_t heard; /* orders so far */
    int64_t state_mono_ms; /* since when it is in this state */
    bool poll_only;        /* behind a transaction pooler: no LISTEN */
    int backend_pid;
    bool holds; /* registered as a lease holder in its present session */
    uint64_t claims, empty_claims, claimed; /* claim calls, those that found nothing, jobs */
    uint64_t succeeded, failed, retried, cancelled, released;
    uint64_t stale; /* ended here, but the claim had been taken away */
    uint64_t round_trips, db_errors, connects;
    uint64_t requests;        /* of HTTP, answered */
    int connections, streams; /* of HTTP, open */
    int64_t busy_ms;          /* sum of the run times of all ended jobs */
    int n_running;
    struct board_running running[BOARD_RUNNING];
    char text[160]; /* last error or reason, "" when all is well */
};

struct board;

/* Pages shared with every process forked later.  NULL is not returned: aborts without memory. */
struct board *board_new(void);

/* Supervisor: give a place to a child about to be forked; -1 when all are taken. */
int board_take(struct board *b, const struct board_roster *who);
void board_set_pid(struct board *b, int place, pid_t pid);
void board_clear(struct board *b, int place); /* after the child was reaped */

/* Child: publish a whole score. */
void board_publish(struct board *b, int place, const struct board_score *score);
/* How often a child beats that must not be silent for so long: each second, or more often. */
int64_t board_beat_ms(int64_t stall_ms);

/* Anybody: a consistent copy; false when the place is free or was written all the time. */
bool board_read(const struct board *b, int place, struct board_roster *ret_who,
                struct board_score *ret_score) MUST_CHECK;

/*
 * When the janitor last renewed this host's leases: the monotonic time, in ms,
 * just before the renewal that succeeded was sent.  0 until then.
 */
void board_set_lease_ok(struct board *b, int64_t mono_ms);
int64_t board_lease_ok(const struct board *b);

/*
 * Janitor: idle workers of this host claim nothing of what waits.  Written before ORDER_STALLED
 * and ORDER_FLOWS; texts are for a person.
 */
struct board_stall {
    int64_t since_mono_ms; /* nothing was claimed since then */
    int64_t jobs;          /* that wait, of the next 1000 of each queue */
    bool is_ours;          /* the database gives them to who claims: our workers are to blame */
    char queues[128];      /* "default, images" */
    char text[384];        /* why, or why it is over */
};

void board_set_stall(struct board *b, const struct board_stall *stall);
/* False when there was none yet. */
bool board_read_stall(const struct board *b, struct board_stall *ret) MUST_CHECK;

/*
 * Child, in any thread: code of this job's handler runs inside the process (0: of none).  The
 * supervisor reads it when the child has died: that job is to blame, no other.
 */
void board_set_inside(struct board *b, int place, int64_t job_id);
int64_t board_inside(const struct board *b, int place);

const char *board_state_name(enum board_state state);
const char *board_role_name(enum board_role role);

#endif
