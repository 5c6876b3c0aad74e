/*
 * What an error of PostgreSQL or libpq means for us: SQLSTATE alone does not
 * say it, the state of the connection and what we had sent count too.
 */
#ifndef PGCREW_DB_ERROR_H
#define PGCREW_DB_ERROR_H

#include <libpq-fe.h>

#include "base/err.h"

/* Raised by pgcrew's own functions. */
#define SQLSTATE_HOLDER_GONE "PC001" /* the lease holder is not known (any more) */

/* Fill err from a failed result.  Returns false. */
bool db_error_of_result(struct err *err, const PGresult *res);

/*
 * Fill err from a connection that could not be made or was lost.  sent says that
 * a statement whose effect is not known was on its way: then it is ERR_UNCERTAIN.
 */
bool db_error_of_connection(struct err *err, PGconn *conn, bool sent);

/* After this error the session is over although PQstatus may still say OK. */
bool db_error_ends_session(const PGresult *res);

#endif
