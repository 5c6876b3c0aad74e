#include "base/uuid.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct uuid
uuid_random(void)
{
    struct uuid u;

    /* 16 bytes come whole or, before the pool is ready at boot, after a wait. */
    if (getrandom(u.bytes, sizeof(u.bytes), 0) != (ssize_t)sizeof(u.bytes))
        abort();
    u.bytes[6] = (uint8_t)((u.bytes[6] & 0x0f) | 0x40);
    u.bytes[8] = (uint8_t)((u.bytes[8] & 0x3f) | 0x80);
    return u;
}

bool
uuid_equal(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool
uuid_is_zero(const struct uuid *u)
{
    static const struct uuid zero;

    return uuid_equal(u, &zero);
}

const char *
uuid_text(char ret[UUID_TEXT_SIZE], const struct uuid *u)
{
    char *p = ret;

    for (size_t i = 0; i < sizeof(u->bytes); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *p++ = '-';
        p += snprintf(p, 3, "%02x", u->bytes[i]);
    }
    return ret;
}

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
uuid_parse(const char *text, struct uuid *ret)
{
    struct uuid u;

    if (strlen(text) != UUID_TEXT_SIZE - 1)
        return false;
    for (size_t i = 0; i < sizeof(u.bytes); i++) {
        int high, low;

        if (i == 4 || i == 6 || i == 8 || i == 10) {
            if (*text++ != '-')
                return false;
        }
        high = hex_value(*text++);
        low = hex_value(*text++);
        if (high < 0 || low < 0)
            return false;
        u.bytes[i] = (uint8_t)(high << 4 | low);
    }
    *ret = u;
    return true;
}
