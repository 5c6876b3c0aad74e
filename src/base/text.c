#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct unit {
    const char *name;
    int64_t factor;
};

/* Largest first: the first that divides a value is the shortest way to write it. */
static const struct unit time_units[] = {
    {"d", 86400000}, {"h", 3600000}, {"min", 60000}, {"s", 1000}, {"ms", 1}, {"m", 60000},
};
static const struct unit size_units[] = {
    {"GiB", (int64_t)1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1},
    {"G", (int64_t)1 << 30},   {"M", 1 << 20},   {"K", 1 << 10},
};
#define TIME_UNITS_WRITTEN 5
#define SIZE_UNITS_WRITTEN 3

static bool
number_and_unit(const char *text, const struct unit *units, size_t n, int64_t *ret)
{
    char *end;
    long long number;

    errno = 0;
    number = strtoll(text, &end, 10);
    if (end == text || errno != 0 || number < 0 || !isdigit((unsigned char)text[0]))
        return false;
    while (*end == ' ')
        end++;
    if (*end == '\0') {
        *ret = number;
        return true;
    }
    for (size_t i = 0; i < n; i++) {
        if (strcmp(end, units[i].name) == 0)
            return !__builtin_mul_overflow((int64_t)number, units[i].factor, ret);
    }
    return false;
}

bool
text_to_ms(const char *text, int64_t *ret_ms)
{
    return number_and_unit(text, time_units, LENGTH(time_units), ret_ms);
}

bool
text_to_bytes(const char *text, int64_t *ret_bytes)
{
    return number_and_unit(text, size_units, LENGTH(size_units), ret_bytes);
}

bool
text_to_int(const char *text, int64_t *ret)
{
    char *end;
    long long number;

    errno = 0;
    number = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || isspace((unsigned char)text[0]))
        return false;
    *ret = number;
    return true;
}

static const char *
shortest(char ret[32], int64_t value, const struct unit *units, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (value != 0 && value % units[i].factor == 0) {
            snprintf(ret, 32, "%" PRId64 "%s", value / units[i].factor, units[i].name);
            return ret;
        }
    }
    snprintf(ret, 32, "%" PRId64, value);
    return ret;
}

const char *
text_from_ms(char ret[32], int64_t ms)
{
    return shortest(ret, ms, time_units, TIME_UNITS_WRITTEN);
}

const char *
text_from_bytes(char ret[32], int64_t bytes)
{
    return shortest(ret, bytes, size_units, SIZE_UNITS_WRITTEN);
}

const char *
text_ago(char ret[32], int64_t ms)
{
    int64_t s = ms / 1000;

    if (ms < 10000)
        snprintf(ret, 32, "%.1f s", (double)ms / 1000);
    else if (s < 60)
        snprintf(ret, 32, "%" PRId64 " s", s);
    else if (s < 3600)
        snprintf(ret, 32, "%" PRId64 " min %" PRId64 " s", s / 60, s % 60);
    else if (s < 86400)
        snprintf(ret, 32, "%" PRId64 " h %" PRId64 " min", s / 3600, s / 60 % 60);
    else
        snprintf(ret, 32, "%" PRId64 " d %" PRId64 " h", s / 86400, s / 3600 % 24);
    return ret;
}

static size_t
smallest(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;

    return least < c ? least : c;
}

/* Levenshtein's distance with one row of the table. */
size_t
text_distance(const char *a, const char *b)
{
    size_t row[128], n = strlen(b);

    if (n >= LENGTH(row))
        return SIZE_MAX;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t changed = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            row[j] = smallest(changed, row[j] + 1, row[j - 1] + 1);
        }
    }
    return row[n];
}

/* Bytes of the UTF-8 character at p (of at most len), 0 when it is none; Unicode 15, table 3-7. */
static size_t
utf8_length(const unsigned char *p, size_t len)
{
    size_t n;
    uint32_t c;

    if (p[0] < 0x80)
        return 1;
    n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || n > len)
        return 0;
    c = p[0] & (0xffU >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3fU);
    }
    if ((n == 3 && c < 0x800) || (n == 4 && c < 0x10000) || (c >= 0xd800 && c <= 0xdfff) ||
        c > 0x10ffff)
        return 0;
    return n;
}

void
text_printable(char *ret, size_t size, const char *data, size_t len)
{
    static const char hex[] = "0123456789abcdef";
    const unsigned char *p = (const unsigned char *)data;
    size_t at = 0;

    for (size_t i = 0, n; i < len; i += n) {
        bool plain;

        n = utf8_length(p + i, len - i);
        /* C1 controls (U+0080 to U+009F) drive terminals too. */
        plain = n > 1 ? !(p[i] == 0xc2 && p[i + 1] < 0xa0) : n == 1 && p[i] >= 0x20 && p[i] != 0x7f;
        n = plain ? n : 1;
        if (at + (plain ? n : 4) >= size)
            break;
        if (plain) {
            memcpy(ret + at, p + i, n);
            at += n;
        } else {
            ret[at++] = '\\';
            ret[at++] = 'x';
            ret[at++] = hex[p[i] >> 4];
            ret[at++] = hex[p[i] & 15];
        }
    }
    ret[at] = '\0';
}

void
text_make_storable(char *data, size_t len)
{
    for (size_t i = 0, n; i < len; i += n) {
        n = utf8_length((const unsigned char *)data + i, len - i);
        if (n == 0 || data[i] == '\0') {
            data[i] = '?';
            n = 1;
        }
    }
}

size_t
text_utf8_cut(const char *data, size_t len, size_t max)
{
    size_t cut = len < max ? len : max;

    if (cut == len)
        return len;
    while (cut > 0 && max - cut < 4 && ((unsigned char)data[cut] & 0xc0) == 0x80)
        cut--;
    return cut;
}
