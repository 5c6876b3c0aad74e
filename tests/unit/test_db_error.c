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
    is_str(value_of(&t, "sslmode"), "verify-full", "a remote server must prove who it is");
    is_str(value_of(&t, "tcp_user_timeout"), "10000", "a cut network is noticed");
    is_str(value_of(&t, "keepalives_idle"), "5", "also while we wait");
    is_str(value_of(&t, "connect_timeout"), "10", "the connect timeout is in seconds");
    target_release(&t);

    ok(target_init(&t, "host=db.example.com sslmode=require", "x", 1000, &err) &&
           value_of(&t, "sslmode") == NULL && value_of(&t, "sslrootcert") == NULL,
       "but for a URL that says how sure to be");
    target_release(&t);
    ok(target_init(&t, "host=db.example.com sslrootcert=/ca", "x", 1000, &err) &&
           value_of(&t, "sslrootcert") == NULL,
       "an authority that is named is the one");
    is_str(value_of(&t, "sslmode"), "verify-full", "and is asked");
    target_release(&t);
    ok(target_init(&t, "host=/run/postgresql,db.example.com", "x", 1000, &err), "a list of hosts");
    is_str(value_of(&t, "sslmode"), "verify-full", "of which one is elsewhere");
    target_release(&t);
    ok(target_init(&t, "hostaddr=192.0.2.1", "x", 1000, &err), "an address alone");
    is_str(value_of(&t, "sslmode"), "verify-full", "is elsewhere, too");
    target_release(&t);
    ok(target_init(&t, "host=localhost,/run/postgresql hostaddr=127.0.0.1,", "x", 1000, &err),
       "hosts that are all here");
    ok(value_of(&t, "sslmode") == NULL, "need none");
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
