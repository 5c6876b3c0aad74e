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
static const char *const metrics_choices[] = {"open", "login", "off", NULL};
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

/* Of a role, or what a browser would call one in a token. */
static bool
is_role(const char *text)
{
    return text[0] != '\0' && strlen(text) <= 63 && strpbrk(text, " \"'") == NULL;
}

static bool
is_port(const char *text)
{
    int64_t port;

    return text_to_int(text, &port) && port >= 1 && port <= 65535;
}

/* Only what it looks like: whether it can be had is found out by who opens it. */
static bool
is_listen(const char *text)
{
    const char *colon = strrchr(text, ':');

    if (text[0] == '/')
        return strlen(text) <= 107;
    if (strcmp(text, "systemd") == 0)
        return true;
    return colon != NULL && colon > text && strchr(text, ' ') == NULL && is_port(colon + 1) &&
           (text[0] == '[' ? colon[-1] == ']' : memchr(text, ':', (size_t)(colon - text)) == NULL);
}

/* As a browser writes it: nothing after the port. */
static bool
is_origin(const char *text)
{
    size_t scheme = strncmp(text, "https://", 8) == 0  ? 8
                    : strncmp(text, "http://", 7) == 0 ? 7
                                                       : 0;

    if (strcmp(text, "*") == 0)
        return true;
    return scheme > 0 && text[scheme] != '\0' && strpbrk(text + scheme, "/?# @") == NULL;
}

#define GOOD_LISTEN is_listen, "addresses (127.0.0.1:8480, [::1]:8480, an absolute path, systemd)"
#define GOOD_ROLE is_role, "names of roles"
#define GOOD_ORIGIN is_origin, "origins (https://app.example.com, without a path), or *"
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

/* What every process that serves HTTP has; at is where its struct conf_web lies. */
#define WEB(at, name, kind, field, type, preset, min, max, ...) \
    {name, kind, (at) + FIELD(conf_web, field, type), preset, min, max, CONF_RELOAD, NULL, __VA_ARGS__, 0}
#define OPT_WEB(section, at, connections, per_address) \
    WEB(at, section ".listen",                  OPTION_LIST, listen,          struct conf_list, NULL,  0,       16, GOOD_LISTEN), \
    WEB(at, section ".connections_max",         OPTION_INT,  connections_max, int,     connections,    1,    60000, ANY), \
    WEB(at, section ".connections_per_address", OPTION_INT,  per_address_max, int,     per_address,    0,    60000, ANY), \
    WEB(at, section ".header_max",              OPTION_SIZE, header_max,      size_t,  "16KiB",      KIB,      MIB, ANY), \
    WEB(at, section ".body_max",                OPTION_SIZE, body_max,        size_t,  "1MiB",       KIB, 64 * MIB, ANY), \
    WEB(at, section ".request_timeout",         OPTION_MS,   request_ms,      int64_t, "10s",     SECOND,     HOUR, ANY), \
    WEB(at, section ".idle_timeout",            OPTION_MS,   idle_ms,         int64_t, "1min",    SECOND,     HOUR, ANY)

static const struct option conf_rows[] = {
    /*       name                          field                 default           min        max   flags */
    OPT_TEXT("name",                       name,                 NULL,               1,       200,  0, ANY),
    OPT_CHOICE("allow_root",               allow_root, enum conf_switch, "no",       switch_choices, 0),

    OPT_TEXT("database.url",               db_url,               NULL,               1,      4096,  CONF_SECRET | CONF_URL, ANY),
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

    OPT_WEB("gateway", offsetof(struct conf, gateway), "10000", "256"),
    OPT_TEXT("gateway.database_url",       gateway_url,          NULL,               1,      4096,  CONF_RELOAD | CONF_SECRET | CONF_URL, ANY),
    OPT_INT ("gateway.sessions",           gateway_sessions,     "2",                1,       100,  CONF_RELOAD),
    OPT_MS  ("gateway.statement_timeout",  gateway_statement_ms, "5s",             100, 10 * MINUTE, CONF_RELOAD),
    OPT_INT ("gateway.requests_max",       gateway_requests_max, "1000",             1,    100000,  CONF_RELOAD),
    OPT_TEXT("gateway.jwt_secret",         jwt_secret,           NULL,               1,      4096,  CONF_RELOAD | CONF_SECRET, ANY),
    OPT_TEXT("gateway.jwks_file",          jwks_file,            NULL,               1,      4095,  CONF_RELOAD, GOOD_PATH),
    OPT_TEXT("gateway.jwt_audience",       jwt_audience,         NULL,               1,       255,  CONF_RELOAD, ANY),
    OPT_TEXT("gateway.jwt_issuer",         jwt_issuer,           NULL,               1,      1023,  CONF_RELOAD, ANY),
    OPT_LIST("gateway.roles",              gateway_roles,        "authenticated",    1,        16,  CONF_RELOAD, GOOD_ROLE),
    OPT_TEXT("gateway.service_key",        service_key,          NULL,               1,      4096,  CONF_RELOAD | CONF_SECRET, ANY),
    OPT_LIST("gateway.origins",            origins,              NULL,               0,       100,  CONF_RELOAD, GOOD_ORIGIN),
    OPT_MS  ("gateway.watch_interval",     watch_ms,             "1s",             100,    MINUTE,  CONF_RELOAD),
    OPT_INT ("gateway.listeners_max",      listeners_max,        "5000",             0,     60000,  CONF_RELOAD),
    OPT_INT ("gateway.listeners_per_user", listeners_per_user,   "20",               1,     10000,  CONF_RELOAD),

    OPT_WEB("dashboard", offsetof(struct conf, dashboard), "100", "50"),
    OPT_TEXT("dashboard.token_file",       dashboard_token_file, NULL,               1,      4095,  CONF_RELOAD, GOOD_PATH),
    OPT_CHOICE("dashboard.service_key_login", dashboard_service_key_login, enum conf_switch, "no", switch_choices, CONF_RELOAD),
    OPT_MS  ("dashboard.session_timeout",  dashboard_session_ms, "12h",         MINUTE,  30 * DAY,  CONF_RELOAD),
    OPT_CHOICE("dashboard.metrics",        dashboard_metrics, enum conf_metrics, "open", metrics_choices, CONF_RELOAD),

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
