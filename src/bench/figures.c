#include "bench/figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
const struct figure_row figure_rows[FIGURES] = {
    [ENQUEUE_ONE_LIMIT]  = {"enqueue: limit, one row a call",          "rows/s",    ENQUEUE, FIGURES,            0},
    [ENQUEUE_ONE]        = {"enqueue: one row a call",                 "jobs/s",    ENQUEUE, ENQUEUE_ONE_LIMIT,  0},
    [ENQUEUE_MANY_LIMIT] = {"enqueue: limit, 1,000 rows a call",       "rows/s",    ENQUEUE, FIGURES,            0},
    [ENQUEUE_MANY]       = {"enqueue: 1,000 rows a call",              "jobs/s",    ENQUEUE, ENQUEUE_MANY_LIMIT, 0},
    [DRAIN_LIMIT]        = {"drain: limit, delete 500 a commit",       "rows/s",    DRAIN,   FIGURES,            0},
    [DRAIN_RATE]         = {"drain: no-op jobs",                       "jobs/s",    DRAIN,   DRAIN_LIMIT,        0},
    [SINGLE_LIMIT]       = {"single: limit, claim, commit, delete, commit", "rows/s", SINGLE, FIGURES,           0},
    [SINGLE_RATE]        = {"single: no-op jobs, one a claim",         "jobs/s",    SINGLE,  SINGLE_LIMIT,       0},
    [LIFE_LIMIT]         = {"life: limit, insert 1,000, delete 500 a commit", "rows/s", LIFE, FIGURES,           0},
    [LIFE_RATE]          = {"life: no-op jobs, enqueued meanwhile",    "jobs/s",    LIFE,    LIFE_LIMIT,         0},
    [LIFE_WAL]           = {"life: WAL",                               "bytes/job", LIFE,    FIGURES,            0},
    [LATENCY_LIMIT_P50]  = {"latency: limit, NOTIFY to listener, p50", "ms",        LATENCY, FIGURES,            3},
    [LATENCY_P50]        = {"latency: enqueue to start, p50",          "ms",        LATENCY, LATENCY_LIMIT_P50,  3},
    [LATENCY_LIMIT_P95]  = {"latency: limit, NOTIFY to listener, p95", "ms",        LATENCY, FIGURES,            3},
    [LATENCY_P95]        = {"latency: enqueue to start, p95",          "ms",        LATENCY, LATENCY_LIMIT_P95,  3},
    [LATENCY_LIMIT_P99]  = {"latency: limit, NOTIFY to listener, p99", "ms",        LATENCY, FIGURES,            3},
    [LATENCY_P99]        = {"latency: enqueue to start, p99",          "ms",        LATENCY, LATENCY_LIMIT_P99,  3},
};
/* clang-format on */

static const char *const section_names[SECTIONS] = {
    [ENQUEUE] = "enqueue", [DRAIN] = "drain",     [SINGLE] = "single",
    [LIFE] = "life",       [LATENCY] = "latency",
};

const char *
section_name(enum section section)
{
    return section_names[section];
}

static bool
section_find(const char *word, size_t len, unsigned *ret)
{
    for (unsigned i = 0; i < SECTIONS; i++) {
        if (strlen(section_names[i]) == len && strncmp(section_names[i], word, len) == 0) {
            *ret |= 1U << i;
            return true;
        }
    }
    return false;
}

bool
sections_parse(const char *text, unsigned *ret, char ret_bad[32])
{
    size_t len;

    *ret = 0;
    for (;; text += len + 1) {
        len = strcspn(text, ",");
        if (!section_find(text, len, ret)) {
            snprintf(ret_bad, 32, "%.*s", (int)(len < 31 ? len : 31), text);
            return false;
        }
        if (text[len] == '\0')
            return true;
    }
}

/* --- tries ------------------------------------------------------------------------------ */

void
samples_add(struct samples *s, enum figure figure, int round, double value)
{
    s->values[figure][round] = value;
    s->is_there[figure][round] = true;
}

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double
median_of(double *values, size_t n)
{
    qsort(values, n, sizeof(*values), by_value);
    return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

double
percentile_of(double *values, size_t n, int percent)
{
    size_t at = (n * (size_t)percent + 99) / 100;

    qsort(values, n, sizeof(*values), by_value);
    return values[at > 0 ? at - 1 : 0];
}

static double
median_ratio(const struct samples *s, enum figure figure, enum figure limit)
{
    double ratios[ROUNDS_MAX];
    size_t n = 0;

    for (int round = 0; round < ROUNDS_MAX && limit != FIGURES; round++) {
        if (s->is_there[figure][round] && s->is_there[limit][round] && s->values[limit][round] > 0)
            ratios[n++] = s->values[figure][round] / s->values[limit][round];
    }
    return n > 0 ? median_of(ratios, n) : -1;
}

struct summary
samples_sum_up(const struct samples *s, enum figure figure)
{
    double values[ROUNDS_MAX];
    struct summary sum = {.of_limit = median_ratio(s, figure, figure_rows[figure].limit)};

    for (int round = 0; round < ROUNDS_MAX; round++) {
        if (s->is_there[figure][round])
            values[sum.tries++] = s->values[figure][round];
    }
    if (sum.tries == 0)
        return sum;
    sum.median = median_of(values, (size_t)sum.tries); /* sorts */
    sum.lowest = values[0];
    sum.highest = values[sum.tries - 1];
    return sum;
}
