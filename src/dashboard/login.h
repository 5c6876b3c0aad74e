/*
 * Who is an operator: whoever knows the token of dashboard.token_file, or the service key
 * where dashboard.service_key_login says so.  The file is read anew each time: a changed
 * token counts at once.
 */
#ifndef PGCREW_DASHBOARD_LOGIN_H
#define PGCREW_DASHBOARD_LOGIN_H

#include "base/buf.h"
#include "base/err.h"
#include "config/conf.h"
#include "dashboard/pass.h"

#define LOGIN_TOKEN_MIN 32 /* characters */
#define LOGIN_ENDED_MAX 128

struct login {
    const struct conf *conf;
    struct buf token;      /* of the file, as it was read last; "" while it is not usable */
    char why_not[512];     /* it is not usable; "" else */
    double wrong_left;     /* so many wrong ones may follow at once */
    int64_t wrong_mono_ms; /* when that was so */
    char ended[LOGIN_ENDED_MAX][PASS_ID_SIZE]; /* logged out; the oldest is forgotten */
    size_t n_ended;
};

/* At least 32 characters that can be typed, in a file that others cannot read. */
bool login_read_token(const char *path, struct buf *ret, struct err *err) MUST_CHECK;

bool login_is_configured(const struct conf *conf);
void login_init(struct login *l, const struct conf *conf);
void login_release(struct login *l);

enum login_verdict {
    LOGIN_GOOD,
    LOGIN_WRONG,
    LOGIN_TOO_MANY, /* wrong ones came before: not looked at */
    LOGIN_CLOSED,   /* no secret is usable: l->why_not */
};

/* ret_secret is what opens it, until the next call; of LOGIN_TOO_MANY how long to wait. */
enum login_verdict login_try(struct login *l, const char *token, int64_t now_mono_ms,
                             const char **ret_secret, int64_t *ret_wait_ms);
/* The session of a cookie; false: there is none any more.  ret_secret as above. */
bool login_session(struct login *l, const char *cookie, int64_t now_s, struct pass *ret,
                   const char **ret_secret) MUST_CHECK;
/* While this process lives, its cookie opens nothing any more. */
void login_end(struct login *l, const struct pass *s);

#endif
