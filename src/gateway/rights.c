/*
 * A login that may do more than a gateway has to is a danger if the gateway is broken into,
 * one that may do less is of no use: both are said once.
 */
#include "gateway/rights.h"
#include "base/log.h"
#include "sqltext.h"

static const struct statement rights = {"user_rights", sql_gateway_rights};

static void
on_rights(void *arg, const PGresult *res, const struct err *err)
{
    (void)arg;
    if (err != NULL)
        return; /* the session is gone, and what is wrong with it is said */
    for (int row = 0; row < PQntuples(res); row++)
        log_warn("%s -> %s", PQgetvalue(res, row, 1), PQgetvalue(res, row, 2));
}

void
rights_look(struct db *db, const struct conf *conf)
{
    struct params p;

    params_init(&p);
    param_texts(&p, conf->gateway_roles.items, conf->gateway_roles.n);
    db_ask(db, &rights, &p, on_rights, NULL);
    db_commit(db);
}
