/*
 * Control groups, version 2: what can be done with the folder of one.
 *
 * A group is known by a descriptor of its folder.  Nothing here decides which
 * groups are ours: that is delegation.h.  All of it may be called between fork
 * and exec, but cgroup_remove().
 */
#ifndef PGCREW_BASE_CGROUP_H
#define PGCREW_BASE_CGROUP_H

#include <sys/types.h>

#include "base/base.h"

/* A new group below parent; -1 with errno.  EEXIST: there is one of that name. */
int cgroup_make(int parent, const char *name) MUST_CHECK;
int cgroup_open(int parent, const char *name) MUST_CHECK;

/* Write a value into a file of the group, all at once; false with errno. */
bool cgroup_write(int group, const char *file, const char *value) MUST_CHECK;
bool cgroup_write_number(int group, const char *file, int64_t value) MUST_CHECK;

/* The number in a file ("512"), or after a word in a file of lines ("oom_kill 1"); -1 when none. */
int64_t cgroup_read(int group, const char *file);
int64_t cgroup_read_word(int group, const char *file, const char *word);

/* KILL to every process in it and below, at once; false on a kernel before 5.14. */
bool cgroup_kill(int group);

/*
 * Remove the group and those below it.  False with errno: EBUSY while something
 * in it lives, ENOENT when it is gone already.
 */
bool cgroup_remove(int parent, const char *name);

#endif
