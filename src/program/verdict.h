/*
 * How an attempt ended: from what the guard reports and what was asked to the
 * cause that decides over a retry, and to the line that people read.
 */
#ifndef PGCREW_PROGRAM_VERDICT_H
#define PGCREW_PROGRAM_VERDICT_H

#include "base/base.h"
#include "handler/handler.h"
#include "program/guarded.h"

struct verdict {
    const struct guarded *guarded; /* it is gone: what its guard says */
    bool asked;                    /* somebody wanted it to end early ... */
    enum run_cause asked_cause;    /* ... and why */
    const char *last_line;         /* of stderr, printable; NULL when none */
};

/* Fills all but the result, the tail and the time of ret. */
void verdict_fill(const struct verdict *v, struct run *run, struct run_end *ret);

#endif
