/* The figures of `pgcrew bench`: medians, percentiles, ratios, names of sections. */
#include "bench/figures.h"

#include "tap.h"

static bool
near(double a, double b)
{
    return a - b < 1e-9 && b - a < 1e-9;
}

static void
middles(void)
{
    double one[] = {7}, odd[] = {9, 1, 5}, even[] = {4, 1, 2, 100};
    double hundred[100], few[] = {3, 1, 2};

    ok(near(median_of(one, 1), 7), "the median of one is that one");
    ok(near(median_of(odd, 3), 5), "of three the middle one, whatever their order");
    ok(near(median_of(even, 4), 3), "of an even number what lies between the middle two");

    for (int i = 0; i < 100; i++)
        hundred[i] = 100 - i;
    ok(near(percentile_of(hundred, 100, 50), 50), "half of a hundred are not above the 50th");
    ok(near(percentile_of(hundred, 100, 99), 99), "99 are not above the 99th");
    ok(near(percentile_of(few, 3, 99), 3), "of few the highest stands for the rare");
    ok(near(percentile_of(few, 3, 50), 2), "and the middle one for the usual");
    ok(near(percentile_of(one, 1, 95), 7), "one is all there is");
}

static void
sums(void)
{
    static struct samples s;
    struct summary sum;

    sum = samples_sum_up(&s, DRAIN_RATE);
    is_int(sum.tries, 0, "without tries there is nothing");
    samples_add(&s, DRAIN_LIMIT, 0, 100);
    samples_add(&s, DRAIN_LIMIT, 1, 200);
    samples_add(&s, DRAIN_LIMIT, 2, 1000);
    samples_add(&s, DRAIN_RATE, 0, 50);
    samples_add(&s, DRAIN_RATE, 1, 60);
    samples_add(&s, DRAIN_RATE, 2, 40);
    sum = samples_sum_up(&s, DRAIN_RATE);
    is_int(sum.tries, 3, "tries are counted");
    ok(near(sum.median, 50), "the median");
    ok(near(sum.lowest, 40), "the lowest");
    ok(near(sum.highest, 60), "the highest");
    ok(near(sum.of_limit, 0.3), "the ratio is the median of ratios, each of its own round");
    sum = samples_sum_up(&s, DRAIN_LIMIT);
    ok(sum.of_limit < 0, "a limit has none itself");
    ok(near(samples_sum_up(&s, DRAIN_LIMIT).median, 200), "summing up changes nothing");

    samples_add(&s, SINGLE_RATE, 4, 10);
    ok(samples_sum_up(&s, SINGLE_RATE).of_limit < 0, "no ratio where the limit was not measured");
    samples_add(&s, SINGLE_LIMIT, 4, 0);
    ok(samples_sum_up(&s, SINGLE_RATE).of_limit < 0, "nor to nothing");
}

static void
rows(void)
{
    for (unsigned i = 0; i < FIGURES; i++) {
        const struct figure_row *f = &figure_rows[i];

        ok(f->name != NULL && f->unit != NULL, "figure %u has a name and a unit", i);
        ok(strncmp(f->name, section_name(f->section), strlen(section_name(f->section))) == 0,
           "%s is named after its section", f->name);
        ok(f->limit == FIGURES || figure_rows[f->limit].section == f->section,
           "and its limit is measured in that section, too");
    }
}

static void
sections(void)
{
    unsigned bits;
    char bad[32] = "";

    ok(sections_parse("drain", &bits, bad) && bits == 1U << DRAIN, "one section");
    ok(sections_parse("latency,enqueue", &bits, bad) && bits == (1U << LATENCY | 1U << ENQUEUE),
       "two");
    ok(!sections_parse("drain,sleep", &bits, bad), "one that there is not");
    is_str(bad, "sleep", "is named");
    ok(!sections_parse("drai", &bits, bad) && !sections_parse("drains", &bits, bad),
       "no part of a name, and not more than it");
    ok(!sections_parse("", &bits, bad) && !sections_parse("drain,", &bits, bad), "nor nothing");
    ok(!sections_parse("a-name-that-is-longer-than-there-is-room", &bits, bad), "a long one");
    is_int(strlen(bad), 31, "is cut");
}

int
main(void)
{
    middles();
    sums();
    rows();
    sections();
    return done_testing();
}
