/*
 * The dashboard process: what operators look at and do over HTTP, and the metrics.  Its
 * database login is the daemon's own; users of the application never reach it.
 */
#ifndef PGCREW_DASHBOARD_DASHBOARD_H
#define PGCREW_DASHBOARD_DASHBOARD_H

#include "ipc/child.h"

/* Runs until it is told to end; returns the exit status of the process. */
int dashboard_main(const struct child *child);

#endif
