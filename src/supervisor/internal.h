/*
 * The supervisor's own words, shared by its files.
 *
 * supervisor.c  begins, turns, ends
 * slots.c       the table: what an event means for a slot
 * life.c        does what the table says
 * fork.c        makes a child
 * fronts.c      who serves HTTP: whether they are wanted, and their listening sockets
 * hear.c        what children say
 * death.c       a child has ended
 * memory.c      how much memory a child has
 * strays.c      what dead workers left behind has to be gone, too
 * reap.c        what the janitor still has to give back
 * legacy.c      what an earlier supervisor, which was killed, left to be given back
 * wake.c        whom to wake
 * stall.c       jobs wait, and idle workers do not take them
 * pulse.c       who has stopped beating, or has too much memory
 * renewal.c     reload: a new configuration, one child after the other
 * scale.c       how many workers
 * ending.c      drain, stop, kill, in this order
 * signals.c     what a person says with kill(1)
 * methods.c     what a program says over the control socket
 * report.c      what we say about ourselves
 * counts.c      how many of us do what
 * tallying.c    what all have counted since our start, for metrics
 * notify.c      what we tell systemd
 */
#ifndef PGCREW_SUPERVISOR_INTERNAL_H
#define PGCREW_SUPERVISOR_INTERNAL_H

#include "base/backoff.h"
#include "base/loop.h"
#include "config/conf.h"
#include "ipc/board.h"
#include "ipc/ctl.h"
#include "ipc/kin.h"
#include "ipc/listen.h"
#include "ipc/order.h"
#include "ipc/tally_sum.h"
#include "supervisor/slots.h"
#include "supervisor/supervisor.h"
#include "supervisor/wake.h"

#define WORKERS_MAX 1024
/* first delay, longest delay, and the healthy time after which failures are forgiven */
#define BACKOFF_OF_CHILDREN ((struct backoff){100, 30000, 10000, 0})

struct supervisor;

enum restart {
    RESTART_PLANNED,
    RESTART_DATABASE,
    RESTART_CONFIG,
    RESTART_CRASH,
    RESTART_SIGNAL,
    RESTART_STALLED,
    RESTART_MEMORY, /* above worker.memory_max */
    RESTART_FORK_FAILED,
    RESTARTS
};

/* Files of /proc that a child hands to us, see memory.c. */
enum memory_file { MEMORY_STATUS, MEMORY_ROLLUP, MEMORY_FILES };

/* A process in a slot.  It may move to another slot, so orders come to it, not to the slot. */
struct member {
    struct slot *slot;
    pid_t pid;
    int place; /* on the board */
    struct order_port *port;
    struct uuid process;
    uint32_t generation;
    int64_t forked_mono_ms;
    uint64_t beat; /* the last one seen, */
    int64_t beat_seen_mono_ms;
    enum restart killed_for;                     /* by us; RESTART_PLANNED: it was not */
    int memory_socket, memory_fds[MEMORY_FILES]; /* -1: not yet, not any more */
    int64_t pss_bytes, pss_mono_ms;
    struct tally *tally; /* its block; NULL: it counts nothing */
    struct tally_seen seen;
    int64_t cpu_ns; /* seen last */
};

struct slot {
    struct supervisor *sup;
    enum board_role role;
    int number; /* 1..N for workers, 0 for those of which there is one */
    enum slot_state state;
    struct member *member; /* NULL: no process */
    uint32_t generation;   /* of the newest process there was */
    struct backoff backoff;
    ev_timer timer;
    char why[160]; /* there is no process: what its end or the attempt to start it said */
    bool is_leaving;
    struct slot *next; /* among those leaving */
};

/* How far the end of the daemon has come; it never goes back. */
enum ending {
    ENDING_NOT,
    ENDING_DRAIN,   /* workers end when their jobs have ended */
    ENDING_STOP,    /* workers end their jobs */
    ENDING_KILL,    /* workers that did not are killed */
    ENDING_REAP,    /* no worker is left; the janitor gives back what they held */
    ENDING_JANITOR, /* the janitor ends, and who serves HTTP: until here they tell users */
    ENDING_OVER
};

/* Who serves HTTP. */
enum front_name { FRONT_GATEWAY, FRONT_DASHBOARD, FRONTS };

struct front {
    struct slot slot;
    struct listen_set sockets;
};

struct reap;
struct left;

