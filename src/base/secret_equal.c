#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

#define DIGEST_BYTES 32

static void
digest_of(const char *text, size_t len, unsigned char ret[DIGEST_BYTES])
{
    if (EVP_Digest(text, len, ret, NULL, EVP_sha256(), NULL) != 1)
        abort(); /* no memory */
}

/* Digests have one length, and where two differ says nothing of where the texts do. */
bool
secret_is(const char *secret, const char *text, size_t len)
{
    unsigned char of_secret[DIGEST_BYTES], of_text[DIGEST_BYTES];

    if (secret == NULL || text == NULL || secret[0] == '\0' || len == 0)
        return false;
    digest_of(secret, strlen(secret), of_secret);
    digest_of(text, len, of_text);
    return CRYPTO_memcmp(of_secret, of_text, DIGEST_BYTES) == 0;
}

bool
secret_equal(const char *a, const char *b)
{
    return secret_is(a, b, b != NULL ? strlen(b) : 0);
}
