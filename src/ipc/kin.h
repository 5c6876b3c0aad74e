/*
 * The kin of a control socket: its worker processes whose jobs were not given back yet, in
 * a file that outlives the supervisor.
 *
 * The file is a list of UUIDs, one a record.  The record of a process is locked by it and by
 * the guards below it, who have inherited a descriptor for that; so a record without a lock
 * says that none of them lives.  Where no file can be had nothing is kept: the lease helps.
 */
#ifndef PGCREW_IPC_KIN_H
#define PGCREW_IPC_KIN_H

#include "base/base.h"
#include "base/err.h"
#include "base/uuid.h"

#define KIN_MAX 4096

struct kin;

/*
 * Reads what is in the file, which stays the caller's, and must be ours alone: who writes
 * there says whose jobs are given back.  What another boot, or anybody else, has left there
 * is removed.  NULL on failure; all functions take that, and do nothing.
 */
struct kin *kin_new(int fd, struct err *err) MUST_CHECK;
void kin_free(struct kin *kin); /* the file stays as it is */

/* Who is in the list now; the caller frees *ret. */
size_t kin_list(const struct kin *kin, struct uuid **ret);
/* To be called before it is forked.  The descriptor that it and its guards keep, or -1. */
int kin_add(struct kin *kin, const struct uuid *process, struct err *err) MUST_CHECK;
void kin_remove(struct kin *kin, const struct uuid *process);
/* Lives anything that has its descriptor?  True when it cannot be told. */
bool kin_lives(const struct kin *kin, const struct uuid *process);

#endif
