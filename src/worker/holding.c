/*
 * Being a lease holder.
 *
 * Every session registers this process anew and gets the claims of its earlier
 * sessions handed over.  That settles what a lost connection left open: a claim
 * we know and the database does not was finished or reaped; jobs that the
 * database knows as ours and we do not go back.
 *
 * The janitor renews the leases of this host.  When it could not for 0.6 of a
 * lease, our handlers are killed: the job may soon run elsewhere, and two
 * attempts must not overlap.  Until it can again nothing is claimed either, or
 * each job would be started only to be killed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "worker/internal.h"

#define LOOK_AGAIN_MS 5000
#define LOOKS_PER_LEASE 10
#define ENDING_PATIENCE_MS 2000

static bool
is_in(int64_t token, const int64_t *tokens, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (tokens[i] == token)
            return true;
    }
    return false;
}

/* Drop the tasks whose claims did not come along. */
static void
lose_missing(struct worker *w, const int64_t *tokens, size_t n, const char *why)
{
    struct task *task, *next;

    for (size_t i = 0; i < w->n_lists; i++) {
        for (task = TAILQ_FIRST(w->lists[i]); task != NULL; task = next) {
            next = TAILQ_NEXT(task, link);
            if (!is_in(task->token, tokens, n))
                running_lose(task, why);
        }
    }
}

/* All that this process has in hand; memory comes from the scratch. */
static int64_t *
list_jobs(struct worker *w, size_t *ret_n)
{
    const struct task *task;
    int64_t *ids;
    size_t n = 0;

    for (size_t i = 0; i < w->n_lists; i++) {
        TAILQ_FOREACH (task, w->lists[i], link)
            n++;
    }
    ids = arena_alloc(&w->scratch, (n + 1) * sizeof(*ids));
    *ret_n = 0;
    for (size_t i = 0; i < w->n_lists; i++) {
        TAILQ_FOREACH (task, w->lists[i], link)
            ids[(*ret_n)++] = task->run.job.id;
    }
    return ids;
}

static void
show_text(struct worker *w, const char *text)
{
    snprintf(w->score.text, sizeof(w->score.text), "%.*s", (int)sizeof(w->score.text) - 1, text);
}

/* There is a session, but nothing may be claimed; a person has to act, we look again. */
static void
hold_back(struct worker *w, const struct err *why)
{
    if (strcmp(w->held_back, why->text) != 0)
        log_error("%s; claiming nothing until then", why->text);
    snprintf(w->held_back, sizeof(w->held_back), "%s", why->text);
    show_text(w, why->text);
    loop_timer_in(w->loop, &w->lease, LOOK_AGAIN_MS);
}

static void
on_released(void *arg, const PGresult *res, const struct err *err)
{
    struct worker *w = arg;
    int64_t jobs = res != NULL ? queue_read_release_unknown(res) : 0;

    if (jobs > 0)
        log_info("%lld jobs are ours and we do not know of them; they went back", (long long)jobs);
    if (err != NULL && err->class != ERR_UNCERTAIN) {
        /* They would be ours for as long as we live: the next session asks again. */
        w->holding = HOLDING_NOT;
        hold_back(w, err);
    }
}

/*
 * A claim whose answer we never heard; or, after a crash of a server that had not written
 * all it had answered (database.durability), jobs that we have finished: of those a part of
 * a claim may be left that we know.
 */
static void
release_unknown(struct worker *w)
{
    size_t n;
    const int64_t *ids = list_jobs(w, &n);

    w->lost_ended = false;
    queue_ask_release_unknown(w->db, w->holder, ids, n, on_released, w);
    db_commit(w->db);
}

void
holding_settle(struct worker *w)
{
    release_unknown(w);
    arena_release(&w->scratch);
}

static void
on_registered(void *arg, const PGresult *res, const struct err *err)
{
    struct worker *w = arg;
    struct registered r;

    w->holding = HOLDING_NOT;
    if (err != NULL) {
        if (err->class != ERR_UNCERTAIN)
            hold_back(w, err);
        return;
    }
    w->holding = HOLDING;
    w->held_back[0] = w->score.text[0] = '\0';
    queue_read_register(res, &w->scratch, &r);
    w->holder = r.holder;
    snprintf(w->origin, sizeof(w->origin), "%s", r.origin);
    lanes_number(w, r.numbers);
    lose_missing(w, r.tokens, r.n_tokens, "its claim is gone since the session was lost");
    if (r.n_tokens > 0)
        release_unknown(w);
    arena_release(&w->scratch);
    lanes_want(w);
    worker_turn_soon(w);
}

static void
ask_to_register(struct worker *w)
{
    const struct queue_worker who = {
        .process = w->child->process,
        .name = w->conf->name,
        .slot = w->child->slot,
        .queues = w->conf->queues.items,
        .n_queues = w->conf->queues.n,
        .kinds = w->conf->any_kind ? NULL : w->conf->kinds.items,
        .n_kinds = w->conf->kinds.n,
        .slots = w->conf->slots,
        .lease_ms = w->conf->lease_ms,
    };

    w->holding = HOLDING_ASKED;
    w->held_mono_ms = clock_mono_ms();
    queue_ask_register(w->db, &who, on_registered, w);
    db_commit(w->db);
}

