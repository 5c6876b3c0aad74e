/*
 * Facts: what is known of a daemon and its database, as `pgcrew stats --json` prints it:
 *
 *   {"daemon": what "stats" answers (supervisor/methods.h), or null,
 *    "database": {claimed, live, lost, queues: [...], health: [...]}, or null}
 */
#ifndef PGCREW_METRICS_FACTS_H
#define PGCREW_METRICS_FACTS_H

#include <jansson.h>

#include "ipc/rpc.h"

/* An answer of the control socket; what JSON cannot hold becomes null.  The caller owns it. */
json_t *facts_from_msgpack(const msgpack_object *o);

/* A text that JSON cannot hold is said to be none; a number that it cannot hold is null. */
json_t *facts_from_text(const char *text, size_t len);
json_t *facts_from_real(double number);

#endif
