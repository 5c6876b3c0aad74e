/*
 * What bench says: on standard error what it will do and how far it is, on standard output
 * the figures.
 */
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench/internal.h"
#include "cli/out.h"
#include "cli/progress.h"
#include "cli/values.h"

#define WIDTH_DEFAULT 80
/* WAL of a job in its life and of what its limit is measured with: about. */
#define JOB_KIB 1
#define SECTIONS_TEXT 64

/* --- what it will do ------------------------------------------------------------------- */

static void
list_sections(const struct plan *plan, struct buf *ret)
{
    for (unsigned i = 0; i < SECTIONS; i++) {
        if (plan->sections & 1U << i)
            buf_printf(ret, "%s%s", ret->len > 0 ? ", " : "", section_name(i));
    }
}

static int64_t
about_mib(const struct plan *plan)
{
    int64_t full = 0;

    for (unsigned i = 0; i < SECTIONS; i++)
        full += (plan->sections & 1U << i) != 0 && (i == ENQUEUE || i == DRAIN || i == LIFE);
    return 1 + plan->rounds * (full * plan->jobs + plan_single(plan)) * JOB_KIB / 1024;
}

void
show_intent(const struct plan *plan, const struct home *home)
{
    AUTO(buf) struct buf text = {0}, sections = {0};

    list_sections(plan, &sections);
    if (home->is_left_over)
        out_note("the schema " BENCH_SCHEMA " of an earlier run is removed");
    buf_printf(&text, "measuring %s in %s: rounds: %d, workers: %d, jobs at once: up to %" PRId64,
               buf_text(&sections), session_shown(home->db), plan->rounds, plan->workers,
               plan->jobs);
    out_note(buf_text(&text));
    buf_clear(&text);
    buf_printf(&text,
               "this makes the schema " BENCH_SCHEMA ", writes about %" PRId64
               " MiB of WAL and removes the schema at the end; no other job is touched",
               about_mib(plan));
    out_note(buf_text(&text));
}

/* --- how far it is ---------------------------------------------------------------------- */

static size_t
terminal_width(void)
{
    struct winsize size;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        return WIDTH_DEFAULT;
    return size.ws_col;
}

static void
draw_bar(struct cli *cli, const struct plan *plan, int done, const char *what)
{
    AUTO(buf) struct buf line = {0};
    int all = plan_steps(plan);
    struct progress_counts counts = {
        .total = all, .succeeded = done, .percent = 100.0 * done / all, .eta_s = -1};
    size_t width = terminal_width() - 1, words = strlen(what) + 2;
    struct progress_style style = {
        .width = width > words ? width - words : width,
        .unicode = cli->unicode,
        .good = out_colour(cli, OUT_GREEN),
        .bad = out_colour(cli, OUT_RED),
        .plain = out_colour(cli, OUT_PLAIN),
    };

    progress_bar(&counts, &style, &line);
    fprintf(stderr, "\r%s%s%s\033[K", buf_text(&line), width > words ? ", " : "",
            width > words ? what : "");
}

void
show_step(struct cli *cli, const struct plan *plan, int done, const struct said *now)
{
    char what[SECTIONS_TEXT];

    snprintf(what, sizeof(what), "round %d of %d: %s", now->round + 1, plan->rounds,
             section_name(now->section));
    if (isatty(STDERR_FILENO) == 1)
        draw_bar(cli, plan, done, what);
    else
        fprintf(stderr, "%s\n", what);
}

void
show_steps_over(void)
{
    if (isatty(STDERR_FILENO) == 1)
        fputs("\r\033[K", stderr);
}

/* --- the figures ------------------------------------------------------------------------- */

static const struct column columns[] = {
    {.field = "name", .head = "FIGURE"},
    {.field = "median", .head = "MEDIAN", .kind = COLUMN_NUMBER},
    {.field = "unit", .head = "UNIT"},
    {.field = "lowest", .head = "LOWEST", .kind = COLUMN_NUMBER},
    {.field = "highest", .head = "HIGHEST", .kind = COLUMN_NUMBER},
    {.field = "of_limit", .head = "OF LIMIT", .kind = COLUMN_NUMBER},
    {.field = NULL},
};

static json_t *
digits(double value, int n)
{
    char text[48];

    snprintf(text, sizeof(text), "%.*f", n, value);
    return json_string(text);
}

static void
print_table(struct cli *cli, const struct samples *samples)
{
    json_t *rows = json_array();

    for (unsigned i = 0; i < FIGURES; i++) {
        const struct figure_row *f = &figure_rows[i];
        struct summary s = samples_sum_up(samples, i);

        if (s.tries == 0)
            continue;
        json_array_append_new(
            rows, json_pack("{s:s, s:o, s:s, s:o, s:o, s:o}", "name", f->name, "median",
                            digits(s.median, f->digits), "unit", f->unit, "lowest",
                            digits(s.lowest, f->digits), "highest", digits(s.highest, f->digits),
                            "of_limit", s.of_limit >= 0 ? digits(s.of_limit, 3) : json_string("")));
    }
    out_table(cli, rows, columns);
    json_decref(rows);
}

/* What the figures depend on, the same for all of them. */
static json_t *
run_facts(const struct plan *plan, const struct home *home)
{
    struct utsname machine;
    cpu_set_t usable;
    int cores = sched_getaffinity(0, sizeof(usable), &usable) == 0 ? CPU_COUNT(&usable) : 0;

    if (uname(&machine) < 0)
        memset(&machine, 0, sizeof(machine));
    return json_pack("{s:s, s:s, s:{s:s, s:i, s:s, s:s}, s:O, s:O, s:I, s:i}", "version",
                     PACKAGE_VERSION, "database", session_shown(home->db), "machine", "host",
                     machine.nodename, "cores", cores, "kernel", machine.release, "architecture",
                     machine.machine, "server_version",
                     json_object_get(home->facts, "server_version"), "settings",
                     json_object_get(home->facts, "settings"), "jobs", (json_int_t)plan->jobs,
                     "workers", plan->workers);
}

static void
print_lines(struct cli *cli, const struct plan *plan, const struct home *home,
            const struct samples *samples)
{
    json_t *facts = run_facts(plan, home);

    for (unsigned i = 0; i < FIGURES; i++) {
        const struct figure_row *f = &figure_rows[i];
        struct summary s = samples_sum_up(samples, i);
        json_t *line;

        if (s.tries == 0)
            continue;
        line =
            json_pack("{s:s, s:f, s:s, s:o?, s:f, s:f, s:i}", "name", f->name, "value", s.median,
                      "unit", f->unit, "of_limit", s.of_limit >= 0 ? json_real(s.of_limit) : NULL,
                      "lowest", s.lowest, "highest", s.highest, "tries", s.tries);
        json_object_update(line, facts);
        json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
        putchar('\n');
        json_decref(line);
    }
    json_decref(facts);
    cli->has_printed = true;
}

void
show_figures(struct cli *cli, const struct plan *plan, const struct home *home,
             const struct samples *samples)
{
    if (cli->json)
        print_lines(cli, plan, home, samples);
    else
        print_table(cli, samples);
}
