#include "base/pack.h"

#include <string.h>

/* What follows the first byte of a value: msgpack's specification, "formats". */
struct shape {
    uint8_t length_bytes;                          /* of a length or count, big-endian */
    uint8_t fixed_bytes;                           /* of the value itself */
    enum { BYTES, VALUES, PAIRS, NOTHING } counts; /* what the length counts */
};

/* clang-format off */
static const struct shape shapes[] = { /* from 0xc0 */
    [0xc0 - 0xc0] = {0, 0, NOTHING}, /* nil */
    [0xc2 - 0xc0] = {0, 0, NOTHING}, /* false */
    [0xc3 - 0xc0] = {0, 0, NOTHING}, /* true */
    [0xc4 - 0xc0] = {1, 0, BYTES},   [0xc5 - 0xc0] = {2, 0, BYTES},   /* bin */
    [0xc6 - 0xc0] = {4, 0, BYTES},
    [0xc7 - 0xc0] = {1, 1, BYTES},   [0xc8 - 0xc0] = {2, 1, BYTES},   /* ext: and its type */
    [0xc9 - 0xc0] = {4, 1, BYTES},
    [0xca - 0xc0] = {0, 4, NOTHING}, [0xcb - 0xc0] = {0, 8, NOTHING}, /* float */
    [0xcc - 0xc0] = {0, 1, NOTHING}, [0xcd - 0xc0] = {0, 2, NOTHING}, /* uint */
    [0xce - 0xc0] = {0, 4, NOTHING}, [0xcf - 0xc0] = {0, 8, NOTHING},
    [0xd0 - 0xc0] = {0, 1, NOTHING}, [0xd1 - 0xc0] = {0, 2, NOTHING}, /* int */
    [0xd2 - 0xc0] = {0, 4, NOTHING}, [0xd3 - 0xc0] = {0, 8, NOTHING},
    [0xd4 - 0xc0] = {0, 2, NOTHING}, [0xd5 - 0xc0] = {0, 3, NOTHING}, /* fixext: and its type */
    [0xd6 - 0xc0] = {0, 5, NOTHING}, [0xd7 - 0xc0] = {0, 9, NOTHING},
    [0xd8 - 0xc0] = {0, 17, NOTHING},
    [0xd9 - 0xc0] = {1, 0, BYTES},   [0xda - 0xc0] = {2, 0, BYTES},   /* str */
    [0xdb - 0xc0] = {4, 0, BYTES},
    [0xdc - 0xc0] = {2, 0, VALUES},  [0xdd - 0xc0] = {4, 0, VALUES},  /* array */
    [0xde - 0xc0] = {2, 0, PAIRS},   [0xdf - 0xc0] = {4, 0, PAIRS},   /* map */
};
/* clang-format on */

static bool
short_head(uint8_t first, struct pack_head *ret)
{
    *ret = (struct pack_head){.size = 1};
    if (first >= 0xc0 && first < 0xe0)
        return false;
    if (first >= 0x80 && first < 0x90)
        ret->values = 2 * (first & 0x0fU);
    else if (first >= 0x90 && first < 0xa0)
        ret->values = first & 0x0fU;
    else if (first >= 0xa0 && first < 0xc0)
        ret->bytes = first & 0x1fU;
    return true; /* else a number in itself */
}

static uint64_t
big_endian(const uint8_t *p, size_t len)
{
    uint64_t number = 0;

    for (size_t i = 0; i < len; i++)
        number = number << 8 | p[i];
    return number;
}

enum pack_found
pack_head(const char *data, size_t len, struct pack_head *ret)
{
    const uint8_t *p = (const uint8_t *)data;
    const struct shape *shape;
    uint64_t count;

    if (short_head(p[0], ret))
        return PACK_WHOLE;
    if (p[0] == 0xc1)
        return PACK_BROKEN;
    shape = &shapes[p[0] - 0xc0];
    ret->size = 1U + shape->length_bytes;
    if (len < ret->size)
        return PACK_MORE;
    count = big_endian(p + 1, shape->length_bytes);
    ret->bytes = shape->fixed_bytes + (shape->counts == BYTES ? count : 0);
    ret->values = shape->counts == PAIRS ? 2 * count : shape->counts == VALUES ? count : 0;
    return PACK_WHOLE;
}

