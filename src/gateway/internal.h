/*
 * The gateway's own words, shared by its files.
 *
 * gateway.c    the loop, the listeners, routes, keys
 * cors.c       which pages of other origins may call us
 * token.c      where a request has its token
 * auth.c       who asks: 401 and 403 are made here, before the database is touched
 * pool.c       a few sessions, each transaction with the fewest under way
 * ask.c        a request as one transaction of its user
 * errors.c     errors of the database as HTTP has them
 * answer.c     bodies of errors
 * api.c        /api/batch_status, /api/jobs, /api/batches/{}/cancel
 * rpc.c        /rest/v1/rpc/{}
 * postgrest.c  headers that PostgREST knows, for rpc.c and rest_*.c
 * rest_*.c     /rest/v1/jobs
 * events.c     /api/batches/{}/events: those who listen
 * watch.c      what they listen to: one look at the database for all of them
 */
#ifndef PGCREW_GATEWAY_INTERNAL_H
#define PGCREW_GATEWAY_INTERNAL_H

#include "config/conf.h"
#include "db/db.h"
#include "gateway/gateway.h"
#include "jwt/jwt.h"
#include "web/web.h"

struct gateway;
struct pool;
struct events;

/* Who asks, by a verified token.  The texts live as long as the request. */
struct user {
    const char *role;   /* one of gateway.roles */
    const char *sub;    /* a UUID */
    const char *claims; /* a JSON object */
    int64_t exp_s;      /* seconds since 1970; 0: never */
};

/* --- auth.c ----------------------------------------------------------------------------- */

/* False: it has been answered, with 401 or 403. */
bool auth_user(struct gateway *g, struct web_request *r, struct user *ret) MUST_CHECK;

/* --- ask.c ------------------------------------------------------------------------------ */

enum access { ASK_READS, ASK_WRITES };

/* res lives until it returns; the request has to be answered in it. */
typedef void ask_answered(struct web_request *r, void *arg, const PGresult *res);

/*
 * Run one statement as this user: a transaction and a round trip of its own, which cannot
 * write when it reads.  Takes what is in params (may be NULL) and releases it.  answered is
 * called once it is committed; all that goes wrong is answered here, as PostgREST does.
 * what lives as long as the request; without a name it is not prepared.
 */
void ask(struct gateway *g, struct web_request *r, const struct user *user,
         const struct statement *what, struct params *params, enum access access,
         ask_answered *answered, void *arg);

/* --- answer.c --------------------------------------------------------------------------- */

/* {"code", "message", "details", "hint"}; NULL is null. */
struct trouble {
    int status;
    const char *code, *message, *details, *hint;
};

void answer_trouble(struct web_request *r, const struct trouble *trouble);
/* The same with status, code and a message only. */
void answer_refused(struct web_request *r, int status, const char *code, const char *format, ...)
    PRINTF_LIKE(4, 5);
/* The JSON of a trouble, in the arena. */
const char *trouble_json(const struct trouble *trouble, struct arena *arena);

/* --- postgrest.c ------------------------------------------------------------------------ */

/*
 * Look at Accept and at Accept-Profile (GET, HEAD) or Content-Profile (else).  False: it has
 * been answered with 406.  ret_type is the type of the answer; ret_single: the client wants
 * one object, no array.
 */
bool postgrest_accepts(struct web_request *r, const char **ret_type, bool *ret_single) MUST_CHECK;
/* The first of a list "a/b;q=1, c/d" that is to be had; false: none. */
bool postgrest_form(const char *accept, const char **ret_type, bool *ret_single) MUST_CHECK;

#endif
