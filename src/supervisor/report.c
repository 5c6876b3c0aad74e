/*
 * What we say about ourselves.  The keys are described in methods.h.
 */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/delegation.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/text.h"
#include "supervisor/internal.h"

/* Adding up the pages of a process takes the kernel a while: not for all of many at once. */
#define PSS_FRESH_MS 5000
#define PSS_AT_ONCE 32

/* clang-format off */
static const struct {
    const char *name;
    size_t offset;
} counters[] = {
    {"claims",       offsetof(struct board_score, claims)},
    {"empty_claims", offsetof(struct board_score, empty_claims)},
    {"claimed",      offsetof(struct board_score, claimed)},
    {"succeeded",    offsetof(struct board_score, succeeded)},
    {"failed",       offsetof(struct board_score, failed)},
    {"retried",      offsetof(struct board_score, retried)},
    {"cancelled",    offsetof(struct board_score, cancelled)},
    {"released",     offsetof(struct board_score, released)},
    {"stale",        offsetof(struct board_score, stale)},
    {"round_trips",  offsetof(struct board_score, round_trips)},
    {"db_errors",    offsetof(struct board_score, db_errors)},
    {"connects",     offsetof(struct board_score, connects)},
    {"requests",     offsetof(struct board_score, requests)},
};
static const char *const restart_names[RESTARTS] = {
    [RESTART_PLANNED]     = "planned",
    [RESTART_DATABASE]    = "database",
    [RESTART_CONFIG]      = "config",
    [RESTART_CRASH]       = "crash",
    [RESTART_SIGNAL]      = "signal",
    [RESTART_STALLED]     = "stalled",
    [RESTART_MEMORY]      = "memory",
    [RESTART_FORK_FAILED] = "fork_failed",
};
/* clang-format on */
#define N_COUNTERS LENGTH(counters)
#define N_PING 9

const char *
report_restart_name(enum restart reason)
{
    return restart_names[reason];
}

static uint64_t
get_counter(const struct board_score *score, size_t i)
{
    uint64_t value;

    memcpy(&value, (const char *)score + counters[i].offset, sizeof(value));
    return value;
}

void
report_add_score(struct board_score *sum, const struct board_score *one)
{
    for (size_t i = 0; i < N_COUNTERS; i++) {
        uint64_t value = get_counter(sum, i) + get_counter(one, i);

        memcpy((char *)sum + counters[i].offset, &value, sizeof(value));
    }
    /* What a broken worker says may be too much: it wraps, as the counters do. */
    sum->busy_ms = (int64_t)((uint64_t)sum->busy_ms + (uint64_t)one->busy_ms);
}

static void
pack_counters(msgpack_packer *pk, const struct board_score *score)
{
    for (size_t i = 0; i < N_COUNTERS; i++)
        rpc_key_uint(pk, counters[i].name, get_counter(score, i));
    rpc_key_int(pk, "busy_ms", score->busy_ms);
}

static void
pack_stall(struct supervisor *sup, msgpack_packer *pk)
{
    struct board_stall stall;

    rpc_key_uint(pk, "stalls", sup->stall.n);
    rpc_pack_text(pk, "stall");
    if (!sup->stall.is_on || !board_read_stall(sup->board, &stall)) {
        msgpack_pack_nil(pk);
        return;
    }
    msgpack_pack_map(pk, 5);
    rpc_key_int(pk, "ms", clock_mono_ms() - sup->stall.since_mono_ms);
    rpc_key_int(pk, "jobs", stall.jobs);
    rpc_key_text(pk, "queues", stall.queues);
    rpc_key_text(pk, "fault", stall.is_ours ? "daemon" : "database");
    rpc_key_text(pk, "why", stall.text);
}

static void
pack_ping(struct supervisor *sup, msgpack_packer *pk)
{
    rpc_key_text(pk, "name", sup->conf->name);
    rpc_key_text(pk, "version", PACKAGE_VERSION);
    rpc_key_int(pk, "pid", getpid());
    rpc_key_uint(pk, "generation", sup->generation);
    rpc_key_text(pk, "state", ending_name(sup));
    rpc_key_int(pk, "uptime_ms", clock_mono_ms() - sup->started_mono_ms);
    rpc_key_text(pk, "control_groups", delegation_text());
    pack_stall(sup, pk);
}