/* --- values -------------------------------------------------------------------- */

static void
take_number(struct pack_value *ret, int64_t number)
{
    ret->type = PACK_INT;
    ret->number = number;
    ret->real = (double)number;
}

static void
take_unsigned(struct pack_value *ret, uint64_t number)
{
    take_number(ret, number > INT64_MAX ? INT64_MAX : (int64_t)number);
}

/* Of as many bits as it takes bytes, with a sign. */
static void
take_signed(struct pack_value *ret, uint64_t bits, size_t len)
{
    unsigned unused = 64 - 8 * (unsigned)len;

    take_number(ret, (int64_t)(bits << unused) >> unused);
}

static void
take_real(struct pack_value *ret, uint64_t bits, size_t len)
{
    uint32_t half = (uint32_t)bits;
    float single;

    ret->type = PACK_REAL;
    if (len == sizeof(single)) {
        memcpy(&single, &half, sizeof(single));
        ret->real = (double)single;
    } else {
        memcpy(&ret->real, &bits, sizeof(ret->real));
    }
}

/* The ranges of first bytes, in order. */
static void
take_value(uint8_t first, const struct pack_head *head, const char *body, struct pack_value *ret)
{
    uint64_t bits = head->bytes <= 8 ? big_endian((const uint8_t *)body, head->bytes) : 0;

    if (first < 0x80 || first >= 0xe0) {
        take_number(ret, (int8_t)first);
    } else if (first < 0x90 || first >= 0xde) {
        *ret = (struct pack_value){.type = PACK_MAP, .n = head->values / 2};
    } else if (first < 0xa0 || first >= 0xdc) {
        *ret = (struct pack_value){.type = PACK_ARRAY, .n = head->values};
    } else if (first < 0xc0 || first >= 0xd9 || (first >= 0xc4 && first <= 0xc6)) {
        *ret = (struct pack_value){.type = PACK_TEXT, .text = body, .len = head->bytes};
    } else if (first == 0xc0) {
        ret->type = PACK_NIL;
    } else if (first <= 0xc3) {
        *ret = (struct pack_value){.type = PACK_BOOL, .number = first - 0xc2};
    } else if (first == 0xca || first == 0xcb) {
        take_real(ret, bits, head->bytes);
    } else if (first >= 0xcc && first <= 0xcf) {
        take_unsigned(ret, bits);
    } else if (first >= 0xd0 && first <= 0xd3) {
        take_signed(ret, bits, head->bytes);
    } else {
        ret->type = PACK_EXT;
    }
}

enum pack_found
pack_next(struct pack_reader *r, struct pack_value *ret)
{
    size_t left = (size_t)(r->end - r->at);
    struct pack_head head;
    enum pack_found found = left > 0 ? pack_head(r->at, left, &head) : PACK_MORE;

    if (found != PACK_WHOLE)
        return found;
    if (head.bytes > left - head.size)
        return PACK_MORE;
    *ret = (struct pack_value){.type = PACK_NIL};
    take_value((uint8_t)*r->at, &head, r->at + head.size, ret);
    r->at += head.size + head.bytes;
    return PACK_WHOLE;
}

enum pack_found
pack_skip(struct pack_reader *r, uint64_t n)
{
    /* Counted, not nested: no depth is too deep.  Each value takes a byte at least. */
    for (; n > 0; n--) {
        size_t left = (size_t)(r->end - r->at);
        struct pack_head head;
        enum pack_found found = left > 0 ? pack_head(r->at, left, &head) : PACK_MORE;

        if (found != PACK_WHOLE)
            return found;
        if (head.bytes > left - head.size || head.values > left || n > left)
            return PACK_MORE;
        r->at += head.size + head.bytes;
        n += head.values;
    }
    return PACK_WHOLE;
}

bool
pack_is(const struct pack_value *value, const char *text)
{
    return value->type == PACK_TEXT && value->len == strlen(text) &&
           memcmp(value->text, text, value->len) == 0;
}
