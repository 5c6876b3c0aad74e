/*
 * Event streams: listeners, and the watches they share.
 *
 * A watch is a batch as one user sees it.  It looks at the database in the name of its user
 * and tells all of its listeners; between two answers it asks once only.
 */
#ifndef PGCREW_GATEWAY_WATCH_H
#define PGCREW_GATEWAY_WATCH_H

#include "base/uuid.h"
#include "gateway/state.h"

struct watch;

/* A client of an event stream. */
struct listener {
    struct listener *next;
    struct watch *watch;
    struct web_request *r;     /* until the stream begins */
    struct web_stream *stream; /* NULL: waits for the first answer */
    bool asked;                /* the answer under way is for it, too */
    bool knows_end;            /* a client that has come back and has heard of the end */
    int64_t end_s;             /* of its token, in seconds since 1970; 0: never */
    int64_t wrote_mono_ms;
};

struct watch {
    struct watch *next;
    struct gateway *g;
    char *key; /* who sees what: texts that are equal share a watch */
    char *role, *sub, *claims;
    struct uuid batch;
    int job_limit;
    struct listener *listeners;

    bool asked; /* something is under way in the database */
    int64_t asked_mono_ms;
    int64_t due_mono_ms;     /* of the next look */
    int64_t changed_mono_ms; /* when something was seen to change */
    unsigned long long event;
    char digest[96];
    int64_t *ids, *hashes; /* of the jobs that are followed; NULL: not known yet */
    size_t n;
};

struct events {
    struct gateway *g;
    struct watch *watches;
    int listeners;
    int looks; /* under way */
    ev_timer tick;
    int64_t swept_mono_ms;
};

/* --- watch.c ---------------------------------------------------------------------------- */

/* Its watch asks for all of it, now or when the answer under way is there. */
void watch_begin(struct watch *w);
/* Look, if it is due and nothing is under way. */
void watch_look(struct watch *w, int64_t now_mono_ms);

/* --- events.c --------------------------------------------------------------------------- */

/* One row of jobs or the batch changed. */
void events_tell(struct watch *w, const char *event, const char *data);
/* The first event of those whose answer this is; whole may be too long to be sent. */
void events_welcome(struct watch *w, const char *whole, const char *batch, bool done);
/* The last event of all; then the watch has no listeners. */
void events_end(struct watch *w, const char *event, const char *data);
/* Those who wait for a first answer get this one. */
void events_refuse(struct watch *w, const struct trouble *trouble);
/* The watch is no more when nobody listens and nothing is under way. */
void events_settle(struct watch *w);

#endif
