/*
 * The gateway's database sessions.  Each transaction is one user's: role, claims and limits
 * are set first and end with it.
 */
#ifndef PGCREW_GATEWAY_POOL_H
#define PGCREW_GATEWAY_POOL_H

#include "config/conf.h"
#include "db/db.h"

struct pool;

/* In whose name, and how, a transaction runs.  Only used in the call. */
struct act {
    const char *role, *claims;
    const char *method, *path; /* as request.method and request.path */
    bool writes;
    const struct statement *first; /* asked before the statement; NULL: nothing */
};

/* The texts of conf outlive it.  changed is called when a session has come or gone. */
bool pool_new(struct ev_loop *loop, const struct conf *conf, void (*changed)(void *owner),
              void *owner, struct pool **ret, struct err *err) MUST_CHECK;
void pool_start(struct pool *p);
void pool_free(struct pool *p);        /* what is under way is never answered; NULL is fine */
bool pool_is_up(const struct pool *p); /* a session can be used */

/* For the board. */
struct pool_facts {
    const char *why; /* the last trouble of a session; "" when there is none */
    bool is_held;    /* a person has to act */
    int backend_pid; /* of one of them; 0: there is none */
    uint64_t round_trips, connects, errors;
};
void pool_facts(const struct pool *p, struct pool_facts *ret);

/*
 * res, or err and, where the server refused, failure.  All end with the call.
 */
typedef void pool_answer(void *arg, const PGresult *res, const struct err *err,
                         const struct db_failure *failure);
/*
 * Run one statement.  Takes what is in params (may be NULL) and releases it.  answer is
 * called once, never from inside the call.  False: there is no session, it will not be called.
 */
bool pool_ask(struct pool *p, const struct act *act, const struct statement *what,
              struct params *params, pool_answer *answer, void *arg) MUST_CHECK;
/* Is this the statement by which a transaction becomes a user's? */
bool pool_is_acting(const struct statement *what);

#endif
