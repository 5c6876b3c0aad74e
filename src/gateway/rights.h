/*
 * What the gateway's login may do.
 */
#ifndef PGCREW_GATEWAY_RIGHTS_H
#define PGCREW_GATEWAY_RIGHTS_H

#include "config/conf.h"
#include "db/db.h"

/* Have a session that is up ask, and warn of what is more or less than it should be. */
void rights_look(struct db *db, const struct conf *conf);

#endif
