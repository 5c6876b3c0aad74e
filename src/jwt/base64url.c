#include <string.h>

#include "jwt/internal.h"

static const char letters[64] = {
    'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P',
    'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'a', 'b', 'c', 'd', 'e', 'f',
    'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v',
    'w', 'x', 'y', 'z', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '-', '_',
};

#define NO 255

/* clang-format off */
static const unsigned char values[128] = {
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, 62, NO, NO,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, NO, NO, NO, NO, NO, NO,
    NO,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, NO, NO, NO, NO, 63,
    NO, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, NO, NO, NO, NO, NO,
};
/* clang-format on */

/* 0 to 63, NO for what is no letter. */
static unsigned
value_of(char c)
{
    unsigned char byte = (unsigned char)c;

    return byte < sizeof(values) ? values[byte] : NO;
}

/* Four letters to three bytes; false when one is no letter. */
static bool
decode_four(const char *text, unsigned char *ret)
{
    unsigned a = value_of(text[0]), b = value_of(text[1]);
    unsigned c = value_of(text[2]), d = value_of(text[3]);

    ret[0] = (unsigned char)(a << 2 | b >> 4);
    ret[1] = (unsigned char)(b << 4 | c >> 2);
    ret[2] = (unsigned char)(c << 6 | d);
    return (a | b | c | d) < 64;
}

bool
jwt_base64_decode(const char *text, size_t len, struct arena *arena, const char **ret,
                  size_t *ret_len)
{
    size_t whole = len / 4 * 4, rest = len % 4, n = len / 4 * 3;
    unsigned char *bytes = arena_alloc(arena, n + 4);
    char last[4] = {'A', 'A', 'A', 'A'};

    for (size_t i = 0, o = 0; i < whole; i += 4, o += 3) {
        if (!decode_four(text + i, bytes + o))
            return false;
    }
    if (rest == 1)
        return false;
    if (rest > 0) {
        memcpy(last, text + whole, rest);
        /* Bits that no byte needs would show in the next byte. */
        if (!decode_four(last, bytes + n) || bytes[n + rest - 1] != 0)
            return false;
        n += rest - 1;
    }
    *ret = (const char *)bytes;
    *ret_len = n;
    return true;
}

const char *
jwt_base64_encode(const void *data, size_t len, struct arena *arena)
{
    const unsigned char *bytes = data;
    char *text = arena_alloc(arena, len / 3 * 4 + 4), *p = text;
    uint32_t bits = 0;
    int have = 0;

    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | bytes[i];
        for (have += 8; have >= 6; have -= 6)
            *p++ = letters[bits >> (have - 6) & 63];
    }
    if (have > 0)
        *p++ = letters[bits << (6 - have) & 63];
    return text;
}
