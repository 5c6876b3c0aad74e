/*
 * THE table: one row per option.  Those of a handler are in handler_options.c.
 *
 * Adding an option?  A row here, a field in conf.h, a line in conf/pgcrew.yaml
 * and an entry in pgcrew.yaml.5; tests/unit/test_conf_reference.c compares them.
 */
#include "config/options.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/rows.h"

static const char *const listen_choices[] = {"auto", "off", NULL};
static const char *const durability_choices[] = {"strict", "relaxed", NULL};
static const char *const switch_choices[] = {"no", "yes", NULL};
static const char *const level_choices[] = {"error", "warn", "info", "debug", NULL};

const char *const option_keep_choices[3] = {"failed", "all", NULL};

bool
option_is_variable(const char *text, size_t len)
{
    if (len == 0 || isdigit((unsigned char)text[0]))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)text[i]) && text[i] != '_')
            return false;
    }
    /* These are the facts of the job; the handler would get ours anyway. */
    return strncmp(text, "PGCREW_", 7) != 0;
}

bool
option_is_absolute(const char *text)
{
    return text[0] == '/';
}

static bool
is_variable(const char *text)
{
    return option_is_variable(text, strlen(text));
}

static bool
is_queue_name(const char *text)
{
    return strlen(text) <= 63 && text[0] != '\0';
}

#define GOOD_QUEUE is_queue_name, "queue names of 1 to 63 characters"
#define GOOD_VARIABLE is_variable, "names of environment variables (not PGCREW_...)"

/* clang-format off */
#define OPT_INT(name, field, preset, min, max, flags) \
    OPT(conf, 0, name, OPTION_INT, field, int, preset, min, max, flags, NULL, ANY)
#define OPT_MS(name, field, preset, min, max, flags) \
    OPT(conf, 0, name, OPTION_MS, field, int64_t, preset, min, max, flags, NULL, ANY)
#define OPT_SIZE(name, field, preset, min, max, flags) \
    OPT(conf, 0, name, OPTION_SIZE, field, size_t, preset, min, max, flags, NULL, ANY)
#define OPT_TEXT(name, field, preset, min, max, flags, ...) \
    OPT(conf, 0, name, OPTION_TEXT, field, const char *, preset, min, max, flags, NULL, __VA_ARGS__)
#define OPT_LIST(name, field, preset, min, max, flags, ...) \
    OPT(conf, 0, name, OPTION_LIST, field, struct conf_list, preset, min, max, flags, NULL, __VA_ARGS__)
#define OPT_CHOICE(name, field, type, preset, choices, flags) \
    OPT(conf, 0, name, OPTION_CHOICE, field, type, preset, 0, LENGTH(choices) - 2, flags, choices, ANY)