void
report_ping(struct supervisor *sup, msgpack_packer *pk)
{
    msgpack_pack_map(pk, N_PING);
    pack_ping(sup, pk);
}

/* --- memory ---------------------------------------------------------------------- */

/* asked counts the processes looked at in this call. */
static int64_t
pss_of(struct member *m, int *asked)
{
    int64_t now_ms = clock_mono_ms();

    if (*asked < PSS_AT_ONCE && (m->pss_mono_ms == 0 || now_ms - m->pss_mono_ms >= PSS_FRESH_MS)) {
        (*asked)++;
        m->pss_bytes = memory_pss_bytes(m);
        m->pss_mono_ms = now_ms;
    }
    return m->pss_bytes;
}

static void
pack_pss(struct supervisor *sup, msgpack_packer *pk)
{
    int64_t sums[BOARD_ROLES] = {0};
    struct slot *slot;
    int asked = 0;

    for (slot = next_slot(sup, NULL); slot != NULL; slot = next_slot(sup, slot)) {
        if (slot->member != NULL)
            sums[slot->role] += pss_of(slot->member, &asked);
    }
    rpc_pack_text(pk, "pss_bytes");
    msgpack_pack_map(pk, 5);
    rpc_key_int(pk, "supervisor", proc_pss_bytes(getpid()));
    rpc_key_int(pk, "janitor", sums[BOARD_JANITOR]);
    rpc_key_int(pk, "workers", sums[BOARD_WORKER]);
    rpc_key_int(pk, "gateway", sums[BOARD_GATEWAY]);
    rpc_key_int(pk, "dashboard", sums[BOARD_DASHBOARD]);
}

/* --- stats ----------------------------------------------------------------------- */

static void
pack_worker_counts(struct supervisor *sup, msgpack_packer *pk, const struct counts *c)
{
    rpc_pack_text(pk, "workers");
    msgpack_pack_map(pk, 7);
    rpc_key_int(pk, "wanted", sup->workers_wanted);
    rpc_key_int(pk, "ready", c->ready);
    rpc_key_int(pk, "leaving", c->leaving);
    rpc_key_int(pk, "idle", c->idle);
    rpc_key_int(pk, "busy", c->busy);
    rpc_key_int(pk, "connecting", c->connecting);
    rpc_key_int(pk, "held", c->held);
}

static void
pack_totals(struct supervisor *sup, msgpack_packer *pk)
{
    struct board_score sum = sup->past, score;
    struct board_roster who;
    struct slot *slot;

    for (slot = next_slot(sup, NULL); slot != NULL; slot = next_slot(sup, slot)) {
        if (slot->member != NULL && board_read(sup->board, slot->member->place, &who, &score))
            report_add_score(&sum, &score);
    }
    rpc_pack_text(pk, "totals");
    msgpack_pack_map(pk, N_COUNTERS + 1);
    pack_counters(pk, &sum);
}

static void
pack_restarts(const struct supervisor *sup, msgpack_packer *pk)
{
    rpc_pack_text(pk, "restarts");
    msgpack_pack_map(pk, RESTARTS);
    for (int i = 0; i < RESTARTS; i++)
        rpc_key_uint(pk, restart_names[i], sup->restarts[i]);
}

/* Of one of which there is one; ret_text is why it is so. */
static const char *
state_of(struct slot *slot, char ret_text[160])
{
    struct board_roster who;
    struct board_score score;

    memcpy(ret_text, slot->why, sizeof(slot->why));
    if (slot->state == SLOT_HELD)
        return "held";
    if (slot->member == NULL || !board_read(slot->sup->board, slot->member->place, &who, &score))
        return "none";
    memcpy(ret_text, score.text, sizeof(score.text));
    return board_state_name(score.state);
}

