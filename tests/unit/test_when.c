/* Times that people write: --at, --in, and local time in tables. */
#include "cli/when.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#define NOON 1766664000 /* 2025-12-25T12:00:00Z, a day without summer time */

static void
is_at(const char *text, int64_t expected_s)
{
    struct err err;
    int64_t us = -1;

    if (ok(when_parse_at(text, NOON, &us, &err), "'%s' is a time", text))
        is_int(us / 1000000, expected_s, "'%s' is that time", text);
}

static void
is_no_time(const char *text)
{
    struct err err;
    int64_t us = -7;

    ok(!when_parse_at(text, NOON, &us, &err) && us == -7, "'%s' is no time", text);
}

static void
is_in(const char *text, int64_t expected_ms)
{
    struct err err;
    int64_t ms = -1;

    if (ok(when_parse_in(text, &ms, &err), "'%s' is a duration", text))
        is_int(ms, expected_ms, "'%s' is that long", text);
}

static void
is_no_duration(const char *text)
{
    struct err err;
    int64_t ms = -7;

    ok(!when_parse_in(text, &ms, &err) && ms == -7, "'%s' is no duration", text);
}

static void
times(void)
{
    is_at("2025-12-25T12:00:00Z", NOON);
    is_at("2025-12-25 12:00:00.75Z", NOON);
    is_at("2025-12-25 13:00+01:00", NOON);
    is_at("2025-12-25 13:00+01", NOON);
    is_at("2025-12-25 06:30 -0530", NOON);
    is_at("2025-12-25 13:00", NOON); /* Berlin's winter */
    is_at("2025-07-01 14:00", 1751371200);
    is_at("2025-12-26", NOON + 11 * 3600);
    is_at("13:01", NOON + 60);
    is_at("13:00", NOON + 86400);
    is_at("11:59Z", NOON + 86400 - 60);
    is_at("2024-02-29T00:00Z", 1709164800);
    is_no_time("2025-02-29T00:00Z");
    is_no_time("2025-13-01");
    is_no_time("25:00");
    is_no_time("12:60");
    is_no_time("2025-12-25 12:00 noon");
    is_no_time("2025-12-25T");
    is_no_time("tomorrow");
    is_no_time("5");
    is_no_time("");
}

static void
durations(void)
{
    is_in("90s", 90000);
    is_in("5min", 300000);
    is_in("1h30min", 5400000);
    is_in("1d 12h", 129600000);
    is_in("2 min", 120000);
    is_in("0s", 0);
    is_no_duration("5");
    is_no_duration("-5s");
    is_no_duration("5 parsecs");
    is_no_duration("5min and more");
    is_no_duration("99999999999999999999d");
    is_no_duration("");
}

static void
shown(void)
{
    char text[WHEN_TEXT_SIZE];

    ok(when_show_local("2025-12-25T12:00:00.123Z", text), "a time of the database can be shown");
    is_str(text, "2025-12-25 13:00:00", "in local time");
    ok(!when_show_local("infinity", text), "infinity is none");
    is_int(when_seconds("2025-12-25T12:00:00.123Z"), NOON, "and it has seconds");
}

int
main(void)
{
    setenv("TZ", "Europe/Berlin", 1);
    tzset();
    if (access("/usr/share/zoneinfo/Europe/Berlin", R_OK) < 0) {
        /* The same zone without the package tzdata. */
        setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
        tzset();
    }
    times();
    durations();
    shown();
    return done_testing();
}
