/*
 * Blocks of counters in shared memory.
 *
 * The writer keeps an index of its rows in memory of its own, so that a name is found
 * by a hash and two comparisons, without a call of the system.
 */
#include "ipc/tally.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/text.h"

#define ROWS_MIN 128
#define ROWS_MAX 1024
#define INDEX_SIZE 2048 /* more than rows, or looking for a free place would never end */

/* clang-format off */
const int64_t tally_times_us[TALLY_TIMES - 1] = {
    1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000,
    1000000, 2500000, 5000000, 10000000, 30000000, 60000000, 300000000, 900000000, 3600000000,
};
const int64_t tally_sizes[TALLY_SIZES - 1] = {0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};
/* clang-format on */

struct row {
    char first[TALLY_NAME], second[TALLY_NAME];
    bool is_known;
    _Atomic uint64_t counters[TALLY_COUNTERS];
};

/* The shared memory of a block. */
struct block {
    _Atomic uint32_t n_rows;
    _Atomic uint64_t heads[TALLY_HEADS];
    _Atomic uint64_t gauges[TALLY_GAUGES];
    struct row rows[];
};

/* How large a block is, is not read from it. */
struct tally {
    struct block *block;
    uint32_t room;
};

struct tallies {
    size_t size;
    int n_places;
    void *pages;
    struct tally *tallies;
};

/* Only one process writes it: no other can be between the two. */
static void
add(_Atomic uint64_t *counter, uint64_t n)
{
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);

    atomic_store_explicit(counter, value + n, memory_order_relaxed);
}

static uint64_t
get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* --- all blocks --------------------------------------------------------------------------- */

static size_t
rows_for(size_t n_known)
{
    size_t rows = n_known + TALLY_UNKNOWN + 1;

    return rows < ROWS_MIN ? ROWS_MIN : rows < ROWS_MAX ? rows : ROWS_MAX;
}

