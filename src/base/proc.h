/*
 * Processes as /proc shows them, and what a fresh child must do.
 */
#ifndef PGCREW_BASE_PROC_H
#define PGCREW_BASE_PROC_H

#include "base/base.h"
#include "base/err.h"

#include <sys/types.h>

/*
 * Processes whose parent is `parent`, zombies left out.  Returns how many were
 * stored in ret (at most max).
 */
size_t proc_children(pid_t parent, pid_t *ret, size_t max);

/* The parent of pid; false when it is gone, or hidden from us. */
bool proc_parent(pid_t pid, pid_t *ret) MUST_CHECK;

/*
 * Send sig to every descendant of this process but those in keep[] and below
 * them.  Returns how many got it.
 */
size_t proc_signal_descendants(int sig, const pid_t *keep, size_t n_keep);

/* Proportional set size in bytes; 0 when it cannot be read. */
int64_t proc_pss_bytes(pid_t pid);
int64_t proc_rss_bytes(pid_t pid);
int64_t proc_anon_bytes(pid_t pid); /* what is no file's: what a leak makes grow */

int64_t proc_cpu_ns(pid_t pid); /* of it, not of its children; 0: it is gone */

/* The value of a line "key 123 kB" in such a file that is open, in bytes; 0 when there is none. */
int64_t proc_read_bytes(int fd, const char *key);

/* Default dispositions and an empty mask for every signal: for a child that is about to exec. */
void proc_reset_signals(void);

/* Ask for sig when the parent ends, and check that it is still expected_parent. */
bool proc_die_with_parent(int sig, pid_t expected_parent) MUST_CHECK;

/*
 * Others of the same user may not look into this process (environment, memory,
 * descriptors) nor trace it; processes forked later are hidden, too.
 */
void proc_hide(void);

/*
 * For an argument that is a secret, once it has been copied: in the list of processes only
 * '*' is left of it.  Who looks before that has seen it.
 */
void proc_hide_argument(char *argument);

/* The name seen by ps and top: "pgcrewd: worker 3".  proc_title_init once, early in main. */
void proc_title_init(int argc, char **argv);
void proc_title_set(const char *title);

#endif
