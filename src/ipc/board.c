/*
 * The scoreboard in shared anonymous memory.
 *
 * Each half of a place is kept twice and written in turn: version v lies in
 * copy v % 2.  A writer that is killed in the middle of version v + 1 leaves
 * version v whole, so the supervisor can still read what a dead child was doing.
 * A reader that finds that a second write has begun while it copied tries again.
 */
#include "ipc/board.h"

#include <assert.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fault.h"

#define BEAT_MS 1000
#define BEATS_PER_STALL 4
#define READ_RETRIES 1000

/* The count that readers check.  The two numbers differ only while somebody writes. */
struct latch {
    _Atomic uint64_t begun; /* the newest version of which a write has begun */
    _Atomic uint64_t done;  /* the newest version that is whole; 0: none yet */
};

struct place {
    /* Roster half: written by the supervisor. */
    alignas(CACHE_LINE) struct latch roster_latch;
    struct board_roster roster[2];
    /* Score half: written by the child, on cache lines of its own. */
    alignas(CACHE_LINE) struct latch score_latch;
    alignas(CACHE_LINE) struct board_score score[2];
    alignas(CACHE_LINE) _Atomic int64_t inside;
};

struct board {
    _Atomic int64_t lease_ok_mono_ms;
    struct latch stall_latch;
    struct board_stall stall[2];
    /* Places above were never taken: nobody has to touch their pages. */
    alignas(CACHE_LINE) _Atomic int n_used;
    struct place places[BOARD_PLACES];
};

static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "a lock would be left held by a killed process");

struct board *
board_new(void)
{
    void *pages = mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (pages == MAP_FAILED) {
        perror("pgcrewd: no memory for the scoreboard");
        abort();
    }
    return pages; /* zeroes, which are a board without anybody */
}

