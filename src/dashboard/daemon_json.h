/*
 * What the daemon of this host says over its control socket, as JSON.
 */
#ifndef PGCREW_DASHBOARD_DAEMON_JSON_H
#define PGCREW_DASHBOARD_DAEMON_JSON_H

#include "ipc/rpc.h"

/*
 * As facts_from_msgpack() has it, but for lists that the map at the top has: they are for the
 * metrics, and long.
 */
void daemon_json(const msgpack_object *value, struct buf *sink);

#endif
