/* JWK sets: keys that can verify, each with a name of its own, or an error. */
#include "fuzz.h"

#include "jwt/internal.h"

static void
must_be_key(const struct jwt_key *key)
{
    static const struct jwt_bytes text = {"text", 4}, none = {"", 0};

    must((unsigned)key->alg < JWT_ALGS);
    must((key->alg == JWT_HS256) == (key->mac != NULL));
    must((key->mac != NULL) != (key->public != NULL));
    must(!jwt_key_verifies(key, text, none));
}

static void
fuzz(const char *data, size_t len)
{
    struct jwt_key_list list = {.keys = NULL};
    struct err err = {.class = ERR_NONE};

    if (!jwt_jwks_parse(data, len, &list, &err)) {
        must_say(&err);
        must(list.keys == NULL);
        return;
    }
    must(list.n <= JWT_KEYS_MAX);
    for (size_t i = 0; i < list.n; i++) {
        must_be_key(&list.keys[i]);
        for (size_t k = 0; k < i; k++)
            must(list.keys[i].kid == NULL || list.keys[k].kid == NULL ||
                 strcmp(list.keys[i].kid, list.keys[k].kid) != 0);
    }
    jwt_key_list_release(&list);
}