static void
latch_write(struct latch *latch, void *copies, const void *fresh, size_t size, const char *point)
{
    uint64_t version = atomic_load_explicit(&latch->done, memory_order_relaxed) + 1;

    atomic_store_explicit(&latch->begun, version, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    memcpy((char *)copies + (version % 2) * size, fresh, size);
    fault_here(point);
    atomic_store_explicit(&latch->done, version, memory_order_release);
}

static bool
latch_read(const struct latch *latch, const void *copies, void *ret, size_t size)
{
    for (int i = 0; i < READ_RETRIES; i++) {
        uint64_t version = atomic_load_explicit(&latch->done, memory_order_acquire);

        memcpy(ret, (const char *)copies + (version % 2) * size, size);
        atomic_thread_fence(memory_order_acquire);
        /* The copy is whole unless the write after next, into the same half, has begun. */
        if (atomic_load_explicit(&latch->begun, memory_order_relaxed) < version + 2)
            return true;
    }
    return false;
}

static bool
is_place(int place)
{
    return place >= 0 && place < BOARD_PLACES;
}

static void
write_roster(struct place *p, const struct board_roster *who)
{
    latch_write(&p->roster_latch, p->roster, who, sizeof(*who), "board.roster");
}

static struct board_roster
own_roster(const struct place *p)
{
    /* Only the supervisor writes it, and only the supervisor calls this. */
    return p->roster[atomic_load_explicit(&p->roster_latch.done, memory_order_relaxed) % 2];
}

int
board_take(struct board *b, const struct board_roster *who)
{
    struct board_score fresh = {
        .state = BOARD_STARTING,
        .beat_mono_ms = who->forked_mono_ms,
        .state_mono_ms = who->forked_mono_ms,
    };

    for (int place = 0; place < BOARD_PLACES; place++) {
        struct place *p = &b->places[place];

        if (place < atomic_load(&b->n_used) && own_roster(p).role != BOARD_NOBODY)
            continue;
        /* No child has this place, so its half is ours until the fork. */
        latch_write(&p->score_latch, p->score, &fresh, sizeof(fresh), "board.score");
        atomic_store(&p->inside, 0);
        write_roster(p, who);
        if (place >= atomic_load(&b->n_used))
            atomic_store(&b->n_used, place + 1);
        return place;
    }
    return -1;
}

void
board_set_pid(struct board *b, int place, pid_t pid)
{
    struct board_roster who;

    if (!is_place(place))
        return;
    who = own_roster(&b->places[place]);
    who.pid = pid;
    write_roster(&b->places[place], &who);
}

void
board_clear(struct board *b, int place)
{
    struct board_roster nobody = {.role = BOARD_NOBODY};

    if (is_place(place))
        write_roster(&b->places[place], &nobody);
}

int64_t
board_beat_ms(int64_t stall_ms)
{
    int64_t ms = stall_ms / BEATS_PER_STALL;

    return ms < BEAT_MS ? ms : BEAT_MS;
}

void
board_publish(struct board *b, int place, const struct board_score *score)
{
    struct place *p;

    if (!is_place(place))
        return;
    p = &b->places[place];
    latch_write(&p->score_latch, p->score, score, sizeof(*score), "board.score");
}

/* A byte that is neither 0 nor 1 is no bool: it must not be read as one. */
static void
make_bool(bool *b)
{
    unsigned char byte;

    memcpy(&byte, b, sizeof(byte));
    *b = byte != 0;
}

/* Nobody's time is before the start of the clock. */
static void
make_time(int64_t *ms)
{
    if (*ms < 0)
        *ms = 0;
}

/* What a broken child wrote must not break who reads it. */
static void
bring_into_range(struct board_score *s)
{
    make_bool(&s->rests);
    make_bool(&s->poll_only);
    make_bool(&s->holds);
    make_time(&s->beat_mono_ms);
    make_time(&s->state_mono_ms);
    make_time(&s->busy_ms);
    if ((unsigned)s->state > BOARD_HELD)
        s->state = BOARD_STARTING;
    if (s->n_running < 0)
        s->n_running = 0;
    if (s->n_running > BOARD_RUNNING)
        s->n_running = BOARD_RUNNING;
    for (int i = 0; i < BOARD_RUNNING; i++) {
        make_time(&s->running[i].started_mono_ms);
        s->running[i].kind[sizeof(s->running[i].kind) - 1] = '\0';
    }
    if (s->connections < 0)
        s->connections = 0;
    if (s->streams < 0)
        s->streams = 0;
    s->text[sizeof(s->text) - 1] = '\0';
}

bool
board_read(const struct board *b, int place, struct board_roster *ret_who,
           struct board_score *ret_score)
{
    struct board_roster who;
    struct board_score score;
    const struct place *p;

    if (!is_place(place) || place >= atomic_load(&b->n_used))
        return false;
    p = &b->places[place];
    if (!latch_read(&p->roster_latch, p->roster, &who, sizeof(who)) || who.role == BOARD_NOBODY)
        return false;
    if (!latch_read(&p->score_latch, p->score, &score, sizeof(score)))
        return false;
    bring_into_range(&score);
    *ret_who = who;
    *ret_score = score;
    return true;
}

void
board_set_lease_ok(struct board *b, int64_t mono_ms)
{
    atomic_store(&b->lease_ok_mono_ms, mono_ms);
}

int64_t
board_lease_ok(const struct board *b)
{
    return atomic_load(&b->lease_ok_mono_ms);
}

void
board_set_stall(struct board *b, const struct board_stall *stall)
{
    latch_write(&b->stall_latch, b->stall, stall, sizeof(*stall), "board.stall");
}

bool
board_read_stall(const struct board *b, struct board_stall *ret)
{
    if (atomic_load(&b->stall_latch.done) == 0 ||
        !latch_read(&b->stall_latch, b->stall, ret, sizeof(*ret)))
        return false;
    ret->queues[sizeof(ret->queues) - 1] = ret->text[sizeof(ret->text) - 1] = '\0';
    return true;
}

const char *
board_state_name(enum board_state state)
{
    static const char *const names[] = {
        [BOARD_STARTING] = "starting", [BOARD_CONNECTING] = "connecting", [BOARD_IDLE] = "idle",
        [BOARD_BUSY] = "busy",         [BOARD_DRAINING] = "draining",     [BOARD_HELD] = "held",
    };

    return (size_t)state < LENGTH(names) ? names[state] : "unknown";
}

const char *
board_role_name(enum board_role role)
{
    static const char *const names[] = {
        [BOARD_NOBODY] = "nobody",   [BOARD_WORKER] = "worker",       [BOARD_JANITOR] = "janitor",
        [BOARD_GATEWAY] = "gateway", [BOARD_DASHBOARD] = "dashboard",
    };

    return (size_t)role < LENGTH(names) ? names[role] : "unknown";
}

void
board_set_inside(struct board *b, int place, int64_t job_id)
{
    if (is_place(place))
        atomic_store_explicit(&b->places[place].inside, job_id, memory_order_relaxed);
}

int64_t
board_inside(const struct board *b, int place)
{
    return is_place(place) ? atomic_load(&b->places[place].inside) : 0;
}
