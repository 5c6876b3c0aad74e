/*
 * Who listens: GET /api/batches/{}/events, the streams, their ends.
 *
 * Server-sent events as browsers' EventSource reads them; see pgcrew-gateway(7).
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "gateway/watch.h"

#define TICK_MS 50
#define SWEEP_MS 1000
#define PING_MS 15000
#define WHOLE_MAX ((size_t)1024 * 1024) /* of a first event; a longer one comes without jobs */
#define DONE_ID "done"
#define JOB_LIMIT 1000

/* --- who may share a watch -------------------------------------------------------------------- */

/*
 * What row level security may look at decides what is seen, so all claims are compared but
 * those that differ from one token of a session to the next.
 */
static char *
lasting_claims(const char *claims)
{
    static const char *const passing[] = {"exp", "iat", "nbf", "jti"};
    json_t *all = json_loads(claims, 0, NULL);
    char *text = NULL;

    for (size_t i = 0; all != NULL && i < LENGTH(passing); i++)
        json_object_del(all, passing[i]);
    if (all != NULL)
        text = json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(all);
    return text != NULL ? text : xstrdup(claims);
}

static char *
key_of(const struct user *user, const struct uuid *batch, int job_limit)
{
    AUTO(mem) char *claims = lasting_claims(user->claims);
    char id[UUID_TEXT_SIZE];

    return xasprintf("%s %d %s %s", uuid_text(id, batch), job_limit, user->role, claims);
}

static void
watch_free(struct watch *w)
{
    free(w->key);
    free(w->role);
    free(w->sub);
    free(w->claims);
    free(w->ids);
    free(w->hashes);
    free(w);
}

static struct watch *
find_or_make(struct events *e, const struct user *user, const struct uuid *batch, int job_limit)
{
    AUTO(mem) char *key = key_of(user, batch, job_limit);
    struct watch *w = e->watches;

    while (w != NULL && strcmp(w->key, key) != 0)
        w = w->next;
    if (w != NULL)
        return w;
    w = xcalloc(1, sizeof(*w));
    *w = (struct watch){.next = e->watches,
                        .g = e->g,
                        .key = TAKE(key),
                        .role = xstrdup(user->role),
                        .sub = xstrdup(user->sub),
                        .claims = xstrdup(user->claims),
                        .batch = *batch,
                        .job_limit = job_limit};
    e->watches = w;
    if (!ev_is_active(&e->tick))
        loop_timer_in(e->g->loop, &e->tick, TICK_MS);
    return w;
}

void
events_settle(struct watch *w)
{
    struct watch **at = &w->g->events->watches;

    if (w->listeners != NULL || w->asked)
        return;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    watch_free(w);
}

/* --- listeners --------------------------------------------------------------------------------- */

static void
forget(struct listener *l)
{
    struct listener **at = &l->watch->listeners;

    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    l->watch->g->events->listeners--;
    free(l);
}

static void
on_gone(void *arg)
{
    struct listener *l = arg;
    struct watch *w = l->watch;

    forget(l);
    events_settle(w);
}

static void
write_event(struct listener *l, const char *id, const char *event, const char *data)
{
    AUTO(buf) struct buf text = {0};

    buf_printf(&text, "id: %s\nevent: %s\ndata: ", id, event);
    buf_add_text(&text, data);
    buf_add_text(&text, "\n\n");
    web_stream_write(l->stream, text.data, text.len);
    l->wrote_mono_ms = clock_mono_ms();
}

static void
end_listener(struct listener *l, const char *id, const char *event, const char *data)
{
    struct web_stream *stream = l->stream;

    write_event(l, id, event, data);
    forget(l);
    web_stream_end(stream);
}

void
events_tell(struct watch *w, const char *event, const char *data)
{
    char id[24];

    snprintf(id, sizeof(id), "%llu", ++w->event);
    for (struct listener *l = w->listeners; l != NULL; l = l->next) {
        if (l->stream != NULL)
            write_event(l, id, event, data);
    }
}

static void
begin_stream(struct listener *l, const char *data)
{
    static const char hello[] = "retry: 2000\n\n";
    struct web_request *r = l->r;
    char id[24];

    l->r = NULL;
    web_add_header(r, "X-Accel-Buffering", "no"); /* nginx would collect what is sent */
    l->stream = web_stream(r, "text/event-stream; charset=utf-8", on_gone, l);
    web_stream_write(l->stream, hello, sizeof(hello) - 1);
    snprintf(id, sizeof(id), "%llu", ++l->watch->event);
    write_event(l, id, "status", data);
}

