/*
 * What a forked child is given by the supervisor: the arguments of worker_main()
 * and its like.
 */
#ifndef PGCREW_IPC_CHILD_H
#define PGCREW_IPC_CHILD_H

#include <sys/types.h>

#include "base/base.h"
#include "base/uuid.h"

struct conf;
struct board;
struct tally;
struct listen_set;

struct child {
    const struct conf *conf; /* belongs to the process that was forked with it */
    struct board *board;
    int place;           /* on the board */
    struct tally *tally; /* what we count; NULL: nothing is counted */
    int order_fd;        /* our end of the pair */
    int slot;            /* 1..N for workers */
    struct uuid process; /* made at this fork */
    pid_t supervisor;    /* our parent */
    /* Where who serves HTTP accepts; not ours alone, and nothing of a file is ours. */
    const struct listen_set *sockets;
};

/* Exit statuses that the supervisor understands; anything else is a crash. */
#define CHILD_EXIT_PLANNED 0
#define CHILD_EXIT_DATABASE 75
#define CHILD_EXIT_CONFIG 78

#endif
