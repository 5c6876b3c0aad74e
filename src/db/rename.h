/*
 * A queue in a schema of its own: the text of a migration or a statement, with every name of
 * the real queue replaced.  Only `pgcrew bench` has such a queue.
 *
 * Replaced are the schemas public and pgcrew where they qualify a name or are named as a
 * schema, the channels of NOTIFY and LISTEN, and the classes of the advisory locks: what is
 * done to the one queue is not noticed in the other.  Roles and what lies in other schemas
 * stay.
 */
#ifndef PGCREW_DB_RENAME_H
#define PGCREW_DB_RENAME_H

#include "base/buf.h"

/* Adds the text to ret.  schema must be a name that needs no quotes. */
void rename_queue(const char *sql, const char *schema, struct buf *ret);

#endif
