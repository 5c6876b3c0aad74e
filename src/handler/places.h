/*
 * Places for temporary folders below the daemon's own.
 *
 * A folder that its guard left empty is used again: on a disk that others write to,
 * making and removing one takes longer than the whole rest of an attempt.
 */
#ifndef PGCREW_HANDLER_PLACES_H
#define PGCREW_HANDLER_PLACES_H

#include <sys/types.h>

#include "base/base.h"

struct place;

/* A place for a folder of that user; never NULL. */
struct place *place_take(uid_t owner) MUST_CHECK;
/* Nobody uses it any more.  empty: it is as its guard made it, for the next of that user. */
void place_give_back(struct place *place, bool empty);

/* Absolute; as long as the place is taken. */
const char *place_path(const struct place *place);
/* Was there a folder of ours, empty, when it was taken? */
bool place_is_made(const struct place *place);

/* Remove all that is free. */
void places_end(void);

#endif
