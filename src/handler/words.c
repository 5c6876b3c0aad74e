/*
 * What people read of an attempt, whatever way it was run.
 */
#include <string.h>

#include "base/text.h"
#include "config/conf.h"
#include "handler/way.h"

static char *
spaced(struct arena *a, const char *text)
{
    size_t digits = strspn(text, "0123456789");

    return arena_printf(a, "%.*s %s", (int)digits, text, text + digits);
}

char *
way_duration(struct arena *a, int64_t ms)
{
    char text[32];

    return spaced(a, text_from_ms(text, ms));
}

char *
way_bytes(struct arena *a, size_t n)
{
    char text[32];

    return spaced(a, text_from_bytes(text, (int64_t)n));
}

char *
way_asked_error(struct run *run, enum run_cause cause)
{
    struct arena *a = &run->arena;

    if (cause == RUN_TIMEOUT)
        return arena_printf(a, "ran longer than its timeout of %s",
                            way_duration(a, run->handler->timeout_ms));
    if (cause == RUN_CANCELLED)
        return arena_strdup(a, "was cancelled while it ran");
    return arena_strdup(a, "was stopped before it had ended");
}
