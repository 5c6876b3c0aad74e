/* Tallies: what is written is read, within bounds, and the sums never go back. */
#include "ipc/tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipc/tally_sum.h"
#include "tap.h"

static uint64_t
counter(const struct tally *t, int row, int which)
{
    uint64_t all[TALLY_COUNTERS];

    tally_read(t, (size_t)row, all);
    return all[which];
}

static void
test_rows(void)
{
    struct tallies *all = tallies_new(2, 3);
    struct tally *t = tallies_block(all, 1);
    struct tally_writer *w = tally_writer_new(t);
    char first[TALLY_NAME], second[TALLY_NAME];
    int mail, also;
    bool known;

    ok(tallies_block(all, -1) == NULL && tallies_block(all, 2) == NULL, "no block outside");
    is_int((int64_t)tally_n_rows(t), 0, "nothing is counted at first");
    mail = tally_row(w, "default", "mail", true);
    also = tally_row(w, "other queue", "mail", false);
    ok(mail != also, "each pair of names has a row");
    is_int(tally_row(w, "default", "mail", true), mail, "the same pair has the same row");
    ok(tally_row(w, "defaultm", "ail", true) != mail, "where the first name ends matters");
    tally_add(w, mail, TALLY_SUCCEEDED, 1);
    tally_add(w, mail, TALLY_SUCCEEDED, 2);
    is_int((int64_t)counter(t, mail, TALLY_SUCCEEDED), 3, "counters add up");
    is_int((int64_t)counter(t, also, TALLY_SUCCEEDED), 0, "each for itself");
    tally_names(t, (size_t)also, first, second, &known);
    is_str(first, "other queue", "the first name can be read");
    is_str(second, "mail", "the second, too");
    ok(!known, "and that nobody has configured it");
    is_int((int64_t)tally_n_rows(tallies_block(all, 0)), 0, "the block next to it is another's");
    tally_clear(t);
    is_int((int64_t)tally_n_rows(t), 0, "cleared, it is empty");
    tally_writer_free(w);
    w = tally_writer_new(t);
    mail = tally_row(w, "default", "mail", true);
    is_int((int64_t)counter(t, mail, TALLY_SUCCEEDED), 0, "a row taken again begins at nothing");
    tally_writer_free(w);
    tallies_free(all);
}

static void
test_times(void)
{
    struct tallies *all = tallies_new(1, 1);
    struct tally *t = tallies_block(all, 0);
    struct tally_writer *w = tally_writer_new(t);
    int row = tally_row(w, "q", "k", true);
    uint64_t heads[TALLY_HEADS];

    tally_time(w, row, TALLY_RUN, 0);
    tally_time(w, row, TALLY_RUN, 1000);
    tally_time(w, row, TALLY_RUN, 1001);
    tally_time(w, row, TALLY_RUN, 3600000001);
    tally_time(w, row, TALLY_WAIT, -5);
    is_int((int64_t)counter(t, row, TALLY_RUN), 2, "up to a bound, and the bound itself");
    is_int((int64_t)counter(t, row, TALLY_RUN + 1), 1, "above it: the next bucket");
    is_int((int64_t)counter(t, row, TALLY_RUN + TALLY_TIMES - 1), 1, "above all: the last one");
    is_int((int64_t)counter(t, row, TALLY_RUN_US), 3600002002, "and their sum");
    is_int((int64_t)counter(t, row, TALLY_WAIT), 1, "waits are apart");
    is_int((int64_t)counter(t, row, TALLY_WAIT_US), 0, "nothing is before its time");
    tally_claim(w, 0);
    tally_claim(w, 3);
    tally_claim(w, 5000);
    tally_read_head(t, heads);
    is_int((int64_t)heads[TALLY_CLAIM], 1, "a claim that found nothing");
    is_int((int64_t)heads[TALLY_CLAIM + 3], 1, "one that found three: up to five");
    is_int((int64_t)heads[TALLY_CLAIM + TALLY_SIZES - 1], 1, "one that found more than all bounds");
    is_int((int64_t)heads[TALLY_CLAIMED], 5003, "and all they found");
    for (int i = 1; i < TALLY_TIMES - 1; i++)
        if (tally_times_us[i] <= tally_times_us[i - 1])
            ok(false, "bounds rise");
    tally_writer_free(w);
    tallies_free(all);
}

