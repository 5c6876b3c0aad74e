/*
 * Filters of system calls (seccomp), built once and loaded between fork and exec.
 */
#ifndef PGCREW_HANDLER_FILTER_H
#define PGCREW_HANDLER_FILTER_H

#include "base/base.h"
#include "base/err.h"

struct sock_fprog;

/*
 * No sockets but those of this host's files (AF_UNIX), no io_uring, which can make
 * sockets unseen, and no calls of another architecture.  They fail; nobody is killed.
 * Lives as long as the process.  False: ERR_CONFIG, this host cannot.
 */
bool filter_without_network(const struct sock_fprog **ret, struct err *err) MUST_CHECK;

#endif
