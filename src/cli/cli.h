/*
 * What every command has at hand: the global options, the configuration and
 * the database session (both made when first asked for), and how to answer.
 *
 * A command returns its exit status.  Functions that can fail say why
 * themselves and leave the status in cli->status, so that commands read
 *
 *     if ((db = cli_database(cli)) == NULL)
 *         return cli->status;
 */
#ifndef PGCREW_CLI_CLI_H
#define PGCREW_CLI_CLI_H

#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/args.h"
#include "cli/command.h"
#include "config/conf.h"
#include "db/session.h"
#include "ipc/ctl_client.h"

struct cli {
    struct arena arena;                                   /* lives as long as the command */
    const char *config_path, *database_url, *socket_path; /* options; NULL: not given */
    bool json;
    bool terminal;    /* standard output is one */
    bool colour;      /* and wants colours */
    bool unicode;     /* and shows more than ASCII */
    bool has_printed; /* a JSON document went out */
    enum cli_exit status;
    struct conf *conf;
    struct session *session;
};

/* Fills *cli from the global options. */
void cli_init(struct cli *cli, const struct args *args);
void cli_release(struct cli *cli);

/*
 * Say what went wrong, on standard error, and with --json as the document
 * {"error": {"message": …, "sqlstate": …}} on standard output too.  Both return status.
 */
enum cli_exit cli_fail(struct cli *cli, enum cli_exit status, const struct err *err);
enum cli_exit cli_failf(struct cli *cli, enum cli_exit status, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* NULL: it has been said why. */
const struct conf *cli_conf(struct cli *cli);
struct session *cli_database(struct cli *cli);
/* The same session without the configured role: as the login itself. */
struct session *cli_database_as_login(struct cli *cli);

/* Run a statement; releases params, which may be NULL.  NULL: it has been said why. */
PGresult *cli_query(struct cli *cli, const char *sql, struct params *params);
/* CLI_AWAY when the connection is gone, CLI_NOT_DONE when the statement was refused. */
enum cli_exit cli_fail_database(struct cli *cli, struct err *err);

/* Call a method of the daemon; false: it has been said why.  params may be NULL. */
bool cli_ask_daemon(struct cli *cli, const char *method, const struct buf *params, json_t **ret);

/*
 * The same without a word: for commands that can do with one of the two.  The
 * caller owns *ret.
 */
bool cli_try_conf(struct cli *cli, struct err *err) MUST_CHECK;
bool cli_try_daemon(struct cli *cli, const char *method, json_t **ret, struct err *err) MUST_CHECK;
bool cli_try_database(struct cli *cli, struct err *err) MUST_CHECK;
/* All rows; opens the session when there is none. */
bool cli_try_query(struct cli *cli, const char *sql, const struct params *params, json_t **ret,
                   struct err *err) MUST_CHECK;

/* Who calls, for people to read: "ann@host". */
const char *cli_who(struct cli *cli);

/* Words of the command line as what they must be; false: it has been said why. */
bool cli_job_id(struct cli *cli, const char *word, int64_t *ret);
bool cli_uuid(struct cli *cli, const char *what, const char *word, struct uuid *ret);
bool cli_int(struct cli *cli, const struct args *args, const char *option, int64_t min, int64_t max,
             int64_t fallback, int64_t *ret);

#endif