static void
test_bounds(void)
{
    struct tallies *all = tallies_new(1, 10);
    struct tally *t = tallies_block(all, 0);
    struct tally_writer *w = tally_writer_new(t);
    int known, other = -1, row = -1;
    size_t before;
    char name[300];

    for (int i = 0; i < TALLY_UNKNOWN; i++) {
        snprintf(name, sizeof(name), "kind %d", i);
        row = tally_row(w, "q", name, false);
    }
    is_int(row, TALLY_UNKNOWN - 1, "so many unknown names have rows of their own");
    other = tally_row(w, "q", "one more", false);
    is_int(tally_row(w, "q", "yet one more", false), other, "all others share one");
    is_int(tally_row(w, "q", "kind 5", false), 5, "those that have one keep it");
    known = tally_row(w, "q", "configured", true);
    ok(known != other, "what is configured has one nevertheless");
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof(name), "configured %d", i);
        row = tally_row(w, "q", name, true);
    }
    before = tally_n_rows(t);
    is_int(row, other, "until there is no place left at all");
    tally_row(w, "q", "the last", true);
    is_int((int64_t)tally_n_rows(t), (int64_t)before, "then nothing grows any more");
    tally_writer_free(w);
    tallies_free(all);

    all = tallies_new(1, 1);
    t = tallies_block(all, 0);
    w = tally_writer_new(t);
    memset(name, 'x', sizeof(name));
    memcpy(name + TALLY_NAME - 2, "\xc3\xa4", 2);
    name[250] = '\0';
    row = tally_row(w, name, "k", true);
    is_int(tally_row(w, name, "k", true), row, "a name that is too long is found again");
    {
        char first[TALLY_NAME], second[TALLY_NAME];
        bool is_known;

        tally_names(t, (size_t)row, first, second, &is_known);
        is_int((int64_t)strlen(first), TALLY_NAME - 2, "it is cut, but no character is");
    }
    tally_writer_free(w);
    tallies_free(all);
}

static void
test_nothing(void)
{
    struct tally_writer *w = tally_writer_new(NULL);
    uint64_t heads[TALLY_HEADS];
    int row = tally_row(w, "q", "k", true);

    tally_add(w, row, TALLY_FAILED, 1);
    tally_time(w, row, TALLY_RUN, 1);
    tally_claim(w, 1);
    tally_set(w, TALLY_OPEN, 1);
    tally_clear(NULL);
    tally_read_head(NULL, heads);
    ok(tally_n_rows(NULL) == 0 && heads[TALLY_CLAIMED] == 0, "without memory nothing is counted");
    tally_writer_free(w);
}

/* Another process counts, and dies in the middle of it. */
static void
count_and_die(struct tally *t, int n)
{
    pid_t pid = fork();

    if (pid == 0) {
        struct tally_writer *w = tally_writer_new(t);

        for (int i = 0; i < n; i++)
            tally_add(w, tally_row(w, "q", "k", true), TALLY_FAILED, 1);
        tally_claim(w, 7);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}

static void
test_sum(void)
{
    struct tallies *all = tallies_new(2, 1);
    struct tally *one = tallies_block(all, 0), *two = tallies_block(all, 1);
    struct tally_sum sum = {0};
    struct tally_seen seen_one = {0}, seen_two = {0};

    count_and_die(one, 3);
    tally_sum_add(&sum, &seen_one, one);
    tally_sum_add(&sum, &seen_one, one);
    is_int((int64_t)sum.n_rows, 1, "the sum has the row");
    is_int((int64_t)sum.rows[0].counters[TALLY_FAILED], 3, "what was seen is not added again");
    count_and_die(two, 5);
    tally_sum_add(&sum, &seen_two, two);
    is_int((int64_t)sum.rows[0].counters[TALLY_FAILED], 8, "two processes share a row");
    is_int((int64_t)sum.heads[TALLY_CLAIMED], 14, "and the rest");
    tally_clear(one);
    tally_seen_release(&seen_one);
    count_and_die(one, 2);
    tally_sum_add(&sum, &seen_one, one);
    is_int((int64_t)sum.rows[0].counters[TALLY_FAILED], 10,
           "the next process goes on where the dead one ended");
    tally_seen_release(&seen_one);
    tally_seen_release(&seen_two);
    tally_sum_release(&sum);
    tallies_free(all);
}

/* A process that scribbles over its block. */
static void
test_scribbled(void)
{
    struct tallies *all = tallies_new(1, 1);
    struct tally *t = tallies_block(all, 0);
    struct tally_writer *w = tally_writer_new(t);
    struct tally_sum sum = {0};
    struct tally_seen seen = {0};
    char first[TALLY_NAME], second[TALLY_NAME];
    bool known;
    void *block;
    size_t n;

    memcpy(&block, t, sizeof(block)); /* where its shared memory is */
    tally_add(w, tally_row(w, "q", "k", true), TALLY_SUCCEEDED, 9);
    tally_sum_add(&sum, &seen, t);
    memset(block, 0xff, 60000);
    n = tally_n_rows(t);
    ok(n <= 1024, "no more rows than there are");
    tally_names(t, 1, first, second, &known);
    ok(strlen(first) < TALLY_NAME, "names end");
    is_str(second, first, "and are text: '?' for what is none");
    tally_sum_add(&sum, &seen, t);
    ok(sum.n_rows > 0 && sum.n_rows <= n + 1, "the sum has a limit");
    memset(block, 0, 60000);
    tally_sum_add(&sum, &seen, t);
    ok(sum.rows[0].counters[TALLY_SUCCEEDED] >= 9, "and does not go back");
    tally_seen_release(&seen);
    tally_sum_release(&sum);
    tally_writer_free(w);
    tallies_free(all);
}

int
main(void)
{
    test_rows();
    test_times();
    test_bounds();
    test_nothing();
    test_sum();
    test_scribbled();
    return done_testing();
}
