/*
 * UUIDs as PostgreSQL sends them: 16 bytes.
 */
#ifndef PGCREW_BASE_UUID_H
#define PGCREW_BASE_UUID_H

#include "base/base.h"

#define UUID_TEXT_SIZE 37

struct uuid {
    uint8_t bytes[16];
};

struct uuid uuid_random(void); /* version 4, RFC 9562 */
bool uuid_equal(const struct uuid *a, const struct uuid *b);
bool uuid_is_zero(const struct uuid *u);
const char *uuid_text(char ret[UUID_TEXT_SIZE], const struct uuid *u);
bool uuid_parse(const char *text, struct uuid *ret) MUST_CHECK;

#endif
