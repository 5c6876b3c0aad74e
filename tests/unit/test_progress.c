/* The line of `pgcrew batch watch`. */
#include "cli/progress.h"

#include <locale.h>

#include "cli/out.h"
#include "tap.h"

static const struct progress_style plain = {.width = 100, .good = "", .bad = "", .plain = ""};

static const char *
bar(const struct progress_counts *c, const struct progress_style *style)
{
    static struct buf line;

    buf_clear(&line);
    progress_bar(c, style, &line);
    return buf_text(&line);
}

static void
bars(void)
{
    struct progress_counts c = {.total = 300,
                                .queued = 166,
                                .running = 4,
                                .succeeded = 128,
                                .failed = 2,
                                .percent = 50,
                                .eta_s = 90};
    struct progress_style narrow = plain, unicode = plain, colours = plain;

    is_str(bar(&c, &plain),
           "##############...............   50.0 %  130 of 300 ended, 4 running, 2 failed, "
           "about 1 min 30 s left",
           "half of the bar is full, and the line is as wide as it may be");
    is_int(out_width(bar(&c, &plain)), 100, "exactly so wide");
    narrow.width = 40;
    is_str(bar(&c, &narrow), " 50.0 %  130 of 300 ended, 4 running, 2 ",
           "without room for a bar the words remain, cut");
    unicode.unicode = true;
    c.running = c.failed = 0;
    c.eta_s = -1;
    is_int(out_width(bar(&c, &unicode)), 40 + 2 + 25, "a bar is at most 40 places wide");
    colours.good = "<g>";
    colours.bad = "<b>";
    colours.plain = "<p>";
    ok(strncmp(bar(&c, &colours), "<g>####", 7) == 0, "it is green");
    c.failed = 1;
    ok(strncmp(bar(&c, &colours), "<b>####", 7) == 0, "or red once a job has failed");
}

static void
ends(void)
{
    struct progress_counts c = {
        .total = 3, .queued = 1, .succeeded = 2, .percent = 99.99, .eta_s = -1};

    ok(strchr(bar(&c, &plain), '.') < strchr(bar(&c, &plain), ' '),
       "a batch that has not ended has no full bar");
    c.queued = 0;
    c.succeeded = 3;
    c.percent = 100;
    c.done = true;
    ok(strstr(bar(&c, &plain), "#  100.0 %") != NULL, "one that has ended does");
    c = (struct progress_counts){.total = 1, .queued = 1, .percent = 0, .eta_s = -1};
    ok(bar(&c, &plain)[0] == '.', "at the start it is empty");
}

static void
words(void)
{
    struct progress_counts c = {
        .total = 10, .succeeded = 4, .cancelled = 1, .running = 2, .percent = 52.5, .eta_s = 3};
    struct progress_counts other = c;
    struct buf line = {0};

    progress_words(&c, &line);
    is_str(buf_text(&line), "52.5 %: 5 of 10 ended, 2 running, 1 cancelled", "words for a log");
    buf_release(&line);
    other.eta_s = 8;
    ok(progress_equal(&c, &other), "another guess of the time left is no change");
    other.percent = 52.6;
    ok(!progress_equal(&c, &other), "a tenth of a percent is");
}

static void
reads(void)
{
    json_t *status = json_pack("{s:i, s:i, s:i, s:f, s:n, s:b}", "total", 3, "failed", 1,
                               "succeeded", 2, "percent", 100.0, "eta_seconds", "done", 1);
    struct progress_counts c;

    progress_read(status, &c);
    is_int(c.total * 100 + c.succeeded * 10 + c.failed, 321, "counts are read");
    is_int(c.eta_s, -1, "null is an unknown time");
    ok(c.done, "and so is the end");
    json_decref(status);
}

int
main(void)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    bars();
    ends();
    words();
    reads();
    return done_testing();
}
