/* What errors of PostgreSQL mean, and where we connect. */
#include <libpq-fe.h>
#include <stdlib.h>

#include "db/error.h"
#include "db/target.h"
#include "tap.h"

static const char *
value_of(const struct target *t, const char *key)
{
    const char *last = NULL;

    for (size_t i = 0; t->keys[i] != NULL; i++) {
        if (strcmp(t->keys[i], key) == 0)
            last = t->values[i];
    }
    return last;
}

int
main(void)
{
    struct target t;
    struct err err;
    PGresult *res;

    unsetenv("PGHOST");
    unsetenv("PGSSLMODE");
    /* A result without fields is what libpq makes when it gives up by itself. */
    res = PQmakeEmptyPGresult(NULL, PGRES_FATAL_ERROR);
    db_error_of_result(&err, res);
    is_int(err.class, ERR_UNCERTAIN, "no SQLSTATE: nobody knows what the server did");
    ok(db_error_ends_session(res), "and the session is over");
    PQclear(res);

    ok(target_init(&t, "postgresql://me:geheim@db.example.com:5433/app", "pgcrew/x/1", 10000, &err),
       "a URL is understood");
    is_str(t.shown, "database app on db.example.com:5433", "what is shown has no password");
    is_str(value_of(&t, "sslmode"), "require", "a remote server is asked for TLS");
    is_str(value_of(&t, "tcp_user_timeout"), "10000", "a cut network is noticed");
    is_str(value_of(&t, "keepalives_idle"), "5", "also while we wait");
    is_str(value_of(&t, "connect_timeout"), "10", "the connect timeout is in seconds");
    target_release(&t);

    ok(target_init(&t, "host=/run/postgresql dbname=app", "x", 1500, &err),
       "key=value is understood");
    ok(value_of(&t, "sslmode") == NULL, "a local socket needs no TLS");
    is_str(value_of(&t, "connect_timeout"), "2", "a part of a second is rounded up");
    target_release(&t);

    ok(!target_init(&t, "postgresql://me:geheim@[broken/app", "x", 1000, &err),
       "a broken URL is refused");
    is_int(err.class, ERR_CONFIG, "a person has to mend it");
    ok(strstr(err.text, "geheim") == NULL, "the error does not repeat the password");
    target_release(&t);

    ok(!target_init(&t, "eyJhbGciOiJIUzI1NiJ9.e30.x", "x", 1000, &err), "an API key is refused");
    has_str(err.text, "API key", "and called by its name");
    target_release(&t);
    return done_testing();
}
