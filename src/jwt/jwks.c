/*
 * A JWK set (RFC 7517) becomes keys that verify.
 */
#include <stdlib.h>
#include <string.h>

#include "jwt/internal.h"

enum { SKIP = -1 };

/* Kinds of keys that we know, and what each is for when it does not say so itself. */
static const struct kind {
    const char *kty, *crv;
    enum jwt_alg alg;
} kinds[] = {
    {"oct", NULL, JWT_HS256},
    {"RSA", NULL, JWT_RS256},
    {"EC", "P-256", JWT_ES256},
};

void
jwt_key_list_release(struct jwt_key_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        jwt_key_release(&list->keys[i]);
    free(list->keys);
    *list = (struct jwt_key_list){.keys = NULL};
}

static const char *
text_of(const json_t *jwk, const char *name)
{
    return json_string_value(json_object_get(jwk, name));
}

/* A member of a key must be a text, when it is there. */
static bool
are_texts(const json_t *jwk, struct err *err)
{
    static const char *const names[] = {"kty", "crv", "alg", "use", "kid"};

    for (size_t i = 0; i < LENGTH(names); i++) {
        const json_t *value = json_object_get(jwk, names[i]);

        if (value != NULL && !json_is_string(value))
            return err_set(err, ERR_CONFIG, "%s is not a text", names[i]);
    }
    if (text_of(jwk, "kty") == NULL)
        return err_set(err, ERR_CONFIG, "kty is missing");
    return true;
}

static bool
is_to_verify(const json_t *jwk)
{
    const json_t *ops = json_object_get(jwk, "key_ops");
    const char *use = text_of(jwk, "use");
    bool verifies = ops == NULL;
    size_t i;
    json_t *op;

    json_array_foreach(ops, i, op) verifies =
        verifies || (json_is_string(op) && strcmp(json_string_value(op), "verify") == 0);
    return verifies && (use == NULL || strcmp(use, "sig") == 0);
}

static const struct kind *
kind_of(const json_t *jwk)
{
    const char *kty = text_of(jwk, "kty"), *crv = text_of(jwk, "crv");

    for (size_t i = 0; i < LENGTH(kinds); i++) {
        if (strcmp(kinds[i].kty, kty) == 0 &&
            (kinds[i].crv == NULL || (crv != NULL && strcmp(kinds[i].crv, crv) == 0)))
            return &kinds[i];
    }
    return NULL;
}

/* Its algorithm, or SKIP for a key that is not for us; false for one that contradicts itself. */
static bool
what_for(const json_t *jwk, int *ret_alg, struct err *err)
{
    const char *alg = text_of(jwk, "alg");
    const struct kind *kind = kind_of(jwk);

    *ret_alg = SKIP;
    if (!is_to_verify(jwk))
        return true;
    if (alg != NULL && jwt_alg_named(alg) == JWT_ALGS)
        return true;
    if (alg != NULL && (kind == NULL || jwt_alg_named(alg) != kind->alg))
        return err_set(err, ERR_CONFIG, "alg does not fit kty and crv");
    if (kind == NULL)
        return true;
    if (kind->alg != JWT_HS256 && json_object_get(jwk, "d") != NULL)
        return err_set(err, ERR_CONFIG, "it is a private key: only its public part belongs here");
    *ret_alg = (int)kind->alg;
    return true;
}

static bool
bytes_of(const json_t *jwk, const char *name, struct arena *arena, struct jwt_bytes *ret,
         struct err *err)
{
    const char *text = text_of(jwk, name);

    if (text == NULL)
        return err_set(err, ERR_CONFIG, "%s is missing or not a text", name);
    return jwt_base64_decode(text, strlen(text), arena, &ret->data, &ret->len) ||
           err_set(err, ERR_CONFIG, "%s is not base64url", name);
}

static bool
make_key(const json_t *jwk, enum jwt_alg alg, struct arena *arena, struct jwt_key *ret,
         struct err *err)
{
    struct jwt_bytes a, b;

    switch (alg) {
    case JWT_HS256:
        return bytes_of(jwk, "k", arena, &a, err) && jwt_key_of_secret(a, ret, err);
    case JWT_RS256:
        return bytes_of(jwk, "n", arena, &a, err) && bytes_of(jwk, "e", arena, &b, err) &&
               jwt_key_of_rsa(a, b, ret, err);
    case JWT_ES256:
        return bytes_of(jwk, "x", arena, &a, err) && bytes_of(jwk, "y", arena, &b, err) &&
               jwt_key_of_point(a, b, ret, err);
    case JWT_ALGS:
        break;
    }
    return false;
}

static bool
is_kid_new(const struct jwt_key_list *list, const char *kid, struct err *err)
{
    for (size_t i = 0; kid != NULL && i < list->n; i++) {
        if (list->keys[i].kid != NULL && strcmp(list->keys[i].kid, kid) == 0)
            return err_set(err, ERR_CONFIG, "another key has the same kid");
    }
    return true;
}

static bool
add_key(const json_t *jwk, struct arena *arena, struct jwt_key_list *list, struct err *err)
{
    struct jwt_key key;
    const char *kid;
    int alg;

    if (!json_is_object(jwk))
        return err_set(err, ERR_CONFIG, "it is not an object");
    if (!are_texts(jwk, err) || !what_for(jwk, &alg, err))
        return false;
    if (alg == SKIP)
        return true;
    kid = text_of(jwk, "kid");
    if (!is_kid_new(list, kid, err) || !make_key(jwk, (enum jwt_alg)alg, arena, &key, err))
        return false;
    key.kid = kid != NULL ? xstrdup(kid) : NULL;
    list->keys[list->n++] = key;
    return true;
}

static bool
add_keys(const json_t *jwks, struct arena *arena, struct jwt_key_list *list, struct err *err)
{
    size_t i;
    json_t *jwk;

    json_array_foreach(jwks, i, jwk)
    {
        if (!add_key(jwk, arena, list, err))
            return err_before(err, "key %zu", i + 1);
    }
    return true;
}

bool
jwt_jwks_parse(const char *text, size_t len, struct jwt_key_list *ret, struct err *err)
{
    AUTO(json) json_t *set = jwt_parse_object(text, len);
    const json_t *jwks = json_object_get(set, "keys");
    struct jwt_key_list list = {.keys = NULL};
    struct arena arena;
    bool fine;

    if (!json_is_array(jwks))
        return err_set(err, ERR_CONFIG, "it is not a JSON object with an array \"keys\"");
    if (json_array_size(jwks) > JWT_KEYS_MAX)
        return err_set(err, ERR_CONFIG, "it has more than %d keys", JWT_KEYS_MAX);
    list.keys = xcalloc(JWT_KEYS_MAX, sizeof(*list.keys));
    arena_init(&arena);
    fine = add_keys(jwks, &arena, &list, err);
    arena_release(&arena);
    if (!fine)
        jwt_key_list_release(&list);
    else
        *ret = list;
    return fine;
}
