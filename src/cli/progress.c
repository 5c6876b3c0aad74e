#include "cli/progress.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "cli/values.h"

#define BAR_MAX 40
#define BAR_MIN 5
#define COUNT_MAX INT64_C(1000000000000000)

/* Seconds left; what is no number of them is not known. */
static int64_t
eta_of(const json_t *status)
{
    double seconds = value_real(status, "eta_seconds");

    return value_is_set(status, "eta_seconds") && seconds >= 0 && seconds < 1e12 ? (int64_t)seconds
                                                                                 : -1;
}

static double
percent_of(const json_t *status)
{
    double percent = value_real(status, "percent");

    return percent > 0 ? (percent < 100 ? percent : 100) : 0;
}

/* A count of rows, and so below what adding three of them could overflow. */
static int64_t
count_of(const json_t *status, const char *field)
{
    int64_t n = value_int(status, field);

    return n > 0 ? (n < COUNT_MAX ? n : COUNT_MAX) : 0;
}

void
progress_read(const json_t *status, struct progress_counts *ret)
{
    *ret = (struct progress_counts){
        .total = count_of(status, "total"),
        .queued = count_of(status, "queued"),
        .running = count_of(status, "running"),
        .succeeded = count_of(status, "succeeded"),
        .failed = count_of(status, "failed"),
        .cancelled = count_of(status, "cancelled"),
        .percent = percent_of(status),
        .eta_s = eta_of(status),
        .done = json_is_true(json_object_get(status, "done")),
    };
}

bool
progress_equal(const struct progress_counts *a, const struct progress_counts *b)
{
    /* The time left changes all the time, and percent is sent with one digit. */
    return a->total == b->total && a->queued == b->queued && a->running == b->running &&
           a->succeeded == b->succeeded && a->failed == b->failed && a->cancelled == b->cancelled &&
           a->done == b->done && (int64_t)(a->percent * 10) == (int64_t)(b->percent * 10);
}

static int64_t
ended(const struct progress_counts *c)
{
    return c->succeeded + c->failed + c->cancelled;
}

static void
add_counts(const struct progress_counts *c, struct buf *ret)
{
    buf_printf(ret, "%" PRId64 " of %" PRId64 " ended", ended(c), c->total);
    if (c->running > 0)
        buf_printf(ret, ", %" PRId64 " running", c->running);
    if (c->failed > 0)
        buf_printf(ret, ", %" PRId64 " failed", c->failed);
    if (c->cancelled > 0)
        buf_printf(ret, ", %" PRId64 " cancelled", c->cancelled);
}

static void
add_time_left(const struct progress_counts *c, struct buf *ret)
{
    char left[32];

    if (!c->done && c->eta_s >= 0)
        buf_printf(ret, ", about %s left", text_ago(left, c->eta_s < 10 ? 10000 : c->eta_s * 1000));
}

static void
add_times(struct buf *ret, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_add_text(ret, text);
}

/* Full only when all have ended: 99.96 % must not look like the end. */
static size_t
full_cells(const struct progress_counts *c, size_t cells)
{
    double share = c->percent / 100 * (double)cells;
    size_t full = share > 0 ? (size_t)share : 0;

    if (c->done)
        return cells;
    return full >= cells ? cells - 1 : full;
}

void
progress_bar(const struct progress_counts *c, const struct progress_style *style, struct buf *ret)
{
    AUTO(buf) struct buf words = {0};
    size_t cells, full;

    buf_printf(&words, "%5.1f %%  ", c->percent);
    add_counts(c, &words);
    add_time_left(c, &words);
    /* The words come first when there is not room for both. */
    if (words.len + 2 + BAR_MIN <= style->width) {
        cells = style->width - words.len - 2;
        cells = cells > BAR_MAX ? BAR_MAX : cells;
        full = full_cells(c, cells);
        buf_add_text(ret, c->failed > 0 ? style->bad : style->good);
        add_times(ret, style->unicode ? "\xe2\x96\x88" : "#", full);
        buf_add_text(ret, style->plain);
        add_times(ret, style->unicode ? "\xe2\x96\x91" : ".", cells - full);
        buf_add_text(ret, "  ");
    }
    buf_add(ret, words.data, words.len < style->width ? words.len : style->width);
}

void
progress_words(const struct progress_counts *c, struct buf *ret)
{
    buf_printf(ret, "%.1f %%: ", c->percent);
    add_counts(c, ret);
}
