/*
 * What a watch asks: a short look as a rule, and all that is needed when that look says that
 * something has changed or when a new listener waits.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "gateway/watch.h"
#include "sqltext.h"

#define FAST_MS 250        /* between two looks while things change */
#define FAST_FOR_MS 5000   /* so long after a change */
#define DEAR 10            /* a look that takes long is made so many times its time apart */
#define LOOKS_MAX 64       /* under way at once, so that requests need not wait for many */
#define AGAIN_AFTER_MS 500 /* without a database */

static const struct statement watch_plan = {"user_watch_plan", sql_gateway_watch_plan};
static const struct statement look = {"user_watch_look", sql_gateway_watch_look};
static const struct statement see = {"user_watch_see", sql_gateway_watch_see};

enum { COL_BODY = 1, COL_DONE, COL_WHOLE, COL_DIGEST, COL_IDS, COL_HASHES };

static int64_t
max_ms(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void
rest(struct watch *w)
{
    int64_t now = clock_mono_ms(), took_ms = now - w->asked_mono_ms,
            interval_ms = w->g->conf->watch_ms;

    if (w->changed_mono_ms != 0 && now - w->changed_mono_ms < FAST_FOR_MS && interval_ms > FAST_MS)
        interval_ms = FAST_MS;
    w->due_mono_ms = now + max_ms(interval_ms, DEAR * took_ms);
}

static bool
transact(struct watch *w, const struct statement *what, struct params *params, pool_answer *answer)
{
    const struct act act = {.role = w->role,
                            .claims = w->claims,
                            .method = "GET",
                            .path = "/api/batches/events",
                            .first = &watch_plan};

    w->asked_mono_ms = clock_mono_ms();
    w->asked = pool_ask(w->g->pool, &act, what, params, answer, w);
    if (w->asked)
        w->g->events->looks++;
    else
        w->due_mono_ms = w->asked_mono_ms + AGAIN_AFTER_MS;
    return w->asked;
}

static void
answered(struct watch *w)
{
    w->asked = false;
    w->g->events->looks--;
    rest(w);
}

/* A database that is away comes back; a refusal is final. */
static void
failed(struct watch *w, const struct err *err, const struct db_failure *failure)
{
    const struct user user = {.role = w->role};
    struct trouble trouble = trouble_of(w->g, &user, false, err, failure);
    struct arena scratch;

    for (struct listener *l = w->listeners; l != NULL; l = l->next)
        l->asked = true;
    events_refuse(w, &trouble);
    if (trouble.status >= 500)
        return;
    arena_init(&scratch);
    events_end(w, "gone", trouble_json(&trouble, &scratch));
    arena_release(&scratch);
}

/* --- all that is needed --------------------------------------------------------------------- */

static void
take_hashes(struct watch *w, const PGresult *res)
{
    struct arena scratch;
    int64_t *ids, *hashes;
    size_t n, m;

    arena_init(&scratch);
    n = row_int8s(res, 0, COL_IDS, &scratch, &ids);
    m = row_int8s(res, 0, COL_HASHES, &scratch, &hashes);
    w->n = n < m ? n : m;
    w->ids = xrealloc(w->ids, w->n * sizeof(w->ids[0]) + 1);
    w->hashes = xrealloc(w->hashes, w->n * sizeof(w->hashes[0]) + 1);
    if (w->n > 0) {
        memcpy(w->ids, ids, w->n * sizeof(ids[0]));
        memcpy(w->hashes, hashes, w->n * sizeof(hashes[0]));
    }
    snprintf(w->digest, sizeof(w->digest), "%s", row_text(res, 0, COL_DIGEST));
    arena_release(&scratch);
}

static void
tell_changes(struct watch *w, const PGresult *res)
{
    if (strcmp(w->digest, row_text(res, 0, COL_DIGEST)) == 0)
        return;
    if (w->digest[0] != '\0')
        w->changed_mono_ms = clock_mono_ms();
    events_tell(w, "status", row_text(res, 0, COL_BODY));
    for (int row = 1; row < PQntuples(res); row++)
        events_tell(w, "job", row_text(res, row, COL_BODY));
}

static void
on_see(void *arg, const PGresult *res, const struct err *err, const struct db_failure *failure)
{
    struct watch *w = arg;
    bool done;

    answered(w);
    if (res == NULL) {
        failed(w, err, failure);
        events_settle(w);
        return;
    }
    done = row_bool(res, 0, COL_DONE);
    tell_changes(w, res);
    take_hashes(w, res);
    if (!row_is_null(res, 0, COL_WHOLE))
        events_welcome(w, row_text(res, 0, COL_WHOLE), row_text(res, 0, COL_BODY), done);
    rest(w);
    if (done)
        events_end(w, "done", row_text(res, 0, COL_BODY));
    watch_begin(w);
    events_settle(w);
}

static bool
ask_all(struct watch *w, bool whole)
{
    struct params p;

    params_init(&p);
    param_uuid(&p, &w->batch);
    param_int4(&p, w->job_limit);
    param_bool(&p, whole);
    param_int8s(&p, w->ids, w->n);
    param_int8s(&p, w->hashes, w->n);
    return transact(w, &see, &p, on_see);
}

void
watch_begin(struct watch *w)
{
    static const struct trouble away = {
        .status = 503, .code = "08006", .message = "the database is not available"};
    bool waits = false;

    if (w->asked)
        return;
    for (struct listener *l = w->listeners; l != NULL; l = l->next) {
        if (l->stream == NULL)
            waits = l->asked = true;
    }
    if (waits && !ask_all(w, true))
        events_refuse(w, &away);
}

/* --- the look --------------------------------------------------------------------------------- */

static void
on_look(void *arg, const PGresult *res, const struct err *err, const struct db_failure *failure)
{
    struct watch *w = arg;

    answered(w);
    if (res == NULL)
        failed(w, err, failure);
    watch_begin(w);
    if (res != NULL && !w->asked && w->listeners != NULL &&
        strcmp(w->digest, row_text(res, 0, 0)) != 0 && !ask_all(w, false))
        w->due_mono_ms = clock_mono_ms() + AGAIN_AFTER_MS;
    events_settle(w);
}

void
watch_look(struct watch *w, int64_t now_mono_ms)
{
    struct params p;

    if (w->asked || w->due_mono_ms > now_mono_ms || w->g->events->looks >= LOOKS_MAX)
        return;
    params_init(&p);
    param_uuid(&p, &w->batch);
    if (!transact(w, &look, &p, on_look))
        w->due_mono_ms = now_mono_ms + AGAIN_AFTER_MS;
}
