/*
 * The environment of a handler: what is promised in pgcrew-exec(7), nothing else
 * of the daemon's, which knows passwords.
 */
#ifndef PGCREW_PROGRAM_ENV_H
#define PGCREW_PROGRAM_ENV_H

#include "base/arena.h"
#include "handler/handler.h"
#include "program/confine.h"

/* NAME=value, each name once, NULL-terminated, in the arena of the run. */
const char *const *env_of(struct run *run) MUST_CHECK;

/* The same for a program that runs many jobs of this handler: without the facts of one. */
const char *const *env_of_program(const struct handler_conf *handler,
                                  struct arena *arena) MUST_CHECK;

/*
 * The same, and where the program's folder is, unless envp says it; and who it is when it
 * runs as another user, whatever envp says.
 */
const char *const *env_confined(const char *const *envp, const struct confine *confine,
                                struct arena *arena) MUST_CHECK;

#endif
