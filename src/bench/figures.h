/*
 * What is measured: a row a figure, with the limit it is set against, and the tries of each.
 *
 * Adding a figure?  A name here, a row in figures.c, a sample in sections.c.
 */
#ifndef PGCREW_BENCH_FIGURES_H
#define PGCREW_BENCH_FIGURES_H

#include "base/base.h"

#define ROUNDS_MAX 99

enum section { ENQUEUE, DRAIN, SINGLE, LIFE, LATENCY, SECTIONS };

enum figure {
    ENQUEUE_ONE_LIMIT,
    ENQUEUE_ONE,
    ENQUEUE_MANY_LIMIT,
    ENQUEUE_MANY,
    DRAIN_LIMIT,
    DRAIN_RATE,
    SINGLE_LIMIT,
    SINGLE_RATE,
    LIFE_LIMIT,
    LIFE_RATE,
    LIFE_WAL,
    LATENCY_LIMIT_P50,
    LATENCY_P50,
    LATENCY_LIMIT_P95,
    LATENCY_P95,
    LATENCY_LIMIT_P99,
    LATENCY_P99,
    FIGURES,
};

struct figure_row {
    const char *name;
    const char *unit;
    enum section section;
    enum figure limit; /* measured in the same round; FIGURES: none */
    int digits;        /* behind the point */
};

extern const struct figure_row figure_rows[FIGURES];

const char *section_name(enum section section);
/* "drain,latency" as bits, 1 << section; false: *ret_bad is the word that is none. */
bool sections_parse(const char *text, unsigned *ret, char ret_bad[32]) MUST_CHECK;

/* The tries of all figures. */
struct samples {
    double values[FIGURES][ROUNDS_MAX]; /* by round */
    bool is_there[FIGURES][ROUNDS_MAX];
};

void samples_add(struct samples *s, enum figure figure, int round, double value);

struct summary {
    int tries; /* 0: nothing is known */
    double median, lowest, highest;
    double of_limit; /* the median of value / limit of the same round; negative: no limit */
};

struct summary samples_sum_up(const struct samples *s, enum figure figure);

/* The middle one, or what lies between the two; sorts values.  n is not 0. */
double median_of(double *values, size_t n);
/* The value below or at which percent of a hundred are; sorts values.  n is not 0. */
double percentile_of(double *values, size_t n, int percent);

#endif
