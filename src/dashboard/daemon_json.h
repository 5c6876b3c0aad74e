/*
 * What the daemon of this host says over its control socket, as JSON.
 */
#ifndef PGCREW_DASHBOARD_DAEMON_JSON_H
#define PGCREW_DASHBOARD_DAEMON_JSON_H

#include "ipc/rpc.h"

/*
 * Texts that are not UTF-8, and what JSON has no form for, are null.  Lists that the map at the
 * top has are left out: they are for the metrics, and long.
 */
void daemon_json(const msgpack_object *value, struct buf *sink);

#endif