static void
on_up(void *owner, const struct db_session *session)
{
    struct worker *w = owner;
    struct err err;

    w->score.connects++;
    w->score.poll_only = session->poll_only;
    w->score.backend_pid = session->backend_pid;
    if (!queue_schema_fits(session, &err)) {
        hold_back(w, &err);
    } else {
        ask_to_register(w);
    }
    worker_turn_soon(w);
}

static void
on_down(void *owner, const struct err *why, int64_t wait_ms)
{
    struct worker *w = owner;
    struct task *task;

    w->holding = HOLDING_NOT;
    w->score.backend_pid = 0;
    /* One line an outage and cause, not one a try. */
    if (strcmp(w->score.text, why->text) != 0 && w->held_back[0] == '\0')
        log_warn("no database: %s; trying again in %lld ms and on", why->text, (long long)wait_ms);
    show_text(w, why->text);
    if (why->class != ERR_CONFIG)
        w->held_back[0] = '\0';
    TAILQ_FOREACH (task, &w->running, link)
        task->reported_mono_ms = 0;
    LANE_FOREACH(lane, w)
    lane->idle = false;
    hearing_tell_idle(w, false);
    worker_turn_soon(w);
}

static const struct db_events db_events = {.up = on_up, .down = on_down};

void
holding_lost(struct worker *w, const char *why)
{
    lose_missing(w, NULL, 0, why);
    if (w->holding == HOLDING)
        ask_to_register(w);
}

static int64_t
lease_left_ms(const struct worker *w)
{
    int64_t renewed_ms = board_lease_ok(w->child->board);

    if (renewed_ms < w->held_mono_ms)
        renewed_ms = w->held_mono_ms;
    return renewed_ms + w->conf->lease_ms * 6 / 10 - clock_mono_ms();
}

bool
holding_is_renewed(const struct worker *w)
{
    return lease_left_ms(w) > 0;
}

static bool
has_handlers_to_lose(const struct worker *w)
{
    return w->n_running + w->n_waiting > 0;
}

static void
look_soon(struct worker *w)
{
    loop_timer_in(w->loop, &w->lease, w->conf->lease_ms / LOOKS_PER_LEASE);
}

static void
watch_lease(struct worker *w)
{
    int64_t left_ms = lease_left_ms(w);

    if (left_ms > 0) {
        loop_timer_in(w->loop, &w->lease, left_ms);
        return;
    }
    running_abandon_all(w);
    look_soon(w);
}

static void
on_lease_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct worker *w = timer->data;

    (void)loop;
    (void)events;
    if (w->held_back[0] != '\0' && db_is_up(w->db))
        db_restart(w->db, ERR_CONFIG, w->held_back); /* look again whether it fits now */
    else if (has_handlers_to_lose(w))
        watch_lease(w);
    else
        worker_turn_soon(w);
}

/* Is nothing claimed because the lease is late?  Said once. */
static bool
waits_for_renewal(struct worker *w)
{
    bool waits = w->holding == HOLDING && w->ending == ENDING_NOT && !holding_is_renewed(w);

    if (waits && !w->waits_for_renewal)
        log_warn("the lease is not renewed: claiming nothing until it is");
    if (w->waits_for_renewal && holding_is_renewed(w))
        log_info("the lease is renewed again");
    w->waits_for_renewal = waits;
    return waits;
}

void
holding_watch(struct worker *w)
{
    bool waits;

    if (w->held_back[0] != '\0')
        return; /* the timer is for looking again */
    waits = waits_for_renewal(w);
    if (!has_handlers_to_lose(w) && !waits)
        ev_timer_stop(w->loop, &w->lease);
    else if (ev_is_active(&w->lease))
        return;
    else if (has_handlers_to_lose(w))
        watch_lease(w);
    else
        look_soon(w);
}

static void
on_unregistered(void *arg, const PGresult *res, const struct err *err)
{
    struct worker *w = arg;

    (void)res;
    (void)err; /* the supervisor has this process reaped anyway */
    ev_break(w->loop, EVBREAK_ALL);
}

static void
on_patience_over(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)timer;
    (void)events;
    ev_break(loop, EVBREAK_ALL);
}

void
holding_end(struct worker *w)
{
    if (w->unregistering)
        return;
    w->unregistering = true;
    fault_here("worker.leaves");
    handler_end();
    if (w->holding != HOLDING) {
        ev_break(w->loop, EVBREAK_ALL);
        return;
    }
    loop_timer_in(w->loop, &w->patience, ENDING_PATIENCE_MS);
    queue_ask_unregister(w->db, &w->child->process, on_unregistered, w);
    db_commit(w->db);
}

struct db_options
holding_options(struct worker *w, const char *what)
{
    char name[128];

    snprintf(name, sizeof(name), "pgcrew/%.40s/%d%s", w->conf->name, w->child->slot, what);
    return (struct db_options){
        .url = w->conf->db_url,
        .role = w->conf->db_role,
        .schema = w->conf->schema,
        .application_name = arena_strdup(&w->arena, name),
        .connect_timeout_ms = w->conf->connect_timeout_ms,
        .statement_timeout_ms = w->conf->statement_timeout_ms,
    };
}

bool
holding_start(struct worker *w, struct err *err)
{
    struct db_options options = holding_options(w, "");

    loop_timer_init(&w->lease, on_lease_timer);
    loop_timer_init(&w->patience, on_patience_over);
    w->lease.data = w->patience.data = w;
    if (!db_new(w->loop, &options, &db_events, w, &w->db, err))
        return false;
    db_start(w->db);
    return true;
}
