/*
 * Tokens of users as the commands see them: where the keys are, and what a token is.
 */
#ifndef PGCREW_CLI_TOKENS_H
#define PGCREW_CLI_TOKENS_H

#include "cli/cli.h"
#include "jwt/jwt.h"

/*
 * The configured secret, which the arena keeps; NULL when there is none.  ERR_CONFIG: it is
 * where this user cannot read it.
 */
bool tokens_secret(struct cli *cli, const char **ret, struct err *err) MUST_CHECK;

struct token_seen {
    enum jwt_verdict verdict;
    const char *claims; /* verified only if the verdict is JWT_GOOD; NULL: not a token */
};

/*
 * Verify as the gateway of this configuration would.  ERR_CONFIG: there are no keys, or
 * they cannot be read.
 */
bool tokens_verify(struct cli *cli, const char *token, struct token_seen *ret,
                   struct err *err) MUST_CHECK;

/* The word, or all of standard input for "-"; NULL: it has been said why. */
const char *tokens_read(struct cli *cli, const char *word);

#endif
