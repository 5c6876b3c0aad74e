/*
 * Users that programs run as: may this process become them?  A person is told before a
 * job is; switching is done between fork and exec, see confine.h.
 */
#ifndef PGCREW_PROGRAM_USERS_H
#define PGCREW_PROGRAM_USERS_H

#include "base/err.h"
#include "config/conf.h"

/* ERR_CONFIG when this handler has a user that this process may not become. */
bool users_check(const struct handler_conf *h, struct err *err) MUST_CHECK;

#endif
