/*
 * Time.  Only the monotonic clock decides anything here; wall-clock times that
 * are stored or compared come from the database.
 */
#ifndef PGCREW_BASE_CLOCK_H
#define PGCREW_BASE_CLOCK_H

#include "base/base.h"

int64_t clock_mono_ns(void);
int64_t clock_mono_ms(void);
/* Wall clock, since 1970: only to be compared with the one of the server. */
int64_t clock_real_ms(void);

#endif
