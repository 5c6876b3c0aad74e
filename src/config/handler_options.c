/*
 * The options of one handler: one row each, and the ways it is for.
 *
 * Adding one?  As in options.c; and in handlers.c if it is told by a general option.
 */
#include <ctype.h>
#include <string.h>

#include "config/rows.h"

static const char *const switch_choices[] = {"no", "yes", NULL};

static bool
is_assignment(const char *text)
{
    return option_is_variable(text, strcspn(text, "="));
}

static bool
is_reference(const char *text)
{
    return strncmp(text, "env:", 4) == 0 || strncmp(text, "file:/", 6) == 0 ||
           strncmp(text, "credential:", 11) == 0;
}

/* Every ${ begins a reference that ends. */
static bool
are_references(const char *text)
{
    while ((text = strstr(text, "${")) != NULL) {
        text += 2;
        if (!is_reference(text) || strchr(text, '}') == NULL)
            return false;
    }
    return true;
}

/* What the request itself is made of, and what it says of the job, is ours. */
static bool
is_our_header(const char *text, size_t len)
{
    static const char *const ours[] = {"Content-Length",    "Content-Type", "Host",
                                       "Transfer-Encoding", "Connection",   "Expect",
                                       "Accept-Encoding"};

    for (size_t i = 0; i < LENGTH(ours); i++) {
        if (strlen(ours[i]) == len && strncasecmp(text, ours[i], len) == 0)
            return true;
    }
    return strncasecmp(text, "Pgcrew-", 7) == 0;
}

/* RFC 9110: a token, a colon, the value; items of lists are printable anyway. */
static bool
is_header(const char *text)
{
    size_t name = strcspn(text, ":");

    if (name == 0 || text[name] != ':')
        return false;
    for (size_t i = 0; i < name; i++) {
        if (!isalnum((unsigned char)text[i]) && strchr("!#$%&'*+-.^_`|~", text[i]) == NULL)
            return false;
    }
    return !is_our_header(text, name) && are_references(text + name);
}

/* A password in it would be shown by --show-config: that is what headers with references are for. */
static bool
is_url(const char *text)
{
    size_t scheme = strncmp(text, "https://", 8) == 0  ? 8
                    : strncmp(text, "http://", 7) == 0 ? 7
                                                       : 0;
    size_t host = strcspn(text + scheme, "/?#");

    return scheme > 0 && host > 0 && memchr(text + scheme, '@', host) == NULL &&
           strchr(text, ' ') == NULL;
}

static bool
is_qualified(const char *text)
{
    const char *dot = strchr(text, '.');

    return dot != NULL && dot > text && dot[1] != '\0' && strchr(dot + 1, '.') == NULL &&
           strpbrk(text, " ();'\"") == NULL;
}

#define GOOD_ASSIGNMENT is_assignment, "NAME or NAME=value (not PGCREW_...)"
#define GOOD_HEADER                                                                                \
    is_header, "'Name: value' with ${env:NAME}, ${file:/PATH} or ${credential:NAME} for secrets "  \
               "(not Host, Content-Type, Pgcrew-... and others that are ours)"
#define GOOD_REFERENCE                                                                             \
    is_reference, "a reference to a secret (env:NAME, file:/PATH or credential:NAME)"
#define GOOD_URL is_url, "a URL (https://... or http://..., without a user or password)"
#define GOOD_FUNCTION is_qualified, "a function with its schema (app.send_mail)"

#define ALL 0
#define PROGRAM (1 << CONF_EXEC | 1 << CONF_SERVE)
#define SERVE (1 << CONF_SERVE)
#define MODULE (1 << CONF_MODULE)
#define SQL (1 << CONF_SQL)
#define HTTP (1 << CONF_HTTP)

/* clang-format off */
#define ROW(name, kind, field, type, preset, min, max, ways, ...) \
    OPT(handler_conf, ways, name, kind, field, type, preset, min, max, CONF_RELOAD, NULL, __VA_ARGS__)
/* Where somebody may write a secret by mistake. */
#define QUIET(name, kind, field, type, min, max, ...) \
    OPT(handler_conf, HTTP, name, kind, field, type, NULL, min, max, CONF_RELOAD | CONF_QUIET, NULL, __VA_ARGS__)
#define CHOICE(name, field, type, preset, choices, ways) \
    OPT(handler_conf, ways, name, OPTION_CHOICE, field, type, preset, 0, LENGTH(choices) - 2, CONF_RELOAD, choices, ANY)

