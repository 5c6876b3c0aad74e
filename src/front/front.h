/*
 * What the processes that serve HTTP have in common: they accept on the sockets they were
 * forked with, beat on the board, hear orders and signals, tell whether they are well
 * (/healthz, /readyz), and end without breaking off what they have begun to answer.
 *
 *     init the process's own things;
 *     if (!front_new(child, &options, &front, &err))
 *         return front_refuse(child, &err);
 *     db_start(...);
 *     return front_run(front);
 *
 * There is one a process.
 */
#ifndef PGCREW_FRONT_FRONT_H
#define PGCREW_FRONT_FRONT_H

#include "base/err.h"
#include "config/conf.h"
#include "ipc/board.h"
#include "ipc/child.h"
#include "web/web.h"

struct front;

struct front_options {
    const struct conf_web *limits;
    /* Besides /healthz and /readyz, which are answered here.  The rest is as web_options have it. */
    const struct web_route *routes;
    size_t n_routes;
    bool (*before)(struct web_request *r, void *owner);
    void (*error)(struct web_request *r, int status, const char *message, void *owner);
    void *owner;
    size_t stream_buffer_max;
    /*
     * Before each beat, and when /readyz is asked: fill what of score is the process's own:
     * state (IDLE or BUSY: ready; CONNECTING; HELD), text (why it is so, for the operator
     * only), backend_pid, round_trips, db_errors, connects.
     */
    void (*look)(void *owner, struct board_score *score);
    /* The end has begun: requests under way still have to be answered.  May be NULL. */
    void (*drains)(void *owner);
    int64_t drain_ms; /* how long that may take */
};

/*
 * The order port, signals and the server of this process, which lives as long.  On an error
 * it cannot serve.
 */
bool front_new(const struct child *child, const struct front_options *options, struct front **ret,
               struct err *err) MUST_CHECK;
/* Serve until told to end; returns the exit status of the process, which is left at once. */
int front_run(struct front *front);
/* Show on the board at once what has changed, not only at the next beat. */
void front_show(struct front *front);
/*
 * This process cannot serve as it is configured: say why in the log and on the board.  The
 * answer is the status to end with; it is held until a reload.  front may not be there yet.
 */
int front_refuse(const struct child *child, const struct err *why);

struct web *front_web(const struct front *front); /* for its counts */

#endif
