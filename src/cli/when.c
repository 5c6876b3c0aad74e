#include "cli/when.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

struct moment {
    struct tm tm;
    bool has_date, has_time, has_zone;
    int offset_s; /* of the zone, east is positive */
};

/* Exactly n digits; false leaves *at alone. */
static bool
digits(const char **at, int n, int max, int *ret)
{
    int value = 0;

    for (int i = 0; i < n; i++) {
        if (!isdigit((unsigned char)(*at)[i]))
            return false;
        value = value * 10 + (*at)[i] - '0';
    }
    if (value > max)
        return false;
    *at += n;
    *ret = value;
    return true;
}

static bool
skip(const char **at, char c)
{
    if (**at != c)
        return false;
    (*at)++;
    return true;
}

static bool
parse_date(const char **at, struct moment *m)
{
    const char *p = *at;
    int year, month, day;

    if (!digits(&p, 4, 9999, &year) || !skip(&p, '-') || !digits(&p, 2, 12, &month) ||
        !skip(&p, '-') || !digits(&p, 2, 31, &day) || month < 1 || day < 1)
        return false;
    m->tm.tm_year = year - 1900;
    m->tm.tm_mon = month - 1;
    m->tm.tm_mday = day;
    m->has_date = true;
    *at = p;
    return true;
}

static bool
parse_time(const char **at, struct moment *m)
{
    const char *p = *at;

    if (!digits(&p, 2, 23, &m->tm.tm_hour) || !skip(&p, ':') || !digits(&p, 2, 59, &m->tm.tm_min))
        return false;
    if (skip(&p, ':') && !digits(&p, 2, 59, &m->tm.tm_sec))
        return false;
    /* Parts of a second are read and left out: jobs start within the poll interval. */
    if (m->has_date && skip(&p, '.')) {
        if (!isdigit((unsigned char)*p))
            return false;
        while (isdigit((unsigned char)*p))
            p++;
    }
    m->has_time = true;
    *at = p;
    return true;
}

/* "Z", "+01", "+0130", "+01:30" */
static bool
parse_zone(const char **at, struct moment *m)
{
    const char *p = *at;
    int sign = *p == '-' ? -1 : 1, hours, minutes = 0;

    if (*p == 'Z' || *p == 'z') {
        p++;
        hours = 0;
    } else {
        if (*p != '+' && *p != '-')
            return false;
        p++;
        if (!digits(&p, 2, 15, &hours))
            return false;
        if ((skip(&p, ':') || isdigit((unsigned char)*p)) && !digits(&p, 2, 59, &minutes))
            return false;
    }
    m->offset_s = sign * (hours * 3600 + minutes * 60);
    m->has_zone = true;
    *at = p;
    return true;
}

static bool
parse(const char *text, struct moment *m)
{
    *m = (struct moment){.tm = {.tm_isdst = -1}};
    if (parse_date(&text, m)) {
        if (*text == '\0')
            return true;
        if (*text != ' ' && *text != 'T' && *text != 't')
            return false;
        text++;
    }
    if (!parse_time(&text, m))
        return false;
    while (*text == ' ')
        text++;
    if (*text != '\0' && !parse_zone(&text, m))
        return false;
    return *text == '\0';
}

/* Did mktime or timegm leave the day as it was written (no 30th of February)? */
static bool
is_same_day(const struct tm *written, const struct tm *made)
{
    return written->tm_mday == made->tm_mday && written->tm_mon == made->tm_mon;
}

static bool
seconds_of(const struct moment *m, int64_t now_s, int64_t *ret)
{
    struct tm tm = m->tm;
    time_t now = (time_t)now_s;

    if (!m->has_date) {
        struct tm today;

        if (m->has_zone) {
            now += m->offset_s;
            gmtime_r(&now, &today);
        } else {
            localtime_r(&now, &today);
        }
        tm.tm_year = today.tm_year;
        tm.tm_mon = today.tm_mon;
        tm.tm_mday = today.tm_mday;
        if (tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec <=
            today.tm_hour * 3600 + today.tm_min * 60 + today.tm_sec)
            tm.tm_mday++;
    }
    if (m->has_zone)
        *ret = (int64_t)timegm(&tm) - m->offset_s;
    else
        *ret = (int64_t)mktime(&tm);
    return !m->has_date || is_same_day(&m->tm, &tm);
}

bool
when_parse_at(const char *text, int64_t now_s, int64_t *ret_us, struct err *err)
{
    struct moment m;
    int64_t seconds;

    if (!parse(text, &m) || !seconds_of(&m, now_s, &seconds))
        return err_set(err, ERR_CONFIG,
                       "'%s' is not a time: write 2026-12-24 18:00, 2026-12-24T17:00:00Z or 18:00",
                       text);
    *ret_us = seconds * 1000000;
    return true;
}

/* The longest run of digits, blanks and letters that is one number with its unit. */
static size_t
one_part(const char *text)
{
    size_t n = strspn(text, "0123456789");

    n += strspn(text + n, " ");
    return n + strcspn(text + n, "0123456789 ");
}

bool
when_parse_in(const char *text, int64_t *ret_ms, struct err *err)
{
    const char *at = text;
    int64_t sum = 0;

    while (*at != '\0') {
        size_t len = one_part(at);
        AUTO(mem) char *part = xstrndup(at, len);
        int64_t ms;

        /* A bare number would be milliseconds elsewhere; people mean seconds or minutes. */
        if (len == 0 || !isalpha((unsigned char)part[len - 1]) || !text_to_ms(part, &ms) ||
            __builtin_add_overflow(sum, ms, &sum))
            break;
        at += len;
        at += strspn(at, " ");
    }
    if (*at != '\0' || at == text)
        return err_set(err, ERR_CONFIG, "'%s' is not a duration: write 90s, 5min, 1h30min or 2d",
                       text);
    *ret_ms = sum;
    return true;
}

int64_t
when_seconds(const char *utc)
{
    struct moment m;
    int64_t seconds = 0;

    if (!parse(utc, &m) || !m.has_date || !m.has_zone || !seconds_of(&m, 0, &seconds))
        return 0;
    return seconds;
}

bool
when_show_local(const char *utc, char ret[WHEN_TEXT_SIZE])
{
    time_t at = (time_t)when_seconds(utc);
    struct tm tm;

    if (at == 0)
        return false;
    localtime_r(&at, &tm);
    return strftime(ret, WHEN_TEXT_SIZE, "%Y-%m-%d %H:%M:%S", &tm) > 0;
}
