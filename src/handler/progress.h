/*
 * Lines of the progress pipe: "42 resizing", "42.5", "42% resizing", "- resizing".
 */
#ifndef PGCREW_HANDLER_PROGRESS_H
#define PGCREW_HANDLER_PROGRESS_H

#include "base/base.h"

#define PROGRESS_NOTE_MAX 200
#define PROGRESS_LINE_MAX 256

struct progress {
    float percent;                    /* 0..100; negative when the line says "-" */
    char note[PROGRESS_NOTE_MAX + 1]; /* fit for PostgreSQL; "" when none */
};

/* What fits of a text becomes the note. */
void progress_note(struct progress *p, const char *text, size_t len);

/* False when the line is no such line; then *ret is untouched. */
bool progress_parse(const char *line, size_t len, struct progress *ret) MUST_CHECK;

#endif
