/*
 * Why a job has not started or has not ended, in sentences.  The database finds the reason
 * (src/cli/sql/why.sql); what it is called and what to do about it is here, for the tool and
 * for the dashboard.
 */
#ifndef PGCREW_QUEUE_WHY_H
#define PGCREW_QUEUE_WHY_H

#include "base/buf.h"

#define WHY_COUNT_AHEAD_MAX 10000 /* $2 of why.sql */

/* How it looks: what is well, what somebody has to see to. */
enum why_tone { WHY_GOES_ON, WHY_WELL, WHY_WAITS, WHY_WRONG };

/* Add what the facts have under this name; names that end in _at are times. */
typedef void why_field(void *facts, const char *name, struct buf *sink);

/*
 * The sentence for a reason, and what to do about it, which may be nothing.  last_cause is
 * that of the last attempt, "" for none.  False: the reason is not known.
 */
bool why_explain(const char *reason, const char *last_cause, why_field *field, void *facts,
                 struct buf *ret_text, struct buf *ret_advice) MUST_CHECK;
enum why_tone why_tone(const char *reason);

#endif
