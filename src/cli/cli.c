#include "cli/cli.h"

#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/out.h"
#include "cli/values.h"
#include "metrics/facts.h"

#define APPLICATION_NAME "pgcrew tool"

void
cli_init(struct cli *cli, const struct args *args)
{
    const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");

    *cli = (struct cli){.status = CLI_DONE};
    arena_init(&cli->arena);
    cli->config_path = args_value(args, "config");
    cli->database_url = args_value(args, "database");
    cli->socket_path = args_value(args, "socket");
    cli->json = args_has(args, "json");
    cli->terminal = isatty(STDOUT_FILENO) == 1;
    cli->colour = cli->terminal && !cli->json && (no_colour == NULL || no_colour[0] == '\0') &&
                  (term == NULL || strcmp(term, "dumb") != 0);
    setlocale(LC_CTYPE, "");
    cli->unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    /* Widths of characters are asked in UTF-8 whatever the terminal shows. */
    if (!cli->unicode)
        setlocale(LC_CTYPE, "C.UTF-8");
}

void
cli_release(struct cli *cli)
{
    session_close(cli->session);
    conf_free(cli->conf);
    arena_release(&cli->arena);
}

enum cli_exit
cli_fail(struct cli *cli, enum cli_exit status, const struct err *err)
{
    char text[sizeof(err->text) * 4];

    text_printable(text, sizeof(text), err->text, strlen(err->text));
    out_note(err->text);
    if (cli->json && !cli->has_printed)
        out_json(cli, json_pack("{s:{s:s, s:s?}}", "error", "message", text, "sqlstate",
                                err->sqlstate[0] != '\0' ? err->sqlstate : NULL));
    cli->status = status;
    return status;
}

enum cli_exit
cli_failf(struct cli *cli, enum cli_exit status, const char *format, ...)
{
    struct err err = {.class = ERR_PERMANENT};
    va_list args;

    va_start(args, format);
    vsnprintf(err.text, sizeof(err.text), format, args);
    va_end(args);
    return cli_fail(cli, status, &err);
}

/* --- configuration -------------------------------------------------------------- */

bool
cli_try_conf(struct cli *cli, struct err *err)
{
    const char *overrides[3] = {NULL};
    struct conf_source from = {
        .path = cli->config_path, .overrides = overrides, .flags = CONF_FOR_TOOL};
    size_t n = 0;

    if (cli->conf != NULL)
        return true;
    if (cli->database_url != NULL)
        overrides[n++] = arena_printf(&cli->arena, "database.url=%s", cli->database_url);
    if (cli->socket_path != NULL)
        overrides[n++] = arena_printf(&cli->arena, "control.socket=%s", cli->socket_path);
    return conf_load(&from, &cli->conf, err);
}

const struct conf *
cli_conf(struct cli *cli)
{
    struct err err;

    if (!cli_try_conf(cli, &err))
        cli_fail(cli, CLI_USAGE, &err);
    return cli->conf;
}

/* --- database ------------------------------------------------------------------- */

static void
show_notice(const char *text)
{
    AUTO(mem) char *line = xasprintf("note: %s", text);

    out_note(line);
}

static bool
open_session(struct cli *cli, bool as_login, struct err *err)
{
    const struct conf *conf = cli->conf;
    struct session_options options = {
        .url = conf->db_url,
        .role = as_login ? NULL : conf->db_role,
        .application_name = APPLICATION_NAME,
        .connect_timeout_ms = conf->connect_timeout_ms,
        .notice = show_notice,
    };

    if (session_open(&options, &cli->session, err))
        return true;
    return err_before(err, "cannot reach the database");
}

static struct session *
need_session(struct cli *cli, bool as_login)
{
    struct err err;

    if (cli->session != NULL || cli_conf(cli) == NULL)
        return cli->session;
    if (!open_session(cli, as_login, &err))
        cli_fail(cli, err.class == ERR_CONFIG ? CLI_USAGE : CLI_AWAY, &err);
    return cli->session;
}

