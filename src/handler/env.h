/*
 * The environment of a handler: what is promised in pgcrew-exec(7), nothing else
 * of the daemon's, which knows passwords.
 */
#ifndef PGCREW_HANDLER_ENV_H
#define PGCREW_HANDLER_ENV_H

#include "base/arena.h"
#include "handler/handler.h"

/* NAME=value, each name once, NULL-terminated, in the arena of the run. */
const char *const *env_of(struct run *run) MUST_CHECK;

/* The same for a program that runs many jobs of this handler: without the facts of one. */
const char *const *env_of_program(const struct handler_conf *handler,
                                  struct arena *arena) MUST_CHECK;

/* A new W3C trace context, as TRACEPARENT says it. */
#define ENV_TRACE_SIZE 56
void env_traceparent(char ret[ENV_TRACE_SIZE]);

#endif
