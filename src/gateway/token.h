/*
 * Where a request has its token, and what kind of thing it is before anybody verifies it.
 */
#ifndef PGCREW_GATEWAY_TOKEN_H
#define PGCREW_GATEWAY_TOKEN_H

#include "base/base.h"

enum token_kind {
    TOKEN_NONE,    /* there is none, or no Bearer */
    TOKEN_PUBLIC,  /* a key that every visitor has: nobody is signed in */
    TOKEN_SERVICE, /* the service key */
    TOKEN_USER,    /* to be verified */
};

struct token_places {
    const char *authorization; /* the header; NULL: none */
    const char *apikey;        /* the same */
    const char *query;         /* access_token, which counts without a header; NULL: none */
};

/*
 * service_key may be NULL; it is compared in the same time whatever the token is.
 * ret and ret_len are a part of the places, for TOKEN_USER only.
 */
enum token_kind token_pick(const struct token_places *places, const char *service_key,
                           const char **ret, size_t *ret_len);

#endif
