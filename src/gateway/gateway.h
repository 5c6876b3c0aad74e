/*
 * The gateway process: what browsers of users ask over HTTP.  Its database login may only
 * act as the user whose token was verified; it holds no other right and no other secret.
 */
#ifndef PGCREW_GATEWAY_GATEWAY_H
#define PGCREW_GATEWAY_GATEWAY_H

#include "ipc/child.h"

/* Runs until it is told to end; returns the exit status of the process. */
int gateway_main(const struct child *child);

#endif
