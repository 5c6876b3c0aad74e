/*
 * What the gateway process has.
 */
#ifndef PGCREW_GATEWAY_STATE_H
#define PGCREW_GATEWAY_STATE_H

#include "front/front.h"
#include "gateway/internal.h"
#include "gateway/pool.h"

struct gateway {
    const struct conf *conf;
    struct ev_loop *loop;
    struct front *front;
    struct pool *pool;
    struct events *events;
    struct jwt_keys *keys;
    struct jwt_policy policy;
    ev_timer keys_look;       /* at the file of the keys, for new ones */
    bool keys_are_stale;      /* the file cannot be read any more */
    int asked;                /* requests that are in the database */
    char complained[128];     /* what of the database was logged last ... */
    int64_t complain_mono_ms; /* ... and when the same may be logged again */
};

/* gateway.c uses these. */
bool cors_before(struct web_request *r, void *owner);
void api_batch_status(struct web_request *r, void *owner);
void api_jobs(struct web_request *r, void *owner);
void api_cancel(struct web_request *r, void *owner);
void api_events(struct web_request *r, void *owner);
void rpc_call(struct web_request *r, void *owner);
void rest_jobs(struct web_request *r, void *owner);
void rest_jobs_read_only(struct web_request *r, void *owner);
void rest_elsewhere(struct web_request *r, void *owner);

struct events *events_new(struct gateway *g);
void events_free(struct events *e); /* no stream is ended; NULL is fine */

/* "0" to "1000"; missing: fallback.  False: it has been answered. */
bool read_job_limit(struct web_request *r, int fallback, int *ret) MUST_CHECK;
/* False: it has been answered.  where is its name in the message. */
bool read_batch_id(struct web_request *r, const char *text, struct uuid *ret) MUST_CHECK;

/* What the refusal of the database means; logs what is not for the user.  Texts: static or res's. */
struct trouble trouble_of(struct gateway *g, const struct user *user, bool writes,
                          const struct err *err, const struct db_failure *failure);

#endif
