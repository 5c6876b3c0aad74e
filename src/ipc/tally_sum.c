#include "ipc/tally_sum.h"

#include <stdlib.h>
#include <string.h>

#define SUM_ROWS_MAX 2048 /* over reloads that bring ever new names */

struct tally_seen_row {
    size_t at; /* its row in the sum: found once, whatever becomes of its names */
    uint64_t counters[TALLY_COUNTERS];
};

static void
make_room(void *rows, size_t *room, size_t n, size_t size)
{
    void *grown;

    if (n < *room)
        return;
    *room = *room > 0 ? *room * 2 : 16;
    memcpy(&grown, rows, sizeof(grown));
    grown = xrealloc(grown, *room * size);
    memcpy(rows, &grown, sizeof(grown));
}

static bool
find_row(const struct tally_sum *sum, const char *first, const char *second, size_t *ret)
{
    for (size_t i = 0; i < sum->n_rows; i++) {
        if (strcmp(sum->rows[i].first, first) == 0 && strcmp(sum->rows[i].second, second) == 0) {
            *ret = i;
            return true;
        }
    }
    return false;
}

static size_t
take_row(struct tally_sum *sum, const char *first, const char *second, bool is_known)
{
    struct tally_sum_row *row;

    make_room(&sum->rows, &sum->room, sum->n_rows, sizeof(*sum->rows));
    row = &sum->rows[sum->n_rows];
    *row = (struct tally_sum_row){.is_known = is_known};
    memcpy(row->first, first, strlen(first) + 1);
    memcpy(row->second, second, strlen(second) + 1);
    sum->n_unknown += !is_known;
    return sum->n_rows++;
}

static size_t
place_of(struct tally_sum *sum, const struct tally *t, size_t row)
{
    char first[TALLY_NAME], second[TALLY_NAME];
    bool is_known;
    size_t at;

    tally_names(t, row, first, second, &is_known);
    if (find_row(sum, first, second, &at))
        return at;
    if (sum->n_rows + 1 < SUM_ROWS_MAX && (is_known || sum->n_unknown < TALLY_UNKNOWN))
        return take_row(sum, first, second, is_known);
    if (find_row(sum, TALLY_OTHER, TALLY_OTHER, &at))
        return at;
    return take_row(sum, TALLY_OTHER, TALLY_OTHER, true);
}

/* A counter that has gone back was written by a broken process: from there on it counts. */
static void
add_news(uint64_t *sum, uint64_t *seen, const uint64_t *now, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (now[i] > seen[i])
            sum[i] += now[i] - seen[i];
        seen[i] = now[i];
    }
}

static void
see_rows(struct tally_sum *sum, struct tally_seen *seen, const struct tally *t, size_t n)
{
    while (seen->n_rows < n) {
        make_room(&seen->rows, &seen->room, seen->n_rows, sizeof(*seen->rows));
        seen->rows[seen->n_rows] = (struct tally_seen_row){.at = place_of(sum, t, seen->n_rows)};
        seen->n_rows++;
    }
}

void
tally_sum_add(struct tally_sum *sum, struct tally_seen *seen, const struct tally *t)
{
    uint64_t now[TALLY_COUNTERS], heads[TALLY_HEADS];
    size_t n = tally_n_rows(t);

    see_rows(sum, seen, t, n);
    for (size_t i = 0; i < n; i++) {
        struct tally_seen_row *row = &seen->rows[i];

        tally_read(t, i, now);
        add_news(sum->rows[row->at].counters, row->counters, now, TALLY_COUNTERS);
    }
    tally_read_head(t, heads);
    add_news(sum->heads, seen->heads, heads, TALLY_HEADS);
}

void
tally_sum_release(struct tally_sum *sum)
{
    free(sum->rows);
    *sum = (struct tally_sum){0};
}

void
tally_seen_release(struct tally_seen *seen)
{
    free(seen->rows);
    *seen = (struct tally_seen){0};
}
