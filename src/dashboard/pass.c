#include "dashboard/pass.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/secret.h"

#define MAC_HEX 64
#define PLAIN_SIZE 128

static void
write_hex(char *ret, const unsigned char *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        ret[2 * i] = digits[bytes[i] >> 4];
        ret[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret[2 * n] = '\0';
}

/* HMAC-SHA256 of "purpose:text"; purposes have no colon, so none can stand for another. */
static void
sign(const char *secret, const char *purpose, const char *text, char ret[MAC_HEX + 1])
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    char plain[PLAIN_SIZE];
    unsigned len = 0;
    int n = snprintf(plain, sizeof(plain), "pgcrew dashboard %s:%s", purpose, text);

    if (n < 0 || (size_t)n >= sizeof(plain) || secret[0] == '\0' ||
        HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)plain, (size_t)n,
             mac, &len) == NULL ||
        len != MAC_HEX / 2)
        abort();
    write_hex(ret, mac, len);
}

static int64_t
soonest(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t
longest_s(int64_t timeout_s)
{
    return timeout_s > PASS_LONGEST_S ? timeout_s : PASS_LONGEST_S;
}

void
pass_begin(struct pass *ret, int64_t now_s, int64_t timeout_s)
{
    unsigned char bytes[16];

    if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
        abort();
    write_hex(ret->id, bytes, sizeof(bytes));
    ret->began_s = now_s;
    ret->ends_s = now_s + timeout_s;
}

bool
pass_prolong(struct pass *s, int64_t now_s, int64_t timeout_s)
{
    int64_t ends_s = soonest(now_s + timeout_s, s->began_s + longest_s(timeout_s));

    if (s->ends_s - now_s > timeout_s / 2 || ends_s <= s->ends_s)
        return false;
    s->ends_s = ends_s;
    return true;
}

static void
write_signed(const struct pass *s, char ret[PLAIN_SIZE])
{
    snprintf(ret, PLAIN_SIZE, "1.%s.%" PRId64 ".%" PRId64, s->id, s->began_s, s->ends_s);
}

const char *
pass_write(const struct pass *s, const char *secret, char ret[PASS_TEXT_SIZE])
{
    char plain[PLAIN_SIZE], mac[MAC_HEX + 1];

    write_signed(s, plain);
    sign(secret, "session", plain, mac);
    snprintf(ret, PASS_TEXT_SIZE, "%.*s.%s", PASS_TEXT_SIZE - MAC_HEX - 2, plain, mac);
    return ret;
}

/* Seconds and a dot: digits only, so that each time has one form. */
static bool
read_time(const char **at, int64_t *ret)
{
    size_t n = strspn(*at, "0123456789");

    if (n == 0 || n > 12 || (*at)[n] != '.' || ((*at)[0] == '0' && n > 1))
        return false;
    *ret = strtoll(*at, NULL, 10);
    *at += n + 1;
    return true;
}

bool
pass_read(const char *cookie, const char *secret, int64_t now_s, struct pass *ret)
{
    char plain[PLAIN_SIZE], mac[MAC_HEX + 1];
    const char *at = cookie;

    if (strncmp(at, "1.", 2) != 0)
        return false;
    at += 2;
    if (strspn(at, "0123456789abcdef") != PASS_ID_SIZE - 1 || at[PASS_ID_SIZE - 1] != '.')
        return false;
    memcpy(ret->id, at, PASS_ID_SIZE - 1);
    ret->id[PASS_ID_SIZE - 1] = '\0';
    at += PASS_ID_SIZE;
    if (!read_time(&at, &ret->began_s) || !read_time(&at, &ret->ends_s))
        return false;
    write_signed(ret, plain);
    sign(secret, "session", plain, mac);
    return secret_equal(at, mac) && now_s < ret->ends_s;
}

const char *
pass_csrf(const struct pass *s, const char *secret, char ret[PASS_CSRF_SIZE])
{
    sign(secret, "csrf", s->id, ret);
    return ret;
}
