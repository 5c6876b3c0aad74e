#include <string.h>

#include "jwt/internal.h"

static bool
sign(const char *secret, const char *text, unsigned char ret[32], struct err *err)
{
    struct jwt_key key;
    bool done;

    if (!jwt_key_of_secret((struct jwt_bytes){secret, strlen(secret)}, &key, err))
        return err_before(err, "JWT secret");
    done = jwt_key_sign(&key, (struct jwt_bytes){text, strlen(text)}, ret) ||
           err_set(err, ERR_PERMANENT, "OpenSSL does not sign");
    jwt_key_release(&key);
    return done;
}

bool
jwt_make(const char *secret, const char *payload, struct arena *arena, const char **ret,
         struct err *err)
{
    static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
    AUTO(json) json_t *claims = jwt_parse_object(payload, strlen(payload));
    unsigned char signature[32];
    const char *text, *token;

    if (claims == NULL)
        return err_set(err, ERR_PERMANENT, "claims must be a JSON object without repeated names");
    text = arena_printf(arena, "%s.%s", jwt_base64_encode(header, strlen(header), arena),
                        jwt_base64_encode(payload, strlen(payload), arena));
    if (!sign(secret, text, signature, err))
        return false;
    token = arena_printf(arena, "%s.%s", text, jwt_base64_encode(signature, 32, arena));
    if (strlen(token) > JWT_BYTES_MAX)
        return err_set(err, ERR_PERMANENT, "the token would be longer than %d bytes",
                       JWT_BYTES_MAX);
    *ret = token;
    return true;
}