static void
pack_front(struct front *front, msgpack_packer *pk)
{
    struct slot *slot = &front->slot;
    struct board_roster who;
    struct board_score score = {0};
    char text[160];

    if (slot->member != NULL && !board_read(slot->sup->board, slot->member->place, &who, &score))
        score = (struct board_score){0};
    rpc_pack_text(pk, board_role_name(slot->role));
    if (slot->state == SLOT_EMPTY) {
        msgpack_pack_nil(pk);
        return;
    }
    msgpack_pack_map(pk, 5);
    rpc_key_text(pk, "state", state_of(slot, text));
    rpc_key_text(pk, "text", text);
    rpc_key_int(pk, "connections", score.connections);
    rpc_key_int(pk, "streams", score.streams);
    rpc_key_uint(pk, "requests", score.requests);
}

void
report_stats(struct supervisor *sup, msgpack_packer *pk)
{
    int64_t lease_ok = board_lease_ok(sup->board);
    struct counts c;
    char text[160];

    count_workers(sup, &c);
    msgpack_pack_map(pk, N_PING + 8 + N_TALLYING + FRONTS);
    pack_ping(sup, pk);
    pack_worker_counts(sup, pk, &c);
    rpc_key_text(pk, "janitor", state_of(&sup->janitor, text));
    for (int i = 0; i < FRONTS; i++)
        pack_front(&sup->fronts[i], pk);
    if (lease_ok > 0)
        rpc_key_int(pk, "lease_ok_ms", clock_mono_ms() - lease_ok);
    else
        rpc_key_nil(pk, "lease_ok_ms");
    rpc_key_int(pk, "running", c.running);
    pack_totals(sup, pk);
    pack_restarts(sup, pk);
    rpc_key_uint(pk, "reaps_waiting", sup->n_reaps);
    pack_pss(sup, pk);
    tallying_pack(sup, pk);
}

/* --- workers --------------------------------------------------------------------- */

static void
pack_running(msgpack_packer *pk, const struct board_score *score, int64_t now_ms)
{
    rpc_key_int(pk, "n_running", score->n_running);
    rpc_pack_text(pk, "running");
    msgpack_pack_array(pk, (size_t)score->n_running);
    for (int i = 0; i < score->n_running; i++) {
        msgpack_pack_map(pk, 3);
        rpc_key_int(pk, "job_id", score->running[i].job_id);
        rpc_key_text(pk, "kind", score->running[i].kind);
        rpc_key_int(pk, "ms", now_ms - score->running[i].started_mono_ms);
    }
}

static void
pack_member(struct slot *slot, msgpack_packer *pk, int *asked)
{
    const struct member *m = slot->member;
    struct board_roster who;
    struct board_score score = {.state = BOARD_STARTING};
    int64_t now_ms = clock_mono_ms();
    char process[UUID_TEXT_SIZE];

    if (!board_read(slot->sup->board, m->place, &who, &score))
        score = (struct board_score){.state_mono_ms = now_ms, .beat_mono_ms = now_ms};
    rpc_key_int(pk, "pid", m->pid);
    rpc_key_text(pk, "process", uuid_text(process, &m->process));
    rpc_key_text(pk, "state", board_state_name(score.state));
    rpc_key_text(pk, "text", score.text);
    rpc_key_int(pk, "uptime_ms", now_ms - m->forked_mono_ms);
    rpc_key_int(pk, "state_ms", now_ms - score.state_mono_ms);
    rpc_key_int(pk, "beat_ms", score.rests ? 0 : now_ms - score.beat_mono_ms);
    rpc_key_int(pk, "backend_pid", score.backend_pid);
    rpc_key_bool(pk, "poll_only", score.poll_only);
    rpc_key_int(pk, "pss_bytes", pss_of(slot->member, asked));
    rpc_key_int(pk, "connections", score.connections);
    rpc_key_int(pk, "streams", score.streams);
    pack_counters(pk, &score);
    pack_running(pk, &score, now_ms);
}
#define N_SLOT_KEYS 5
#define N_MEMBER_KEYS (12 + N_COUNTERS + 1 + 2)

