/*
 * The last five minutes, a second each: what came in and what ended, from counters that only
 * rise.
 */
#ifndef PGCREW_DASHBOARD_TREND_H
#define PGCREW_DASHBOARD_TREND_H

#include "base/base.h"
#include "base/buf.h"

#define TREND_POINTS 300
#define TREND_WINDOW_MS 10000 /* rates are over so long: counters come late, and in lumps */
#define TREND_GAP_MS 60000    /* nobody looked for so long: it begins anew */

struct trend_point {
    int64_t at_ms;       /* since 1970, of the database */
    int64_t came, ended; /* jobs, so far */
    int64_t waiting;
    double failed_per_s;
    double finished_per_s, enqueued_per_s; /* filled by trend_add(); -1: not known yet */
};

struct trend {
    struct trend_point points[TREND_POINTS]; /* a ring */
    size_t first, n;
};

void trend_add(struct trend *t, const struct trend_point *point);
/* The newest; NULL: none. */
const struct trend_point *trend_last(const struct trend *t);
/* {"finished_per_s": 1.5, ...}, null for what is not known. */
void trend_rates_json(const struct trend *t, struct buf *sink);
/* [{"at": ..., "finished": ..., "failed": ..., "enqueued": ..., "waiting": ...}], by the second. */
void trend_history_json(const struct trend *t, struct buf *sink);

#endif
