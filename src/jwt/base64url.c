/*
 * OpenSSL's base64 in the letters of RFC 4648, section 5.
 *
 * Its decoder is lenient (white space, padding, bits that are left over).  What it made is
 * therefore encoded again: only the text that comes out of that is taken.
 */
#include <openssl/evp.h>
#include <string.h>

#include "jwt/internal.h"

/* Room for the letters of so many bytes, padded, and a NUL. */
static size_t
encoded_size(size_t len)
{
    return (len + 2) / 3 * 4 + 1;
}

static void
exchange(char *text, size_t len, const char from[3], const char to[3])
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == from[0])
            text[i] = to[0];
        else if (text[i] == from[1])
            text[i] = to[1];
    }
}

const char *
jwt_base64_encode(const void *data, size_t len, struct arena *arena)
{
    char *text = arena_alloc(arena, encoded_size(len));

    EVP_EncodeBlock((unsigned char *)text, data, (int)len);
    text[(len * 4 + 2) / 3] = '\0'; /* no padding */
    exchange(text, strlen(text), "+/", "-_");
    return text;
}

bool
jwt_base64_decode(const char *text, size_t len, struct arena *arena, const char **ret,
                  size_t *ret_len)
{
    size_t padded = (len + 3) / 4 * 4, n = len * 3 / 4;
    char *letters = arena_alloc(arena, padded + 1);
    char *bytes = arena_alloc(arena, padded / 4 * 3 + 1);
    const char *again;

    if (len > INT32_MAX / 2)
        return false;
    memcpy(letters, text, len);
    memset(letters + len, '=', padded - len);
    exchange(letters, len, "-_", "+/");
    if (EVP_DecodeBlock((unsigned char *)bytes, (unsigned char *)letters, (int)padded) < 0)
        return false;
    bytes[n] = '\0';
    again = jwt_base64_encode(bytes, n, arena);
    if (strlen(again) != len || memcmp(again, text, len) != 0)
        return false;
    *ret = bytes;
    *ret_len = n;
    return true;
}
