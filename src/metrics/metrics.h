/*
 * Metrics: facts (facts.h) as text that Prometheus reads, exposition format 0.0.4.
 *
 * What there is, is one table, table.c: its rows say where in the facts a metric is.  The
 * manual pgcrew-dashboard(7) has the same rows; a test compares them.
 */
#ifndef PGCREW_METRICS_METRICS_H
#define PGCREW_METRICS_METRICS_H

#include <jansson.h>

#include "base/buf.h"

/* Of the answer over HTTP. */
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum metric_type { METRIC_GAUGE, METRIC_COUNTER, METRIC_HISTOGRAM };

struct metric {
    const char *name;
    enum metric_type type;
    const char *help;
    const char *path; /* to the value, or to the object with the histogram, see path.h */
    double scale;     /* to the unit of its name */
    /* Of a histogram: fields with the numbers by bucket, and their sum; field of daemon.bounds. */
    const char *buckets, *sum, *bounds;
};

extern const struct metric metrics[];
extern const size_t n_metrics;

/* A metric without values is left out. */
void metrics_write(const json_t *facts, struct buf *ret);

#endif
