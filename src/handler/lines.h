/*
 * Lines out of a stream that comes in pieces.  A line has a largest length; what
 * is longer is cut, the rest of it thrown away.
 */
#ifndef PGCREW_HANDLER_LINES_H
#define PGCREW_HANDLER_LINES_H

#include "base/base.h"

struct lines {
    char *text; /* the line so far; max bytes and a NUL */
    size_t max, len;
    bool cut; /* it was longer */
    /* text ends with a NUL, has no other, and no line end ("\n", "\r\n"). */
    void (*line)(void *owner, const char *text, size_t len, bool cut);
    void *owner;
};

void lines_feed(struct lines *l, const char *data, size_t len);
/*
 * The same for who wants no more than the last line that is not blank (all of it, even
 * what is cut): others may not be handed over.  So a stream of many short lines costs no
 * more than one of long ones.
 */
void lines_feed_last(struct lines *l, const char *data, size_t len);
/* The stream has ended: a last line may lack its line end. */
void lines_end(struct lines *l);

#endif
