/*
 * What all processes have counted since our start, by role: jobs by queue and kind,
 * requests by route and status, round trips, restarts, CPU time.
 *
 * Whoever dies is added up for the last time before his place is given away.
 */
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/proc.h"
#include "supervisor/internal.h"

void
tallying_init(struct supervisor *sup)
{
    const struct conf *conf = sup->conf;

    sup->tallying.tallies =
        tallies_new(BOARD_PLACES, conf->queues.n * (conf->n_handlers > 0 ? conf->n_handlers : 1));
    if (sup->tallying.tallies == NULL)
        log_warn("no memory for tallies: metrics will know nothing of queues and kinds");
}

void
tallying_release(struct supervisor *sup)
{
    tallies_free(sup->tallying.tallies);
    for (int i = 0; i < ROLES; i++)
        tally_sum_release(&sup->tallying.sums[i]);
}

void
tallying_born(struct member *m)
{
    m->tally = tallies_block(m->slot->sup->tallying.tallies, m->place);
    tally_clear(m->tally);
}

void
tallying_restarted(const struct slot *slot, enum restart reason)
{
    slot->sup->restarts[reason]++;
    slot->sup->tallying.restarts[slot->role][reason]++;
}

static void
look_at_cpu(struct member *m)
{
    int64_t cpu_ns = proc_cpu_ns(m->pid);

    if (cpu_ns <= m->cpu_ns)
        return;
    m->slot->sup->tallying.cpu_ns[m->slot->role] += cpu_ns - m->cpu_ns;
    m->cpu_ns = cpu_ns;
}

static void
look_at_tally(struct member *m)
{
    if (m->tally != NULL)
        tally_sum_add(&m->slot->sup->tallying.sums[m->slot->role], &m->seen, m->tally);
}

void
tallying_tick(struct supervisor *sup)
{
    struct slot *slot;

    for (slot = next_slot(sup, NULL); slot != NULL; slot = next_slot(sup, slot)) {
        if (slot->member != NULL)
            look_at_cpu(slot->member);
    }
}

void
tallying_died(struct member *m, const struct board_score *score)
{
    look_at_tally(m);
    report_add_score(&m->slot->sup->tallying.past[m->slot->role], score);
}

/* --- jobs -------------------------------------------------------------------------------- */

static void
pack_counts(msgpack_packer *pk, const char *key, const uint64_t *counts, size_t n)
{
    rpc_pack_text(pk, key);
    msgpack_pack_array(pk, n);
    for (size_t i = 0; i < n; i++)
        msgpack_pack_uint64(pk, counts[i]);
}

static void
pack_bounds(msgpack_packer *pk, const char *key, const int64_t *bounds, size_t n)
{
    rpc_pack_text(pk, key);
    msgpack_pack_array(pk, n);
    for (size_t i = 0; i < n; i++)
        msgpack_pack_int64(pk, bounds[i]);
}

/* clang-format off */
static const struct {
    const char *name;
    enum tally_counter counter;
} job_counters[] = {
    {"succeeded", TALLY_SUCCEEDED},
    {"failed",    TALLY_FAILED},
    {"retried",   TALLY_RETRIED},
    {"cancelled", TALLY_CANCELLED},
    {"released",  TALLY_RELEASED},
    {"stale",     TALLY_STALE},
    {"wait_us",   TALLY_WAIT_US},
    {"run_us",    TALLY_RUN_US},
    {"cpu_us",    TALLY_CPU_US},
};
/* clang-format on */

static void
pack_job_row(msgpack_packer *pk, const struct tally_sum_row *row)
{
    msgpack_pack_map(pk, 4 + LENGTH(job_counters));
    rpc_key_text(pk, "queue", row->first);
    rpc_key_text(pk, "kind", row->second);
    for (size_t i = 0; i < LENGTH(job_counters); i++)
        rpc_key_uint(pk, job_counters[i].name, row->counters[job_counters[i].counter]);
    pack_counts(pk, "wait", row->counters + TALLY_WAIT, TALLY_TIMES);
    pack_counts(pk, "run", row->counters + TALLY_RUN, TALLY_TIMES);
}

static void
pack_jobs(msgpack_packer *pk, const struct tally_sum *sum)
{
    rpc_pack_text(pk, "jobs");
    msgpack_pack_array(pk, sum->n_rows);
    for (size_t i = 0; i < sum->n_rows; i++)
        pack_job_row(pk, &sum->rows[i]);
    rpc_pack_text(pk, "claim_jobs");
    msgpack_pack_map(pk, 2);
    rpc_key_uint(pk, "sum", sum->heads[TALLY_CLAIMED]);
    pack_counts(pk, "counts", sum->heads + TALLY_CLAIM, TALLY_SIZES);
    rpc_pack_text(pk, "bounds");
    msgpack_pack_map(pk, 2);
    pack_bounds(pk, "time_us", tally_times_us, TALLY_TIMES - 1);
    pack_bounds(pk, "jobs", tally_sizes, TALLY_SIZES - 1);
}

/* --- processes --------------------------------------------------------------------------- */

/* What is so now, of all processes of a role. */
struct present {
    int n;
    int64_t rss_bytes, pss_bytes;
    struct board_score score;
    uint64_t gauges[TALLY_GAUGES];
};

static void
look_at(struct member *m, struct present *p)
{
    struct board_roster who;
    struct board_score score;

    look_at_cpu(m);
    look_at_tally(m);
    p->n++;
    p->rss_bytes += memory_rss_bytes(m);
    p->pss_bytes += m->pss_bytes; /* as it was asked last, see report.c */
    if (board_read(m->slot->sup->board, m->place, &who, &score))
        report_add_score(&p->score, &score);
    for (int i = 0; i < TALLY_GAUGES; i++)
        p->gauges[i] += tally_gauge(m->tally, (enum tally_gauge)i);
}