/* Workers of an earlier supervisor, see legacy.c. */
struct legacy {
    struct left *left;
    size_t n;
    ev_timer again;
    int64_t until_mono_ms;
};

/* What is done about a stall that is our own fault, see stall.c. */
struct stall {
    bool is_on;
    int64_t since_mono_ms; /* nothing was claimed since then */
    bool is_ours;
    int helps;              /* so often workers were replaced */
    int64_t helped_mono_ms; /* the last time */
    bool gave_up;           /* the watchdog is not fed */
    uint64_t n;             /* stalls since the start */
};

#define ROLES 5 /* of enum board_role */

/* Since our start, by role; of those who have ended, too. */
struct tallying {
    struct tallies *tallies; /* NULL: there was no memory for them */
    struct tally_sum sums[ROLES];
    struct board_score past[ROLES];
    int64_t cpu_ns[ROLES];
    uint64_t restarts[ROLES][RESTARTS];
    uint64_t reloads, reloads_refused;
};

struct supervisor {
    const struct supervisor_plan *plan;
    struct conf *conf;
    struct ev_loop *loop;
    struct board *board;
    struct ctl_place place;
    struct kin *kin; /* NULL: nobody after us will know of our workers */
    struct ctl *ctl;
    uint32_t generation; /* of conf */
    int64_t started_mono_ms;

    struct slot janitor;
    struct front fronts[FRONTS];
    struct slot workers[WORKERS_MAX]; /* number n is [n - 1] */
    int workers_wanted;
    int workers_made; /* slots above were never used */
    struct slot *leaving;

    ev_child any_child;
    ev_timer tick;
    int64_t ticked_mono_ms;
    struct wake wake;
    struct stall stall;

    struct backoff database_backoff; /* shared: the database is away for all */
    int64_t database_until_mono_ms;
    uint64_t restarts[RESTARTS];
    struct tallying tallying;
    struct board_score past; /* counters of those who have ended */

    struct reap *reaps; /* oldest first */
    size_t n_reaps;
    struct legacy legacy;
    ev_timer strays;
    int64_t strays_since_mono_ms; /* 0: there are none */
    pid_t *inherited;             /* children that were there before us */
    size_t n_inherited;

    bool is_renewing;
    struct slot *renewed; /* the slot we are waiting for; NULL: none yet */

    enum ending ending;
    bool ending_has_limit;
    ev_timer patience;
    int exit_status;

    bool is_announced;  /* systemd knows that we are ready */
    bool owes_ready;    /* systemd waits for the end of a reload */
    bool ready_is_lost; /* READY was sent, but not heard */
    int64_t status_mono_ms;
    char status[256]; /* what systemd was told last */
    ev_timer watchdog;
    int64_t watchdog_ms; /* 0: none */
};

/* supervisor.c */
/* Every slot: first NULL, then the one before; NULL at the end.  Leaving ones come last. */
struct slot *next_slot(struct supervisor *sup, const struct slot *before);
size_t list_pids(struct supervisor *sup, pid_t **ret); /* of all members; the caller frees */
const char *slot_title(const struct slot *slot, char ret[48]); /* "worker 3", "janitor" */

/* life.c */
void slot_init(struct slot *slot, struct supervisor *sup, enum board_role role, int number);
void slot_event(struct slot *slot, enum slot_event event);
/* All slots, or only those of workers. */
void tell_all(struct supervisor *sup, enum slot_event event, bool workers_only);

/* fork.c */
bool fork_member(struct slot *slot, struct err *err) MUST_CHECK;
void member_free(struct member *member); /* closes its port, clears its place */

/* fronts.c */
void fronts_init(struct supervisor *sup);
/* Start who is wanted, let go who is not. */
void fronts_follow(struct supervisor *sup);
struct front *front_of(const struct slot *slot); /* NULL: it is none */
bool front_listen(struct front *front, struct err *err) MUST_CHECK;
/* Before a reload: what fresh wants is open, too; on an error some of it may be. */
bool fronts_prepare(struct supervisor *sup, const struct conf *fresh, struct err *err) MUST_CHECK;
void fronts_trim(struct supervisor *sup); /* what is not wanted is closed */
/* Nobody accepts any more: who connects is refused, not left waiting. */
void front_close(struct front *front);
void fronts_close(struct supervisor *sup);

