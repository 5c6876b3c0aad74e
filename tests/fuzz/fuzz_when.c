/* Times that people write. */
#include "fuzz.h"

#include <time.h>

#include "cli/when.h"

#define NOW 1764000000
#define HOURS_S(n) ((int64_t)(n)*3600)

static void
at(const char *text)
{
    int64_t us = 0;
    struct err err = {0};

    if (!when_parse_at(text, NOW, &us, &err)) {
        must_say(&err);
        return;
    }
    must(us % 1000000 == 0);
    /* The next time that it is 18:00 is within a day, or a little more where clocks change. */
    if (strchr(text, '-') == NULL && strchr(text, '+') == NULL)
        must(us / 1000000 >= NOW && us / 1000000 <= NOW + HOURS_S(25));
    if (when_seconds(text) != 0)
        must(when_seconds(text) == us / 1000000);
}

static void
in_a_while(const char *text)
{
    int64_t ms = -1;
    struct err err = {0};

    if (when_parse_in(text, &ms, &err))
        must(ms >= 0);
    else
        must_say(&err);
}

static void
fuzz(const char *data, size_t len)
{
    struct input in = {data, len};
    char *text = take_text(&in), local[WHEN_TEXT_SIZE];

    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    at(text);
    in_a_while(text);
    if (when_show_local(text, local))
        must(strlen(local) < sizeof(local) && is_clean(local));
    free(text);
}