static void
pack_role(struct supervisor *sup, msgpack_packer *pk, int role, const struct present *p)
{
    rpc_pack_text(pk, board_role_name((enum board_role)role));
    msgpack_pack_map(pk, 8);
    rpc_key_int(pk, "n", p->n);
    rpc_key_int(pk, "rss_bytes", p->rss_bytes);
    rpc_key_int(pk, "pss_bytes", p->pss_bytes);
    rpc_key_int(pk, "cpu_ms", sup->tallying.cpu_ns[role] / 1000000);
    rpc_key_uint(pk, "round_trips", p->score.round_trips);
    rpc_key_uint(pk, "db_errors", p->score.db_errors);
    rpc_key_uint(pk, "connects", p->score.connects);
    rpc_pack_text(pk, "restarts");
    msgpack_pack_map(pk, RESTARTS);
    for (int i = 0; i < RESTARTS; i++)
        rpc_key_uint(pk, report_restart_name((enum restart)i), sup->tallying.restarts[role][i]);
}

static void
pack_processes(struct supervisor *sup, msgpack_packer *pk, const struct present *present)
{
    rpc_pack_text(pk, "processes");
    msgpack_pack_map(pk, ROLES);
    rpc_pack_text(pk, "supervisor");
    msgpack_pack_map(pk, 4);
    rpc_key_int(pk, "n", 1);
    rpc_key_int(pk, "rss_bytes", proc_rss_bytes(getpid()));
    rpc_key_int(pk, "pss_bytes", proc_pss_bytes(getpid()));
    rpc_key_int(pk, "cpu_ms", proc_cpu_ns(getpid()) / 1000000);
    for (int role = BOARD_NOBODY + 1; role < ROLES; role++)
        pack_role(sup, pk, role, &present[role]);
}

/* --- HTTP ---------------------------------------------------------------------------------- */

/* A row of a route without a status has the times of all its answers. */
static bool
is_route(const struct tally_sum_row *row)
{
    return row->second[0] == '\0';
}

static size_t
count_routes(const struct tally_sum *sum)
{
    size_t n = 0;

    for (size_t i = 0; i < sum->n_rows; i++)
        n += is_route(&sum->rows[i]);
    return n;
}

static void
pack_requests(msgpack_packer *pk, const struct tally_sum *sum)
{
    rpc_pack_text(pk, "requests");
    msgpack_pack_array(pk, sum->n_rows - count_routes(sum));
    for (size_t i = 0; i < sum->n_rows; i++) {
        const struct tally_sum_row *row = &sum->rows[i];

        if (is_route(row))
            continue;
        msgpack_pack_map(pk, 3);
        rpc_key_text(pk, "route", row->first);
        rpc_key_text(pk, "status", row->second);
        rpc_key_uint(pk, "n", row->counters[TALLY_SUCCEEDED]);
    }
}

static void
pack_routes(msgpack_packer *pk, const struct tally_sum *sum)
{
    rpc_pack_text(pk, "routes");
    msgpack_pack_array(pk, count_routes(sum));
    for (size_t i = 0; i < sum->n_rows; i++) {
        const struct tally_sum_row *row = &sum->rows[i];

        if (!is_route(row))
            continue;
        msgpack_pack_map(pk, 3);
        rpc_key_text(pk, "route", row->first);
        rpc_key_uint(pk, "run_us", row->counters[TALLY_RUN_US]);
        pack_counts(pk, "run", row->counters + TALLY_RUN, TALLY_TIMES);
    }
}

static void
pack_front(msgpack_packer *pk, const char *name, const struct tally_sum *sum,
           const struct present *p)
{
    rpc_pack_text(pk, name);
    msgpack_pack_map(pk, 6);
    rpc_key_uint(pk, "connections", sum->heads[TALLY_CONNECTIONS]);
    rpc_key_uint(pk, "refused", sum->heads[TALLY_REFUSED]);
    rpc_key_uint(pk, "open", p->gauges[TALLY_OPEN]);
    rpc_key_uint(pk, "streams", p->gauges[TALLY_STREAMS]);
    pack_requests(pk, sum);
    pack_routes(pk, sum);
}

static void
pack_http(struct supervisor *sup, msgpack_packer *pk, const struct present *present)
{
    int n = 0;

    for (int role = BOARD_GATEWAY; role < ROLES; role++)
        n += present[role].n > 0 || sup->tallying.sums[role].n_rows > 0;
    rpc_pack_text(pk, "http");
    msgpack_pack_map(pk, (size_t)n);
    for (int role = BOARD_GATEWAY; role < ROLES; role++) {
        if (present[role].n > 0 || sup->tallying.sums[role].n_rows > 0)
            pack_front(pk, board_role_name((enum board_role)role), &sup->tallying.sums[role],
                       &present[role]);
    }
}

void
tallying_pack(struct supervisor *sup, msgpack_packer *pk)
{
    struct present present[ROLES] = {{.n = 0}};
    struct slot *slot;

    for (int role = 0; role < ROLES; role++)
        report_add_score(&present[role].score, &sup->tallying.past[role]);
    for (slot = next_slot(sup, NULL); slot != NULL; slot = next_slot(sup, slot)) {
        if (slot->member != NULL)
            look_at(slot->member, &present[slot->role]);
    }
    pack_jobs(pk, &sup->tallying.sums[BOARD_WORKER]);
    pack_processes(sup, pk, present);
    pack_http(sup, pk, present);
    rpc_key_int(pk, "lease_ms", sup->conf->lease_ms);
    rpc_key_uint(pk, "reloads", sup->tallying.reloads);
    rpc_key_uint(pk, "reloads_refused", sup->tallying.reloads_refused);
}
