/*
 * What the checks of doctor share.
 */
#ifndef PGCREW_CLI_DOCTOR_H
#define PGCREW_CLI_DOCTOR_H

#include "cli/cli.h"

enum doctor_level { DOCTOR_OK, DOCTOR_WARN, DOCTOR_ERROR };

struct doctor {
    struct cli *cli;
    json_t *findings;  /* of {check, level, finding, fix} */
    const char *check; /* the one that runs */
    size_t n[DOCTOR_ERROR + 1];
    bool has_database, has_schema;
    json_t *facts; /* of doctor_facts.sql; NULL without a database */
    bool daemon_answers;
    bool has_workers; /* of any host */
};

/* fix NULL: nothing to do. */
void doctor_say(struct doctor *d, enum doctor_level level, const char *fix, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* doctor_connect.c */
void doctor_check_configuration(struct doctor *d);
void doctor_check_key(struct doctor *d);
void doctor_check_database(struct doctor *d);
void doctor_check_pooler(struct doctor *d);
void doctor_check_tls(struct doctor *d);

/* What to do about what libpq or a server says. */
const char *doctor_advice_for(const char *text);

/* doctor_gateway.c */
void doctor_check_gateway(struct doctor *d);
void doctor_check_dashboard(struct doctor *d);

/* doctor_schema.c */
void doctor_check_schema(struct doctor *d);
void doctor_check_login(struct doctor *d);
void doctor_check_rules(struct doctor *d);

/* doctor_health.c */
void doctor_check_health(struct doctor *d);

/* doctor_work.c */
void doctor_check_daemon(struct doctor *d);
void doctor_check_workers(struct doctor *d);
void doctor_check_waiting(struct doctor *d);

/*
 * doctor_token.c: is this the access token of a user, and would the gateway take it?  job is
 * what why_ask() knows of a job that the user does not see; NULL: none.
 */
void doctor_check_token(struct doctor *d, const char *token, const json_t *job);

#endif
