#include "dashboard/trend.h"

#include <inttypes.h>
#include <time.h>

static const struct trend_point *
at(const struct trend *t, size_t i)
{
    return &t->points[(t->first + i) % TREND_POINTS];
}

const struct trend_point *
trend_last(const struct trend *t)
{
    return t->n > 0 ? at(t, t->n - 1) : NULL;
}

/* Counters that fell were reset; a clock that fell was set. */
static bool
goes_on(const struct trend *t, const struct trend_point *p)
{
    const struct trend_point *last = trend_last(t);

    return last != NULL && p->at_ms > last->at_ms && p->at_ms - last->at_ms <= TREND_GAP_MS &&
           p->came >= last->came;
}

/* The youngest that is as old as the window, or the oldest of all. */
static const struct trend_point *
window_start(const struct trend *t, int64_t now_ms)
{
    size_t i = t->n - 1;

    while (i > 0 && now_ms - at(t, i)->at_ms < TREND_WINDOW_MS)
        i--;
    return at(t, i);
}

static double
per_s(int64_t from, int64_t to, int64_t ms)
{
    /* Jobs that are queued again had ended before: they count backwards. */
    return to > from ? (double)(to - from) * 1000 / (double)ms : 0;
}

void
trend_add(struct trend *t, const struct trend_point *point)
{
    struct trend_point p = *point;

    p.finished_per_s = p.enqueued_per_s = -1;
    if (goes_on(t, &p)) {
        const struct trend_point *start = window_start(t, p.at_ms);

        p.finished_per_s = per_s(start->ended, p.ended, p.at_ms - start->at_ms);
        p.enqueued_per_s = per_s(start->came, p.came, p.at_ms - start->at_ms);
    } else {
        t->n = 0;
    }
    if (t->n == TREND_POINTS) {
        t->first = (t->first + 1) % TREND_POINTS;
        t->n--;
    }
    t->points[(t->first + t->n++) % TREND_POINTS] = p;
}

static void
add_rate(struct buf *sink, const char *name, double rate)
{
    if (rate < 0)
        buf_printf(sink, "\"%s\":null", name);
    else
        buf_printf(sink, "\"%s\":%.1f", name, rate);
}

void
trend_rates_json(const struct trend *t, struct buf *sink)
{
    const struct trend_point *last = trend_last(t);

    buf_add_text(sink, "{");
    add_rate(sink, "finished_per_s", last != NULL ? last->finished_per_s : -1);
    buf_add_text(sink, ",");
    add_rate(sink, "failed_per_s", last != NULL ? last->failed_per_s : -1);
    buf_add_text(sink, ",");
    add_rate(sink, "enqueued_per_s", last != NULL ? last->enqueued_per_s : -1);
    buf_add_text(sink, "}");
}

void
trend_history_json(const struct trend *t, struct buf *sink)
{
    char when[32];
    struct tm utc;

    buf_add_text(sink, "[");
    for (size_t i = 0; i < t->n; i++) {
        const struct trend_point *p = at(t, i);
        time_t s = (time_t)(p->at_ms / 1000);

        strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&s, &utc));
        buf_printf(sink, "%s{\"at\":\"%s\",", i > 0 ? "," : "", when);
        add_rate(sink, "finished", p->finished_per_s);
        buf_add_text(sink, ",");
        add_rate(sink, "failed", p->failed_per_s);
        buf_add_text(sink, ",");
        add_rate(sink, "enqueued", p->enqueued_per_s);
        buf_printf(sink, ",\"waiting\":%" PRId64 "}", p->waiting);
    }
    buf_add_text(sink, "]");
}
