/*
 * Folders that others have filled: how much is in one, and its end.
 *
 * Symbolic links are never followed, whatever is put in their place meanwhile.
 */
#ifndef PGCREW_BASE_FOLDER_H
#define PGCREW_BASE_FOLDER_H

#include "base/base.h"

/*
 * Remove name below parent with all that is in it, however deep and whatever its
 * modes.  False with errno when something stays; true when there was nothing.
 * Takes as long as it takes: not for a loop.
 */
bool folder_remove(int parent, const char *name);

/* The same for what is in it; the folder itself stays.  True, too, when there is none. */
bool folder_empty(int parent, const char *name);

/*
 * What is in the folder, in bytes as the disk has them.  Stops counting above
 * enough, when is_over says so (asked now and then; NULL: never), and 100 levels deep.
 */
int64_t folder_bytes(int parent, const char *name, int64_t enough, bool (*is_over)(void));

#endif
