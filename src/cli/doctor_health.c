/*
 * Checks of the server: what will slow down or stop the queue, be it well today.
 */
#include <string.h>

#include "cli/doctor.h"
#include "cli/health.h"
#include "cli/values.h"

static enum doctor_level
level_of(const json_t *row)
{
    const char *level = value_text(row, "level");

    if (strcmp(level, "error") == 0)
        return DOCTOR_ERROR;
    return strcmp(level, "warn") == 0 ? DOCTOR_WARN : DOCTOR_OK;
}

void
doctor_check_health(struct doctor *d)
{
    json_t *rows, *row;
    struct err err;
    size_t i;

    if (!health_try(d->cli, &rows, &err)) {
        doctor_say(d, DOCTOR_ERROR, NULL, "cannot be measured: %s", err.text);
        return;
    }
    json_array_foreach(rows, i, row)
    {
        if (value_is_set(row, "finding"))
            doctor_say(d, level_of(row), value_is_set(row, "fix") ? value_text(row, "fix") : NULL,
                       "%s", value_text(row, "finding"));
    }
    if (health_worst(rows) == NULL)
        doctor_say(d, DOCTOR_OK, NULL,
                   "no old transaction, no heap of dead rows, no number about to run out, and the "
                   "clocks agree");
    json_decref(rows);
}
