/*
 * The processes below this one, and how to end them all.
 *
 * The kernel's own list of children is read (/proc/PID/task/TID/children), not
 * the whole of /proc: it costs by the size of the tree, not of the host, and
 * shows direct children that hidepid= or ProtectProc=invisible would hide.
 */
#ifndef PGCREW_BASE_TREE_H
#define PGCREW_BASE_TREE_H

#include <sys/types.h>

#include "base/base.h"

/*
 * Send sig to every process below this one but those in keep[] and what is
 * below them.  SIGKILL goes to their process groups too: a group dies as a
 * whole, a fork in the middle of it fails.
 *
 * Returns how many direct children it found alive.  In a subreaper that is 0
 * only when nothing is left: whatever loses its parent becomes a direct child.
 * A process that forks may be missed once, so: again until it returns 0.
 */
size_t tree_signal(int sig, const pid_t *keep, size_t n_keep);

/* Resident memory of all processes below root, not of root; what they share counts for each. */
int64_t tree_rss_bytes(pid_t root);

/* How many processes and threads are below this one; zombies count until they are reaped. */
size_t tree_threads(void);

#endif
