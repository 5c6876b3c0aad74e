/*
 * Tokens whose signature was found good: browsers send the same one every few seconds, and a
 * public key costs more than all the rest.  Only the signature is remembered, by the SHA-256
 * of the whole token; times and claims are judged each time.
 */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "jwt/internal.h"

#define BUCKETS 2048
#define PLACES 4 /* of each bucket; 256 KiB in all */

struct jwt_cache {
    unsigned char digests[BUCKETS][PLACES][JWT_DIGEST_BYTES];
};

struct jwt_cache *
jwt_cache_new(void)
{
    return xcalloc(1, sizeof(struct jwt_cache));
}

void
jwt_cache_free(struct jwt_cache *cache)
{
    free(cache);
}

void
jwt_cache_clear(struct jwt_cache *cache)
{
    memset(cache, 0, sizeof(*cache));
}

static unsigned
bucket_of(const unsigned char *digest)
{
    return (digest[0] | (unsigned)digest[1] << 8) % BUCKETS;
}

/* No token has a digest of zeros, so an empty place is no digest. */
bool
jwt_cache_has(const struct jwt_cache *cache, const unsigned char digest[JWT_DIGEST_BYTES])
{
    unsigned bucket = bucket_of(digest);
    bool has = false;

    for (int i = 0; i < PLACES; i++)
        has |= CRYPTO_memcmp(cache->digests[bucket][i], digest, JWT_DIGEST_BYTES) == 0;
    return has;
}

/* Who makes room is chance: a digest has enough of it. */
void
jwt_cache_add(struct jwt_cache *cache, const unsigned char digest[JWT_DIGEST_BYTES])
{
    memcpy(cache->digests[bucket_of(digest)][digest[2] % PLACES], digest, JWT_DIGEST_BYTES);
}