static const struct option conf_rows[] = {
    /*       name                          field                 default           min        max   flags */
    OPT_TEXT("name",                       name,                 NULL,               1,       200,  0, ANY),
    OPT_CHOICE("allow_root",               allow_root, enum conf_switch, "no",       switch_choices, 0),

    OPT_TEXT("database.url",               db_url,               NULL,               1,      4096,  CONF_SECRET, ANY),
    OPT_TEXT("database.role",              db_role,              NULL,               1,        63,  0, ANY),
    OPT_CHOICE("database.listen",          db_listen, enum conf_listen, "auto",      listen_choices, 0),
    OPT_CHOICE("database.durability", db_durability, enum conf_durability, "strict", durability_choices, CONF_RELOAD),
    OPT_MS  ("database.connect_timeout",   connect_timeout_ms,   "10s",         SECOND, 10 * MINUTE, 0),
    OPT_MS  ("database.statement_timeout", statement_timeout_ms, "1min",        SECOND,      HOUR,  0),
    OPT_MS  ("database.health_interval",   health_ms,            "1min",        SECOND,       DAY,  CONF_RELOAD),
    OPT_MS  ("database.old_transaction",   old_transaction_ms,   "10min",       SECOND,   7 * DAY,  CONF_RELOAD),

    OPT_INT ("worker.count",               workers,              "0",                0,      1024,  CONF_RELOAD),
    OPT_INT ("worker.slots",               slots,                "1",                1,      1000,  CONF_RELOAD),
    OPT_MS  ("worker.claim_ahead",         claim_ahead_ms,       "50ms",             0,    MINUTE,  CONF_RELOAD),
    OPT_INT ("worker.claim_max",           claim_max,            "500",              1,     10000,  CONF_RELOAD),
    OPT_MS  ("worker.drain_timeout",       drain_ms,             "25s",              0,       DAY,  CONF_RELOAD),
    OPT_MS  ("worker.kill_grace",          grace_ms,             "5s",               0,      HOUR,  CONF_RELOAD),
    OPT_MS  ("worker.stall_timeout",       stall_ms,             "30s",         SECOND,      HOUR,  CONF_RELOAD),
    OPT_INT ("worker.recycle_jobs",        recycle_jobs,         "0",                0, 1000000000, CONF_RELOAD),
    OPT_MS  ("worker.recycle_age",         recycle_age_ms,       "0",                0,  365 * DAY, CONF_RELOAD),
    OPT_SIZE("worker.recycle_memory",      recycle_memory,       "0",                0, 1024 * GIB, CONF_RELOAD),
    OPT_SIZE("worker.memory_max",          memory_max,           "0",                0, 1024 * GIB, CONF_RELOAD),

    OPT_LIST("queue.names",                queues,               "default",          1,       100,  CONF_RELOAD, GOOD_QUEUE),
    OPT_MS  ("queue.poll_interval",        poll_ms,              "2s",              10, 10 * MINUTE, CONF_RELOAD),
    OPT_MS  ("queue.lease",                lease_ms,             "30s",         SECOND,      HOUR,  CONF_RELOAD),
    OPT_MS  ("queue.stall_after",          stall_after_ms,       "30s",              0,       DAY,  CONF_RELOAD),

    OPT_MS  ("retry.first",                retry_first_ms,       "5s",               0,       DAY,  CONF_RELOAD),
    OPT_MS  ("retry.max",                  retry_max_ms,         "1h",               0,  30 * DAY,  CONF_RELOAD),
    OPT_INT ("retry.tempfail_max",         tempfail_max,         "20",               0,     10000,  CONF_RELOAD),

    OPT_MS  ("handler.timeout",            timeout_ms,           "10min",           10,  30 * DAY,  CONF_RELOAD),
    OPT_LIST("handler.env",                env,                  "PATH,HOME,LANG,TZ", 0,      100,  CONF_RELOAD, GOOD_VARIABLE),
    OPT_CHOICE("handler.keep_attempts",    keep_attempts, enum conf_keep, "failed",  option_keep_choices, CONF_RELOAD),
    OPT_SIZE("handler.memory",             handler_memory,       "0",                0, 1024 * GIB, CONF_RELOAD),
    OPT_INT ("handler.processes",          handler_processes,    "0",                0,   100000,  CONF_RELOAD),

    OPT_SIZE("limits.payload",             payload_max,          "16MiB",            1, 256 * MIB,  CONF_RELOAD),
    OPT_SIZE("limits.result",              result_max,           "1MiB",             0,  64 * MIB,  CONF_RELOAD),
    OPT_SIZE("limits.stderr_tail",         stderr_tail,          "4KiB",             0,  64 * KIB,  CONF_RELOAD),
    OPT_SIZE("limits.log_line",            log_line_max,         "4KiB",           128,   4 * KIB,  CONF_RELOAD),

    OPT_TEXT("control.socket",             socket_path, "/run/pgcrew/control.sock",  1,       107,  0, GOOD_PATH),
    OPT_TEXT("control.group",              socket_group,         NULL,               1,        63,  0, ANY),
    OPT_CHOICE("log.level",                log_level, enum log_level, "info",        level_choices, CONF_RELOAD),
};

/* clang-format on */

const struct option_table conf_options = {conf_rows, LENGTH(conf_rows)};

const struct option *
option_find(struct option_table table, const char *name)
{
    for (size_t i = 0; i < table.n; i++) {
        if (strcmp(table.rows[i].name, name) == 0)
            return &table.rows[i];
    }
    return NULL;
}

const char *
option_nearest(struct option_table table, const char *name)
{
    const char *nearest = NULL;
    size_t least = strlen(name) / 3 + 1;

    for (size_t i = 0; i < table.n; i++) {
        const char *known = table.rows[i].name, *dot = strchr(known, '.');
        size_t distance = text_distance(name, known);

        /* poll_interval for queue.poll_interval: the section was forgotten. */
        if (dot != NULL && strcmp(dot + 1, name) == 0)
            distance = 1;
        if (distance <= least && distance < strlen(name)) {
            least = distance - (distance > 0);
            nearest = known;
        }
    }
    return nearest;
}

const char *
option_variable(const struct option *o, char ret[64])
{
    size_t at = (size_t)snprintf(ret, 64, "PGCREW_%s", o->name);

    for (size_t i = 0; i < at && i < 63; i++)
        ret[i] = (char)(ret[i] == '.' ? '_' : toupper((unsigned char)ret[i]));
    return ret;
}