/* hear.c */
void hear_order(void *owner, const struct order *order);
void hear_gone(void *owner);

/* memory.c */
void memory_hand_over(int socket); /* in the child */
/* 0 when it cannot be read. */
int64_t memory_rss_bytes(struct member *m);
int64_t memory_pss_bytes(struct member *m);
void memory_release(struct member *m);

/* death.c */
void death_start(struct supervisor *sup);
void death_stop_in_child(struct supervisor *sup);

/* strays.c */
void stray_init(struct supervisor *sup);
void stray_look_soon(struct supervisor *sup); /* something has ended: is all of it gone? */
void stray_tick(struct supervisor *sup);
void stray_forget_inherited(struct supervisor *sup, pid_t pid);
void stray_kill_all(struct supervisor *sup);

/* reap.c */
/* only: no job but those in score can have ended it. */
void reap_add(struct supervisor *sup, const struct uuid *process, const struct board_score *score,
              bool only);
void reap_add_unseen(struct supervisor *sup, const struct uuid *process); /* nothing of it lives */
bool reap_oldest_waiting(const struct supervisor *sup, int64_t *ret_died_mono_ms);
/* Those who died before this moment left nothing that still runs. */
void reap_release(struct supervisor *sup, int64_t died_until_mono_ms);
void reap_tell_janitor(struct supervisor *sup); /* all that were not asked of this one */
void reap_ask_again(struct supervisor *sup);    /* the janitor was replaced */
void reap_done(struct supervisor *sup, const struct uuid *process);
void reap_free_all(struct supervisor *sup);

/* legacy.c */
void legacy_begin(struct supervisor *sup); /* once, when the control socket is ours */
void legacy_free(struct supervisor *sup);

/* pulse.c */
void pulse_check(struct supervisor *sup, bool we_slept);

/* stall.c */
void stall_on(struct supervisor *sup);                    /* the janitor says so, again and again */
void stall_over(struct supervisor *sup, const char *why); /* nothing, if there was none */

/* renewal.c */
bool reload(struct supervisor *sup, struct buf *ret_changed, struct err *err) MUST_CHECK;
void renewal_go_on(struct supervisor *sup);

/* scale.c */
bool scale_to(struct supervisor *sup, int workers, struct err *err) MUST_CHECK;

/* ending.c */
void ending_init(struct supervisor *sup);
void ending_drain(struct supervisor *sup, bool with_limit);
void ending_stop(struct supervisor *sup);
void ending_check(struct supervisor *sup); /* somebody has ended, something was given back */
const char *ending_name(const struct supervisor *sup);

/* signals.c */
void signals_start(struct supervisor *sup);
/* From here to our exit none ends us, as it would by default once nobody listens. */
void signals_ignore(void);
void signals_stop(struct supervisor *sup);

/* report.c */
void report_ping(struct supervisor *sup, msgpack_packer *pk);
void report_stats(struct supervisor *sup, msgpack_packer *pk);
void report_workers(struct supervisor *sup, msgpack_packer *pk);
void report_children(struct supervisor *sup, msgpack_packer *pk);
void report_to_log(struct supervisor *sup);
void report_add_score(struct board_score *sum, const struct board_score *one);
const char *report_restart_name(enum restart reason);

/* counts.c */
struct counts {
    int ready, leaving, idle, busy, connecting, held, running;
    uint64_t ended; /* jobs */
    uint64_t claimed;
    char held_text[160]; /* why one of them is held */
};
void count_workers(struct supervisor *sup, struct counts *ret);

/* tallying.c */
void tallying_init(struct supervisor *sup); /* before the first fork */
void tallying_release(struct supervisor *sup);
void tallying_born(struct member *m);
void tallying_tick(struct supervisor *sup); /* what cannot be seen of the dead */
void tallying_died(struct member *m, const struct board_score *score);
void tallying_restarted(const struct slot *slot, enum restart reason);
/* Keys of stats. */
#define N_TALLYING 8
void tallying_pack(struct supervisor *sup, msgpack_packer *pk);

/* notify.c */
void notify_start(struct supervisor *sup);
void
notify_settled(struct supervisor *sup); /* a child became ready, or is held: was it the last? */
void notify_reloading(struct supervisor *sup);
void notify_reloaded(struct supervisor *sup);
void notify_stopping(struct supervisor *sup);
void notify_tick(struct supervisor *sup);

#endif
