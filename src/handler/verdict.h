/*
 * How an attempt ended: from what the guard reports and what was asked to the
 * cause that decides over a retry, and to the line that people read.
 */
#ifndef PGCREW_HANDLER_VERDICT_H
#define PGCREW_HANDLER_VERDICT_H

#include "base/base.h"
#include "handler/guard.h"
#include "handler/handler.h"

struct verdict {
    bool has_report; /* false: the guard did not live to write one */
    struct guard_report report;
    int guard_status;           /* of the guard itself */
    bool asked;                 /* somebody wanted it to end early ... */
    enum run_cause asked_cause; /* ... and why */
    const char *last_line;      /* of stderr, printable; NULL when none */
};

/* Fills all but the result, the tail and the time of ret. */
void verdict_fill(const struct verdict *v, struct run *run, struct run_end *ret);

/* What is said of an attempt that was ended for this cause. */
char *verdict_asked_error(struct run *run, enum run_cause cause) MUST_CHECK;

#endif