/* Without a preset: not set, or told by an option of options.c; see handlers.c. */
static const struct option rows[] = {
    /*  name              type         field           type of it      preset     min         max  ways     what */
    ROW("module",         OPTION_TEXT, module,         const char *,      NULL,     1,       4095, MODULE,  GOOD_PATH),
    ROW("sql",            OPTION_TEXT, sql,            const char *,      NULL,     3,        127, SQL,     GOOD_FUNCTION),
    QUIET("http",         OPTION_TEXT, url,            const char *,                8,       2048,          GOOD_URL),

    ROW("timeout",        OPTION_MS,   timeout_ms,     int64_t,           NULL,    10,   30 * DAY, ALL,     ANY),
    ROW("retry_first",    OPTION_MS,   retry_first_ms, int64_t,           NULL,     0,        DAY, ALL,     ANY),
    ROW("retry_max",      OPTION_MS,   retry_max_ms,   int64_t,           NULL,     0,   30 * DAY, ALL,     ANY),
    ROW("tempfail_max",   OPTION_INT,  tempfail_max,   int,               NULL,     0,      10000, ALL,     ANY),
    ROW("slots",          OPTION_INT,  slots,          int,               "0",      0,       1000, PROGRAM | HTTP, ANY),
    CHOICE("keep_attempts", keep_attempts, enum conf_keep, NULL, option_keep_choices, ALL),

    ROW("env",            OPTION_LIST, env,            struct conf_list,  NULL,     0,        100, PROGRAM, GOOD_ASSIGNMENT),
    ROW("workdir",        OPTION_TEXT, workdir,        const char *,      NULL,     1,       4095, PROGRAM, GOOD_PATH),
    ROW("nice",           OPTION_INT,  nice,           int,               "0",      0,         19, PROGRAM, ANY),
    ROW("user",           OPTION_TEXT, user,           const char *,      NULL,     1,         31, PROGRAM, ANY),
    ROW("memory",         OPTION_SIZE, memory,         size_t,            NULL,     0, 1024 * GIB, PROGRAM, ANY),
    ROW("cpu",            OPTION_INT,  cpu_percent,    int,               "0",      0,     102400, PROGRAM, ANY),
    ROW("cpu_time",       OPTION_MS,   cpu_time_ms,    int64_t,           "0",      0,   30 * DAY, PROGRAM, ANY),
    ROW("processes",      OPTION_INT,  processes,      int,               NULL,     0,     100000, PROGRAM, ANY),
    ROW("open_files",     OPTION_INT,  open_files,     int,               "0",      0,    1000000, PROGRAM, ANY),
    ROW("file_size",      OPTION_SIZE, file_size,      size_t,            "0",      0, 1024 * GIB, PROGRAM, ANY),
    ROW("tmp_size",       OPTION_SIZE, tmp_size,       size_t,            "0",      0, 1024 * GIB, PROGRAM, ANY),
    CHOICE("network",     network, enum conf_switch, "yes", switch_choices, PROGRAM),

    ROW("programs",       OPTION_INT,  programs,       int,               "1",      1,       1000, SERVE,   ANY),
    ROW("in_flight",      OPTION_INT,  in_flight,      int,               "1",      1,       1000, SERVE,   ANY),
    ROW("answer_timeout", OPTION_MS,   answer_ms,      int64_t,           "10s",  100,       HOUR, SERVE,   ANY),
    ROW("recycle_jobs",   OPTION_INT,  recycle_jobs,   int,               "0",      0, 1000000000, SERVE,   ANY),
    ROW("recycle_age",    OPTION_MS,   recycle_age_ms, int64_t,           "0",      0,  365 * DAY, SERVE,   ANY),
    ROW("recycle_memory", OPTION_SIZE, recycle_memory, size_t,            "0",      0, 1024 * GIB, SERVE,   ANY),

    ROW("function",       OPTION_TEXT, function,       const char *,      NULL,     1,        127, MODULE,  ANY),

    ROW("role",           OPTION_TEXT, role,           const char *,      NULL,     1,         63, SQL,     ANY),
    CHOICE("as_owner",    as_owner, enum conf_switch, "no", switch_choices, SQL),

    QUIET("headers",      OPTION_LIST, headers,        struct conf_list,            0,         50,          GOOD_HEADER),
    QUIET("sign",         OPTION_TEXT, sign,           const char *,                5,       1024,          GOOD_REFERENCE),
    ROW("ca_file",        OPTION_TEXT, ca_file,        const char *,      NULL,     1,       4095, HTTP,    GOOD_PATH),
    ROW("redirects",      OPTION_INT,  redirects,      int,               "0",      0,         20, HTTP,    ANY),
    CHOICE("allow_local", allow_local, enum conf_switch, "no", switch_choices, HTTP),
    ROW("response_max",   OPTION_SIZE, response_max,   size_t,            "1MiB",   1,   64 * MIB, HTTP,    ANY),
};
/* clang-format on */

const struct option_table handler_options = {rows, LENGTH(rows)};
