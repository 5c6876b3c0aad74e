/*
 * Is the queue well?  Why idle workers claim nothing, and how the server is.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "queue/queue.h"
#include "sqltext.h"

#define CLOCK_WARN_MS 2000
#define CLOCK_ERROR_MS 60000

static const struct statement st_stalled = {"pgcrew_stalled", sql_stalled};
static const struct statement st_health = {"pgcrew_health", sql_health};

void
queue_ask_stalled(struct db *db, const struct uuid *processes, size_t n, db_answer *answer,
                  void *arg)
{
    struct params p;

    params_init(&p);
    param_uuids(&p, processes, n);
    db_ask(db, &st_stalled, &p, answer, arg);
}

bool
queue_read_stalled(const PGresult *res, struct stalled *ret)
{
    if (PQntuples(res) == 0)
        return false;
    *ret = (struct stalled){
        .queues = row_text(res, 0, 0),
        .jobs = row_int(res, 0, 1),
        .gives = strcmp(row_text(res, 0, 2), "workers") == 0,
        .detail = row_text(res, 0, 3),
    };
    return true;
}

void
queue_ask_health(struct db *db, int64_t old_ms, db_answer *answer, void *arg)
{
    struct params p;

    params_init(&p);
    param_int8(&p, old_ms);
    db_ask(db, &st_health, &p, answer, arg);
}

void
queue_read_health(const PGresult *res, int row, struct health *ret)
{
    *ret = (struct health){
        .name = row_text(res, row, 0),
        .subject = row_text(res, row, 1),
        .level = row_text(res, row, 2),
        .value = row_float(res, row, 3),
        .finding = row_text(res, row, 4),
        .fix = row_text(res, row, 5),
    };
}

void
queue_judge_clock(int64_t server_ms, int64_t asked_real_ms, int64_t answered_real_ms,
                  char finding[QUEUE_FINDING], struct health *ret)
{
    int64_t ahead_ms = 0, off_ms;

    if (server_ms > answered_real_ms)
        ahead_ms = server_ms - answered_real_ms;
    else if (server_ms < asked_real_ms)
        ahead_ms = server_ms - asked_real_ms;
    off_ms = ahead_ms < 0 ? -ahead_ms : ahead_ms;
    *ret = (struct health){
        .name = "clock_ahead_ms",
        .subject = "",
        .level = "ok",
        .value = (double)ahead_ms,
        .finding = "",
        .fix = "",
    };
    if (off_ms < CLOCK_WARN_MS)
        return;
    ret->level = off_ms < CLOCK_ERROR_MS ? "warn" : "error";
    snprintf(finding, QUEUE_FINDING,
             "the clock of the server is %" PRId64 ".%" PRId64 " s %s that of this host",
             off_ms / 1000, off_ms % 1000 / 100, ahead_ms < 0 ? "behind" : "ahead of");
    ret->finding = finding;
    ret->fix = "let both follow the same time (NTP): compare date on this host with "
               "select clock_timestamp()";
}
