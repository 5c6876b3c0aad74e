/*
 * What all processes of a kind have counted since the daemon was started: the sum of
 * their blocks (tally.h), of the dead, too.
 *
 * A sum is asked to add what a block has that it had not when it was seen last.  So a
 * sum never goes back, and a block may be cleared once it was added for the last time.
 */
#ifndef PGCREW_IPC_TALLY_SUM_H
#define PGCREW_IPC_TALLY_SUM_H

#include "ipc/tally.h"

struct tally_sum_row {
    char first[TALLY_NAME], second[TALLY_NAME];
    bool is_known;
    uint64_t counters[TALLY_COUNTERS];
};

/* {0} to begin. */
struct tally_sum {
    struct tally_sum_row *rows; /* in the order in which they came */
    size_t n_rows, room;
    size_t n_unknown;
    uint64_t heads[TALLY_HEADS];
};

/* What was seen of a block; {0} to begin. */
struct tally_seen {
    struct tally_seen_row *rows;
    size_t n_rows, room;
    uint64_t heads[TALLY_HEADS];
};

void tally_sum_add(struct tally_sum *sum, struct tally_seen *seen, const struct tally *t);
void tally_sum_release(struct tally_sum *sum);
void tally_seen_release(struct tally_seen *seen);

#endif
