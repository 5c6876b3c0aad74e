#include "cli/tokens.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/secret.h"

#define SKEW_S 30

bool
tokens_secret(struct cli *cli, const char **ret, struct err *err)
{
    AUTO(buf) struct buf text = {.data = NULL};
    const char *secret;

    if (!cli_try_conf(cli, err))
        return false;
    secret = cli->conf->jwt_secret;
    /* What the tool could not look up is left as it stands: no secret, but the name of one. */
    if (secret != NULL && secret_is_reference(secret)) {
        if (!secret_read(secret, &text, err))
            return err_before(err, "gateway.jwt_secret");
        secret = arena_memdup(&cli->arena, text.data, text.len);
    }
    *ret = secret;
    return true;
}

bool
tokens_verify(struct cli *cli, const char *token, struct token_seen *ret, struct err *err)
{
    struct jwt_key_source from = {.secret = NULL};
    struct jwt_policy policy = {.skew_s = SKEW_S};
    struct jwt_keys *keys;
    struct jwt_claims claims;
    size_t len = strlen(token);

    if (!tokens_secret(cli, &from.secret, err))
        return false;
    from.jwks_file = cli->conf->jwks_file;
    policy.audience = cli->conf->jwt_audience;
    policy.issuer = cli->conf->jwt_issuer;
    if (!jwt_keys_new(&from, &keys, err))
        return false;
    ret->verdict = jwt_verify(keys, &policy, token, len, (int64_t)time(NULL), &cli->arena, &claims);
    ret->claims = jwt_payload(token, len, &cli->arena);
    jwt_keys_free(keys);
    return true;
}

const char *
tokens_read(struct cli *cli, const char *word)
{
    char text[JWT_BYTES_MAX + 3];
    size_t len;

    if (strcmp(word, "-") != 0)
        return word;
    len = fread(text, 1, sizeof(text), stdin);
    if (ferror(stdin)) {
        cli_failf(cli, CLI_USAGE, "cannot read standard input");
        return NULL;
    }
    while (len > 0 && isspace((unsigned char)text[len - 1]))
        len--;
    return arena_memdup(&cli->arena, text, len);
}
