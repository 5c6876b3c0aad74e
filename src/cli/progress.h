/*
 * How far a batch is, as one line: a bar for a terminal, words for a log.
 */
#ifndef PGCREW_CLI_PROGRESS_H
#define PGCREW_CLI_PROGRESS_H

#include <jansson.h>

#include "base/buf.h"

struct progress_counts {
    int64_t total, queued, running, succeeded, failed, cancelled;
    double percent;
    int64_t eta_s; /* -1: not known */
    bool done;
};

/* From what public.batch_status() answers. */
void progress_read(const json_t *status, struct progress_counts *ret);
bool progress_equal(const struct progress_counts *a, const struct progress_counts *b);

struct progress_style {
    size_t width; /* places the line may take */
    bool unicode;
    const char *good, *bad, *plain; /* colour sequences, "" for none */
};

/* "█████░░░░░  43.5 %  130 of 300, 4 running, 2 failed, about 12 s left" */
void progress_bar(const struct progress_counts *c, const struct progress_style *style,
                  struct buf *ret);

/* "43.5 %: 130 of 300 ended, 4 running, 2 failed" */
void progress_words(const struct progress_counts *c, struct buf *ret);

#endif
