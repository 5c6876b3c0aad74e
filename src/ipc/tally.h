/*
 * Tallies: what every process of this host has counted, in shared anonymous memory
 * made before the first fork.
 *
 * Each place of the board has a block with one writer, the process that has the
 * place.  A block has rows, one for each pair of names that was seen: queue and kind
 * in a worker, route and status in a process that serves HTTP.  Counters only rise;
 * a histogram is its buckets and a sum, so no reader can find it half written.
 *
 * Pairs that the configuration knows get a row each, TALLY_UNKNOWN more a row of their
 * own; what comes then goes into the row ("other", "other").
 *
 * The supervisor adds up what has come since it looked last (tally_sum.h): its sums
 * stay when a process dies and never go back, whatever is written into a block.
 *
 * Adding a counter?  Pack it in supervisor/tallying.c; a row in the table of metrics, a line in
 * pgcrewd.8.
 */
#ifndef PGCREW_IPC_TALLY_H
#define PGCREW_IPC_TALLY_H

#include "base/base.h"

#define TALLY_NAME 104   /* bytes of a name with its NUL; longer ones are cut */
#define TALLY_UNKNOWN 64 /* pairs of names that nobody has configured */
#define TALLY_OTHER "other"

/* Upper bounds of the buckets, and one bucket more for all above. */
#define TALLY_TIMES 19
#define TALLY_SIZES 12
extern const int64_t tally_times_us[TALLY_TIMES - 1]; /* 1 ms to 1 h */
extern const int64_t tally_sizes[TALLY_SIZES - 1];    /* 0 to 1000 jobs */

/* Counters of a row. */
enum tally_counter {
    TALLY_SUCCEEDED,
    TALLY_FAILED,
    TALLY_RETRIED,
    TALLY_CANCELLED,
    TALLY_RELEASED,
    TALLY_STALE,
    TALLY_OUTCOMES,
    TALLY_WAIT_US = TALLY_OUTCOMES, /* sums: from the time it could have run to its start, */
    TALLY_RUN_US,                   /* from its start to its end, */
    TALLY_CPU_US,                   /* and the CPU time of programs in it, as far as known */
    TALLY_WAIT,
    TALLY_RUN = TALLY_WAIT + TALLY_TIMES,
    TALLY_COUNTERS = TALLY_RUN + TALLY_TIMES
};

/* Counters of the whole process. */
enum tally_head {
    TALLY_CLAIM,                               /* by the number of jobs that a claim found */
    TALLY_CLAIMED = TALLY_CLAIM + TALLY_SIZES, /* their sum */
    TALLY_CONNECTIONS,                         /* of a process that serves HTTP: accepted, */
    TALLY_REFUSED,                             /* and those it had no room for */
    TALLY_HEADS
};

/* What is so now, of a process that serves HTTP. */
enum tally_gauge { TALLY_OPEN, TALLY_STREAMS, TALLY_GAUGES };

struct tally; /* a block */
struct tallies;

/*
 * A block for each of n_places; pages are used when they are written.  n_known: pairs of
 * names that the configuration knows.  NULL: there is no memory for it, nothing is counted;
 * all functions take a block that is NULL.
 */
struct tallies *tallies_new(int n_places, size_t n_known);
void tallies_free(struct tallies *all); /* in this process; NULL is fine */
struct tally *tallies_block(struct tallies *all, int place);
/* Supervisor, before the fork: nobody has counted yet. */
void tally_clear(struct tally *t);

/* --- the writer: one a process, for as long as it lives --------------------------------- */

struct tally_writer;

struct tally_writer *tally_writer_new(struct tally *t);
void tally_writer_free(struct tally_writer *w); /* NULL is fine */

/* The row of these names; the same number each time. */
int tally_row(struct tally_writer *w, const char *first, const char *second, bool is_known);
void tally_add(struct tally_writer *w, int row, enum tally_counter counter, uint64_t n);
/* A wait (TALLY_WAIT) or a run (TALLY_RUN): its bucket and its sum. */
void tally_time(struct tally_writer *w, int row, enum tally_counter histogram, int64_t us);
void tally_claim(struct tally_writer *w, int64_t jobs);
void tally_head(struct tally_writer *w, enum tally_head counter, uint64_t n);
void tally_set(struct tally_writer *w, enum tally_gauge gauge, uint64_t value);

/* --- anybody ------------------------------------------------------------------------------ */

size_t tally_n_rows(const struct tally *t);
/* Names as valid UTF-8 with their NUL, whatever was written. */
void tally_names(const struct tally *t, size_t row, char ret_first[TALLY_NAME],
                 char ret_second[TALLY_NAME], bool *ret_known);
void tally_read(const struct tally *t, size_t row, uint64_t ret[TALLY_COUNTERS]);
void tally_read_head(const struct tally *t, uint64_t ret[TALLY_HEADS]);
uint64_t tally_gauge(const struct tally *t, enum tally_gauge gauge);

#endif