struct session *
cli_database(struct cli *cli)
{
    return need_session(cli, false);
}

struct session *
cli_database_as_login(struct cli *cli)
{
    return need_session(cli, true);
}

bool
cli_try_database(struct cli *cli, struct err *err)
{
    if (cli->session != NULL)
        return true;
    return cli_try_conf(cli, err) && open_session(cli, false, err);
}

bool
cli_try_query(struct cli *cli, const char *sql, const struct params *params, json_t **ret,
              struct err *err)
{
    AUTO(result) PGresult *res = NULL;

    if (!cli_try_database(cli, err) || !session_run(cli->session, sql, params, &res, err))
        return false;
    *ret = value_from_rows(res);
    return true;
}

/* What a person can do about the refusals that have one cause here. */
static const struct {
    const char *sqlstate;
    const char *advice;
} advices[] = {
    {"42P01", "is the schema there? see: pgcrew migrate status"},
    {"42883", "is the schema there? see: pgcrew migrate status"},
    {"3F000", "is the schema there? see: pgcrew migrate status"},
    {"42501", "this login may not do that; pgcrew doctor says what is missing"},
};

enum cli_exit
cli_fail_database(struct cli *cli, struct err *err)
{
    if (cli->session != NULL && session_is_lost(cli->session)) {
        err_before(err, "the database went away");
        return cli_fail(cli, CLI_AWAY, err);
    }
    for (size_t i = 0; i < LENGTH(advices); i++) {
        size_t len = strlen(err->text);

        if (strcmp(err->sqlstate, advices[i].sqlstate) == 0)
            snprintf(err->text + len, sizeof(err->text) - len, " (%s)", advices[i].advice);
    }
    return cli_fail(cli, CLI_NOT_DONE, err);
}

PGresult *
cli_query(struct cli *cli, const char *sql, struct params *params)
{
    struct session *db = cli_database(cli);
    PGresult *res = NULL;
    struct err err;

    if (db != NULL && !session_run(db, sql, params, &res, &err))
        cli_fail_database(cli, &err);
    params_release(params);
    return res;
}

/* --- daemon --------------------------------------------------------------------- */

static bool
call_daemon(struct cli *cli, const char *method, const struct buf *params, json_t **ret,
            struct err *err)
{
    AUTO(ctl_answer) struct ctl_answer answer = {0};

    if (!ctl_call(cli->conf->socket_path, method, params, &answer, err))
        return false;
    *ret = facts_from_msgpack(&answer.result);
    return true;
}

bool
cli_try_daemon(struct cli *cli, const char *method, json_t **ret, struct err *err)
{
    return cli_try_conf(cli, err) && call_daemon(cli, method, NULL, ret, err);
}

bool
cli_ask_daemon(struct cli *cli, const char *method, const struct buf *params, json_t **ret)
{
    struct err err;

    if (cli_conf(cli) == NULL)
        return false;
    if (call_daemon(cli, method, params, ret, &err))
        return true;
    cli_fail(cli, err.class == ERR_PERMANENT ? CLI_NOT_DONE : CLI_AWAY, &err);
    return false;
}

/* --- words ---------------------------------------------------------------------- */

bool
cli_job_id(struct cli *cli, const char *word, int64_t *ret)
{
    if (text_to_int(word, ret) && *ret > 0)
        return true;
    cli_failf(cli, CLI_USAGE, "'%s' is not the id of a job: ids are whole numbers", word);
    return false;
}

bool
cli_uuid(struct cli *cli, const char *what, const char *word, struct uuid *ret)
{
    if (uuid_parse(word, ret))
        return true;
    cli_failf(cli, CLI_USAGE, "'%s' is not the id of a %s: it must be a UUID", word, what);
    return false;
}

bool
cli_int(struct cli *cli, const struct args *args, const char *option, int64_t min, int64_t max,
        int64_t fallback, int64_t *ret)
{
    struct err err;

    if (args_int(args, option, min, max, fallback, ret, &err))
        return true;
    cli_fail(cli, CLI_USAGE, &err);
    return false;
}
