/*
 * Secrets that a process does not need are taken out of its memory.
 */
#ifndef PGCREW_BASE_FORGET_H
#define PGCREW_BASE_FORGET_H

#include "base/base.h"

/* Shorter texts are not looked for: they may stand anywhere and mean something else. */
#define FORGET_LEN_MIN 12
#define FORGET_MAX 64 /* texts at once */

/*
 * Overwrite every copy of these texts in the private memory of this process with zeros, also
 * what libraries have freed and not cleared.  texts themselves may lie in it.  For a process
 * with one thread.  Without /proc nothing happens.
 */
void forget_texts(const char *const *texts, size_t n);

/* Overwrite the value of a variable where it lies, and take it out of the environment. */
void forget_variable(const char *name);

#endif