void
events_welcome(struct watch *w, const char *whole, const char *batch, bool done)
{
    const char *data = strlen(whole) <= WHOLE_MAX ? whole : batch;
    struct listener *next;

    for (struct listener *l = w->listeners; l != NULL; l = next) {
        next = l->next;
        if (l->stream != NULL || !l->asked)
            continue;
        if (done && l->knows_end) { /* 204 tells EventSource not to come back */
            web_answer(l->r, 204, NULL, NULL, 0);
            forget(l);
        } else {
            begin_stream(l, data);
        }
    }
}

void
events_end(struct watch *w, const char *event, const char *data)
{
    struct listener *next;

    for (struct listener *l = w->listeners; l != NULL; l = next) {
        next = l->next;
        if (l->stream != NULL)
            end_listener(l, strcmp(event, "done") == 0 ? DONE_ID : "0", event, data);
    }
}

void
events_refuse(struct watch *w, const struct trouble *trouble)
{
    struct listener *next;

    for (struct listener *l = w->listeners; l != NULL; l = next) {
        next = l->next;
        if (l->stream != NULL || !l->asked)
            continue;
        answer_trouble(l->r, trouble);
        forget(l);
    }
}

/* --- time passes ---------------------------------------------------------------------------------- */

static void
sweep(struct events *e, int64_t now_mono_ms)
{
    static const char ping[] = ": ping\n\n";
    int64_t now_s = clock_real_ms() / 1000;
    struct listener *next;

    for (struct watch *w = e->watches; w != NULL; w = w->next) {
        for (struct listener *l = w->listeners; l != NULL; l = next) {
            next = l->next;
            if (l->stream == NULL)
                continue;
            if (l->end_s != 0 && now_s >= l->end_s) {
                end_listener(l, "0", "expired", "{}");
            } else if (now_mono_ms - l->wrote_mono_ms >= PING_MS) {
                web_stream_write(l->stream, ping, sizeof(ping) - 1);
                l->wrote_mono_ms = now_mono_ms;
            }
        }
    }
}

static void
on_tick(struct ev_loop *loop, ev_timer *timer, int flags)
{
    struct events *e = timer->data;
    int64_t now = clock_mono_ms();
    struct watch *next;

    (void)flags;
    if (now - e->swept_mono_ms >= SWEEP_MS) {
        sweep(e, now);
        e->swept_mono_ms = now;
    }
    for (struct watch *w = e->watches; w != NULL; w = next) {
        next = w->next;
        if (w->listeners == NULL)
            events_settle(w);
        else
            watch_look(w, now);
    }
    if (e->watches != NULL)
        loop_timer_in(loop, timer, TICK_MS);
}

/* --- the request ------------------------------------------------------------------------------------ */

static int
streams_of(const struct events *e, const char *sub)
{
    int n = 0;

    for (const struct watch *w = e->watches; w != NULL; w = w->next) {
        if (strcmp(w->sub, sub) != 0)
            continue;
        for (const struct listener *l = w->listeners; l != NULL; l = l->next)
            n++;
    }
    return n;
}

static bool
has_room(struct gateway *g, struct web_request *r, const struct user *user)
{
    if (g->events->listeners >= g->conf->listeners_max)
        answer_refused(r, 503, "53300", "too many event streams are open");
    else if (streams_of(g->events, user->sub) >= g->conf->listeners_per_user)
        answer_refused(r, 429, "53300", "too many event streams of this user are open");
    else
        return true;
    return false;
}

void
api_events(struct web_request *r, void *owner)
{
    struct gateway *g = owner;
    const char *last = web_header(r, "Last-Event-ID");
    struct listener *l;
    struct user user;
    struct uuid batch;
    int limit;

    if (!auth_user(g, r, &user) || !read_batch_id(r, web_segment(r, 0), &batch) ||
        !read_job_limit(r, JOB_LIMIT, &limit) || !has_room(g, r, &user))
        return;
    l = xcalloc(1, sizeof(*l));
    l->r = r;
    l->watch = find_or_make(g->events, &user, &batch, limit);
    l->knows_end = last != NULL && strcmp(last, DONE_ID) == 0;
    l->end_s = user.exp_s != 0 ? user.exp_s + g->policy.skew_s : 0;
    l->next = l->watch->listeners;
    l->watch->listeners = l;
    g->events->listeners++;
    watch_begin(l->watch);
}

struct events *
events_new(struct gateway *g)
{
    struct events *e = xcalloc(1, sizeof(*e));

    e->g = g;
    loop_timer_init(&e->tick, on_tick);
    e->tick.data = e;
    return e;
}

void
events_free(struct events *e)
{
    struct watch *next;

    if (e == NULL)
        return;
    ev_timer_stop(e->g->loop, &e->tick);
    for (struct watch *w = e->watches; w != NULL; w = next) {
        next = w->next;
        while (w->listeners != NULL)
            forget(w->listeners);
        watch_free(w);
    }
    free(e);
}
