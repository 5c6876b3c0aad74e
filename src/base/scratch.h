/*
 * The daemon's own folder for temporary things: $TMPDIR/pgcrewd-XXXXXX.
 *
 * The supervisor makes it before the first fork and keeps it locked; the lock
 * ends with the daemon, so the next one knows which folders nobody needs.
 */
#ifndef PGCREW_BASE_SCRATCH_H
#define PGCREW_BASE_SCRATCH_H

#include "base/base.h"
#include "base/err.h"

/*
 * Make it, and remove those of daemons of this user that have ended.  Other users
 * can reach what is theirs in it, by its name.
 */
bool scratch_begin(struct err *err) MUST_CHECK;
/* Remove it with all that is in it. */
void scratch_end(void);

/* Its path; without one, the folder that it would be in. */
const char *scratch_path(void);

#endif
