/*
 * A descriptor that a worker and its guards keep as long as they live: it has a lock that
 * is free when none of them is left (ipc/kin.h).  Handlers never get it.
 */
#ifndef PGCREW_BASE_LIFELINE_H
#define PGCREW_BASE_LIFELINE_H

/* Where guards put what is the handler's is below this number, lifelines are not. */
#define LIFELINE_LEAST 8

/* Once, in the worker; takes fd.  -1: there is none. */
void lifeline_hold(int fd);
int lifeline_fd(void); /* -1: there is none */

#endif
