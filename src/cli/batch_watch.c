/*
 * batch watch: draw how far a batch is until it ends.  The database may go away
 * and come back meanwhile.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "cli/batch_status.h"
#include "cli/commands.h"
#include "cli/out.h"
#include "cli/progress.h"
#include "cli/values.h"

#define LOOK_MIN_MS 250
#define LOOK_MAX_MS 5000
#define LOOK_COST_FACTOR 10 /* counting a big batch costs: at most a tenth of the time */
#define WIDTH_DEFAULT 80

struct watch {
    struct cli *cli;
    struct uuid batch;
    bool has_seen; /* a first answer is there: from now on a lost database is waited for */
    bool is_lost;
    bool has_line; /* the cursor stands behind a bar */
    struct progress_counts last;
    struct backoff backoff;
};

static void
wait_ms(int64_t ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&pause, NULL);
}

static size_t
terminal_width(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        return WIDTH_DEFAULT;
    return size.ws_col;
}

/* The last place of a line stays free: some terminals wrap there. */
static void
draw_bar(struct watch *w, const struct progress_counts *now)
{
    AUTO(buf) struct buf line = {0};
    struct progress_style style = {
        .width = terminal_width() - 1,
        .unicode = w->cli->unicode,
        .good = out_colour(w->cli, OUT_GREEN),
        .bad = out_colour(w->cli, OUT_RED),
        .plain = out_colour(w->cli, OUT_PLAIN),
    };

    progress_bar(now, &style, &line);
    printf("\r%s\033[K", buf_text(&line));
    w->has_line = true;
    if (now->done)
        putchar('\n');
    fflush(stdout);
}

static void
draw(struct watch *w, const struct progress_counts *now)
{
    AUTO(buf) struct buf line = {0};

    if (w->cli->json)
        return;
    if (w->cli->terminal) {
        draw_bar(w, now);
        return;
    }
    if (w->has_seen && progress_equal(now, &w->last))
        return;
    progress_words(now, &line);
    puts(buf_text(&line));
    fflush(stdout);
}

/* On a terminal the note takes the place of the bar, which comes back by itself. */
static void
note_lost(struct watch *w, const struct err *err)
{
    if (w->is_lost)
        return;
    w->is_lost = true;
    fprintf(stderr,
            "%spgcrew: the database is away, trying again: ", w->has_line ? "\r\033[K" : "");
    out_printable(stderr, err->text, false);
    fputc('\n', stderr);
}

/* Ask once, over a new session when the old one is gone. */
static bool
look(struct watch *w, json_t **ret, struct err *err)
{
    const struct conf *conf = cli_conf(w->cli);
    struct session_options options = {
        .url = conf->db_url,
        .role = conf->db_role,
        .application_name = "pgcrew batch watch",
        .connect_timeout_ms = conf->connect_timeout_ms,
    };

    if (w->cli->session == NULL && !session_open(&options, &w->cli->session, err))
        return false;
    if (batch_status_get(w->cli->session, &w->batch, NULL, 0, ret, err))
        return true;
    if (session_is_lost(w->cli->session)) {
        session_close(w->cli->session);
        w->cli->session = NULL;
    }
    return false;
}

/* The answer, or NULL when it will never come (then it has been said why). */
static json_t *
look_until_answered(struct watch *w, int64_t *ret_cost_ms)
{
    struct err err;
    json_t *status;

    for (;;) {
        int64_t asked = clock_mono_ms();

        if (look(w, &status, &err)) {
            *ret_cost_ms = clock_mono_ms() - asked;
            w->is_lost = false;
            backoff_reset(&w->backoff);
            return status;
        }
        if (batch_status_is_unknown(&err)) {
            cli_failf(w->cli, CLI_NOT_DONE, "no such batch, or it has no jobs yet");
            return NULL;
        }
        if (!w->has_seen || err.class == ERR_CONFIG || err.class == ERR_PERMANENT) {
            if (w->cli->session == NULL) {
                err_before(&err, "cannot reach the database");
                cli_fail(w->cli, CLI_AWAY, &err);
            } else {
                cli_fail_database(w->cli, &err);
            }
            return NULL;
        }
        note_lost(w, &err);
        wait_ms(backoff_jitter(backoff_failed(&w->backoff, 0)));
    }
}

static enum cli_exit
finish(struct cli *cli, json_t *status, const struct progress_counts *now)
{
    bool is_bad = now->failed > 0 || strcmp(value_text(status, "status"), "cancelled") == 0;

    if (cli->json) {
        json_object_del(status, "jobs");
        json_object_del(status, "jobs_truncated");
        out_json(cli, status);
    } else {
        if (now->failed > 0)
            printf("%" PRId64 " failed: pgcrew job list --status failed --batch %s\n", now->failed,
                   value_text(status, "batch_id"));
        json_decref(status);
    }
    return is_bad ? CLI_NOT_DONE : CLI_DONE;
}

static int64_t
clamp(int64_t ms)
{
    return ms < LOOK_MIN_MS ? LOOK_MIN_MS : ms > LOOK_MAX_MS ? LOOK_MAX_MS : ms;
}

enum cli_exit
batch_watch(struct cli *cli, const struct args *args)
{
    struct watch w = {.cli = cli, .backoff = {.first_ms = 200, .max_ms = 5000}};
    struct progress_counts now;

    if (!cli_uuid(cli, "batch", args->words[0], &w.batch) || cli_conf(cli) == NULL)
        return cli->status;
    for (;;) {
        int64_t cost_ms;
        json_t *status = look_until_answered(&w, &cost_ms);

        if (status == NULL)
            return cli->status;
        progress_read(status, &now);
        draw(&w, &now);
        if (now.done)
            return finish(cli, status, &now);
        json_decref(status);
        w.last = now;
        w.has_seen = true;
        wait_ms(clamp(cost_ms * LOOK_COST_FACTOR));
    }
}
