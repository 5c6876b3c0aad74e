/*
 * What of the server will slow us down or stop us, measured seldom.  Each thing is said
 * once, again when it becomes worse, and when it is over.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "janitor/internal.h"

/* So often well in a row, and it is over: what goes up and down is not said each time. */
#define WELL_ENOUGH 2

static struct concern *
find(struct janitor *j, const char *name, const char *subject)
{
    for (size_t i = 0; i < CONCERNS; i++) {
        struct concern *c = &j->concerns[i];

        if (strcmp(c->name, name) == 0 && strncmp(c->subject, subject, sizeof(c->subject) - 1) == 0)
            return c;
    }
    return NULL;
}

static void
end(struct concern *c)
{
    log_info("over: %s%s%s is well again", c->name, c->subject[0] != '\0' ? " of " : "",
             c->subject);
    *c = (struct concern){0};
}

static void
judge(struct janitor *j, const struct health *h)
{
    struct concern *c = find(j, h->name, h->subject);
    bool is_error = strcmp(h->level, "error") == 0;

    if (strcmp(h->level, "ok") == 0) {
        if (c != NULL && ++c->well >= WELL_ENOUGH)
            end(c);
        return;
    }
    if (c == NULL && (c = find(j, "", "")) == NULL)
        return; /* more trouble than a person reads */
    c->well = 0;
    if (c->name[0] != '\0' && c->is_error >= is_error)
        return;
    snprintf(c->name, sizeof(c->name), "%s", h->name);
    snprintf(c->subject, sizeof(c->subject), "%s", h->subject);
    c->is_error = is_error;
    if (is_error)
        log_error("%s -> %s", h->finding, h->fix);
    else
        log_warn("%s -> %s", h->finding, h->fix);
}

static void
on_measured(void *arg, const PGresult *res, const struct err *err)
{
    struct janitor *j = arg;
    char finding[QUEUE_FINDING];
    struct health h;

    for (int row = 0; res != NULL && row < PQntuples(res); row++) {
        queue_read_health(res, row, &h);
        if (strcmp(h.name, "server_ms") == 0)
            queue_judge_clock((int64_t)h.value, j->health_asked_real_ms, clock_real_ms(), finding,
                              &h);
        judge(j, &h);
    }
    duty_answered(j, DUTY_HEALTH, j->duties[DUTY_HEALTH].every_ms, err,
                  "look at the health of the server");
}

void
health_measure(struct janitor *j)
{
    j->health_asked_real_ms = clock_real_ms();
    queue_ask_health(j->db, j->conf->old_transaction_ms, on_measured, j);
}