struct tallies *
tallies_new(int n_places, size_t n_known)
{
    struct tallies *all = xcalloc(1, sizeof(*all));
    size_t rows = rows_for(n_known), size;

    size = sizeof(struct block) + rows * sizeof(struct row);
    size = (size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    all->n_places = n_places;
    all->size = size * (size_t)n_places;
    all->pages = mmap(NULL, all->size, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all->pages == MAP_FAILED) {
        free(all);
        return NULL;
    }
    all->tallies = xcalloc((size_t)n_places, sizeof(*all->tallies));
    for (int i = 0; i < n_places; i++)
        all->tallies[i] = (struct tally){.block = (void *)((char *)all->pages + size * (size_t)i),
                                         .room = (uint32_t)rows};
    return all;
}

void
tallies_free(struct tallies *all)
{
    if (all == NULL)
        return;
    munmap(all->pages, all->size);
    free(all->tallies);
    free(all);
}

struct tally *
tallies_block(struct tallies *all, int place)
{
    return all != NULL && place >= 0 && place < all->n_places ? &all->tallies[place] : NULL;
}

void
tally_clear(struct tally *t)
{
    if (t == NULL)
        return;
    /* A row is cleared when it is taken. */
    atomic_store(&t->block->n_rows, 0);
    for (int i = 0; i < TALLY_HEADS; i++)
        atomic_store_explicit(&t->block->heads[i], 0, memory_order_relaxed);
    for (int i = 0; i < TALLY_GAUGES; i++)
        atomic_store_explicit(&t->block->gauges[i], 0, memory_order_relaxed);
}

/* --- the writer --------------------------------------------------------------------------- */

struct tally_writer {
    struct tally *tally;
    uint32_t n_rows, n_unknown;
    int other;                  /* its row; -1: none yet */
    uint16_t index[INDEX_SIZE]; /* row + 1 by the hash of its names; 0: free */
};

struct tally_writer *
tally_writer_new(struct tally *t)
{
    struct tally_writer *w = xcalloc(1, sizeof(*w));

    w->tally = t;
    w->other = -1;
    return w;
}

void
tally_writer_free(struct tally_writer *w)
{
    free(w);
}

/* FNV-1a. */
static uint32_t
hash(uint32_t so_far, const char *text)
{
    for (const char *at = text; *at != '\0'; at++)
        so_far = (so_far ^ (unsigned char)*at) * 16777619U;
    return so_far;
}

static void
copy_name(char ret[TALLY_NAME], const char *name)
{
    size_t len = text_utf8_cut(name, strlen(name), TALLY_NAME - 1);

    memset(ret, 0, TALLY_NAME);
    snprintf(ret, TALLY_NAME, "%.*s", (int)len, name);
}

/* Names that are too long are the same when what is kept of them is. */
static bool
is_named(const char kept[TALLY_NAME], const char *name)
{
    size_t len = strlen(kept);

    return strncmp(kept, name, len) == 0 &&
           (name[len] == '\0' || text_utf8_cut(name, strlen(name), TALLY_NAME - 1) == len);
}

static int
take_row(struct tally_writer *w, const char *first, const char *second, bool is_known)
{
    struct block *block = w->tally->block;
    struct row *row = &block->rows[w->n_rows];

    copy_name(row->first, first);
    copy_name(row->second, second);
    row->is_known = is_known;
    for (int i = 0; i < TALLY_COUNTERS; i++)
        atomic_store_explicit(&row->counters[i], 0, memory_order_relaxed);
    w->n_unknown += !is_known;
    atomic_store_explicit(&block->n_rows, ++w->n_rows, memory_order_release);
    return (int)w->n_rows - 1;
}

static int
other_row(struct tally_writer *w)
{
    if (w->other < 0)
        w->other = take_row(w, TALLY_OTHER, TALLY_OTHER, true);
    return w->other;
}

int
tally_row(struct tally_writer *w, const char *first, const char *second, bool is_known)
{
    uint32_t at = hash(hash(2166136261U, first) * 16777619U, second);
    const struct row *row;

    if (w->tally == NULL)
        return -1;
    for (at %= INDEX_SIZE; w->index[at] != 0; at = (at + 1) % INDEX_SIZE) {
        row = &w->tally->block->rows[w->index[at] - 1];
        if (is_named(row->first, first) && is_named(row->second, second))
            return w->index[at] - 1;
    }
    /* The last one is for all others. */
    if (w->n_rows + 1 + (w->other < 0) > w->tally->room ||
        (!is_known && w->n_unknown == TALLY_UNKNOWN))
        return other_row(w);
    w->index[at] = (uint16_t)(w->n_rows + 1);
    return take_row(w, first, second, is_known);
}

void
tally_add(struct tally_writer *w, int row, enum tally_counter counter, uint64_t n)
{
    if (w->tally != NULL && row >= 0)
        add(&w->tally->block->rows[row].counters[counter], n);
}

/* The bucket of a value: the first whose bound is not below it. */
static int
bucket(const int64_t *bounds, int n, int64_t value)
{
    int i = 0;

    while (i < n && value > bounds[i])
        i++;
    return i;
}

void
tally_time(struct tally_writer *w, int row, enum tally_counter histogram, int64_t us)
{
    int at = bucket(tally_times_us, TALLY_TIMES - 1, us);

    if (us < 0)
        us = 0;
    tally_add(w, row, (enum tally_counter)((int)histogram + at), 1);
    tally_add(w, row, histogram == TALLY_WAIT ? TALLY_WAIT_US : TALLY_RUN_US, (uint64_t)us);
}

void
tally_head(struct tally_writer *w, enum tally_head counter, uint64_t n)
{
    if (w->tally != NULL)
        add(&w->tally->block->heads[counter], n);
}

void
tally_claim(struct tally_writer *w, int64_t jobs)
{
    int at = bucket(tally_sizes, TALLY_SIZES - 1, jobs);

    tally_head(w, (enum tally_head)(TALLY_CLAIM + at), 1);
    tally_head(w, TALLY_CLAIMED, (uint64_t)jobs);
}

void
tally_set(struct tally_writer *w, enum tally_gauge gauge, uint64_t value)
{
    if (w->tally != NULL)
        atomic_store_explicit(&w->tally->block->gauges[gauge], value, memory_order_relaxed);
}

/* --- anybody -------------------------------------------------------------------------------- */

size_t
tally_n_rows(const struct tally *t)
{
    uint32_t n;

    if (t == NULL)
        return 0;
    n = atomic_load_explicit(&t->block->n_rows, memory_order_acquire);
    return n < t->room ? n : t->room;
}

static void
read_name(char ret[TALLY_NAME], const char *name)
{
    memcpy(ret, name, TALLY_NAME);
    ret[TALLY_NAME - 1] = '\0';
    text_make_storable(ret, strlen(ret));
}

void
tally_names(const struct tally *t, size_t row, char ret_first[TALLY_NAME],
            char ret_second[TALLY_NAME], bool *ret_known)
{
    const struct row *r = &t->block->rows[row];
    unsigned char known; /* may be no bool */

    read_name(ret_first, r->first);
    read_name(ret_second, r->second);
    memcpy(&known, &r->is_known, sizeof(known));
    *ret_known = known != 0;
}

void
tally_read(const struct tally *t, size_t row, uint64_t ret[TALLY_COUNTERS])
{
    for (int i = 0; i < TALLY_COUNTERS; i++)
        ret[i] = get(&t->block->rows[row].counters[i]);
}

void
tally_read_head(const struct tally *t, uint64_t ret[TALLY_HEADS])
{
    for (int i = 0; i < TALLY_HEADS; i++)
        ret[i] = t != NULL ? get(&t->block->heads[i]) : 0;
}

uint64_t
tally_gauge(const struct tally *t, enum tally_gauge gauge)
{
    return t != NULL ? get(&t->block->gauges[gauge]) : 0;
}
