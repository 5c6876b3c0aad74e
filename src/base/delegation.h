/*
 * The part of the control groups that is ours: the group that the service
 * manager gave us (Delegate=yes), or the whole of a container.
 *
 * The supervisor takes it once, before the first fork: it moves into a group
 * pgcrewd below (a group with limits below it may hold no processes itself) and
 * switches on what there is for groups beside that.  All processes forked
 * later know of it.
 */
#ifndef PGCREW_BASE_DELEGATION_H
#define PGCREW_BASE_DELEGATION_H

#include "base/base.h"

enum delegation_power {
    DELEGATION_KILL = 1, /* a whole group can be killed at once */
    DELEGATION_MEMORY = 2,
    DELEGATION_PIDS = 4,
    DELEGATION_CPU = 8,
};

/*
 * Take it, and end what an earlier daemon left in it.  False: there is nothing that
 * is ours, and *ret_why says why for the log.  This process has to be alone in its group.
 */
bool delegation_take(const char **ret_why) MUST_CHECK;

/* What was taken, enum delegation_power together; 0: nothing. */
unsigned delegation_powers(void);
/* "memory, pids, cpu, kill"; "none". */
const char *delegation_text(void);

/* The folder that groups are made in; -1 when there is none.  The caller owns it. */
int delegation_open(void) MUST_CHECK;

#endif