static void
pack_slot(struct slot *slot, msgpack_packer *pk, int *asked)
{
    msgpack_pack_map(pk, slot->member != NULL ? N_SLOT_KEYS + N_MEMBER_KEYS : N_SLOT_KEYS + 1);
    rpc_key_text(pk, "role", board_role_name(slot->role));
    rpc_key_int(pk, "slot", slot->number);
    rpc_key_uint(pk, "generation", slot->generation);
    rpc_key_bool(pk, "leaving", slot->is_leaving);
    rpc_key_text(pk, "slot_state", slot_state_name(slot->state));
    if (slot->member != NULL)
        pack_member(slot, pk, asked);
    else
        rpc_key_nil(pk, "state");
}

void
report_workers(struct supervisor *sup, msgpack_packer *pk)
{
    struct slot *slot;
    size_t n = 0;
    int asked = 0;

    for (slot = next_slot(sup, NULL); slot != NULL; slot = next_slot(sup, slot))
        n += slot->state != SLOT_EMPTY;
    msgpack_pack_array(pk, n);
    for (slot = next_slot(sup, NULL); slot != NULL; slot = next_slot(sup, slot)) {
        if (slot->state != SLOT_EMPTY)
            pack_slot(slot, pk, &asked);
    }
}

/* --- children -------------------------------------------------------------------- */

static void
pack_pids(struct supervisor *sup, msgpack_packer *pk, enum board_role role)
{
    struct slot *slot;
    size_t n = 0;

    for (slot = next_slot(sup, NULL); slot != NULL; slot = next_slot(sup, slot))
        n += slot->role == role && slot->member != NULL;
    rpc_pack_text(pk, board_role_name(role));
    msgpack_pack_array(pk, n);
    for (slot = next_slot(sup, NULL); slot != NULL; slot = next_slot(sup, slot)) {
        if (slot->role == role && slot->member != NULL)
            msgpack_pack_int(pk, slot->member->pid);
    }
}

void
report_children(struct supervisor *sup, msgpack_packer *pk)
{
    msgpack_pack_map(pk, 5);
    rpc_key_int(pk, "supervisor", getpid());
    pack_pids(sup, pk, BOARD_JANITOR);
    pack_pids(sup, pk, BOARD_WORKER);
    pack_pids(sup, pk, BOARD_GATEWAY);
    pack_pids(sup, pk, BOARD_DASHBOARD);
}

/* --- the log --------------------------------------------------------------------- */

static void
log_slot(struct slot *slot)
{
    struct board_roster who;
    struct board_score score = {.state = BOARD_STARTING};
    char title[48], since[32];

    slot_title(slot, title);
    if (slot->member == NULL || !board_read(slot->sup->board, slot->member->place, &who, &score)) {
        log_info("state: %s: %s", title, slot_state_name(slot->state));
        return;
    }
    log_info("state: %s (pid %d): %s, %s for %s, %d jobs running, %" PRIu64 " succeeded, %" PRIu64
             " failed%s%s",
             title, (int)slot->member->pid, slot_state_name(slot->state),
             board_state_name(score.state), text_ago(since, clock_mono_ms() - score.state_mono_ms),
             score.n_running, score.succeeded, score.failed, score.text[0] != '\0' ? "; " : "",
             score.text);
}

void
report_to_log(struct supervisor *sup)
{
    int64_t lease_ok = board_lease_ok(sup->board), now_ms = clock_mono_ms();
    char up[32], lease[32];
    struct slot *slot;

    text_ago(up, now_ms - sup->started_mono_ms);
    text_ago(lease, now_ms - lease_ok);
    log_info("state: %s for %s, version %s, configuration %u, %d workers wanted, %zu idle, leases "
             "renewed %s%s, %zu dead workers not reaped yet",
             ending_name(sup), up, PACKAGE_VERSION, sup->generation, sup->workers_wanted,
             wake_n_idle(&sup->wake), lease_ok > 0 ? lease : "never", lease_ok > 0 ? " ago" : "",
             sup->n_reaps);
    for (slot = next_slot(sup, NULL); slot != NULL; slot = next_slot(sup, slot)) {
        if (slot->state != SLOT_EMPTY)
            log_slot(slot);
    }
}
