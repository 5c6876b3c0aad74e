#include "dashboard/login.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/secret.h"

/* Wrong logins: ten at once, then one a second. */
#define WRONG_AT_ONCE 10.0
#define WRONG_EVERY_MS 1000

static bool
is_typed(const struct buf *token)
{
    for (size_t i = 0; i < token->len; i++) {
        if (token->data[i] <= ' ' || token->data[i] > '~')
            return false;
    }
    return true;
}

bool
login_read_token(const char *path, struct buf *ret, struct err *err)
{
    AUTO(mem) char *reference = xasprintf("file:%s", path);
    struct stat st;

    buf_clear(ret);
    if (stat(path, &st) < 0)
        return err_errno(err, ERR_CONFIG, "dashboard.token_file %s", path);
    if ((st.st_mode & S_IRWXO) != 0)
        return err_set(err, ERR_CONFIG,
                       "dashboard.token_file %s: everybody on this host may read or change it: "
                       "chmod o= it",
                       path);
    if (!secret_read(reference, ret, err)) {
        buf_clear(ret);
        return err_before(err, "dashboard.token_file");
    }
    if (ret->len >= LOGIN_TOKEN_MIN && is_typed(ret))
        return true;
    buf_clear(ret);
    return err_set(err, ERR_CONFIG,
                   "dashboard.token_file %s: a token has at least %d characters, on one line and "
                   "without blanks: openssl rand -hex 32",
                   path, LOGIN_TOKEN_MIN);
}

static bool
has_service_key(const struct conf *conf)
{
    return conf->dashboard_service_key_login == CONF_YES && conf->service_key != NULL;
}

bool
login_is_configured(const struct conf *conf)
{
    return conf->dashboard_token_file != NULL || has_service_key(conf);
}

void
login_init(struct login *l, const struct conf *conf)
{
    *l = (struct login){.conf = conf, .wrong_left = WRONG_AT_ONCE};
}

void
login_release(struct login *l)
{
    if (l->token.data != NULL)
        explicit_bzero(l->token.data, l->token.len);
    buf_release(&l->token);
}

/* Said once, not at each request. */
static void
note_unusable(struct login *l, const char *why)
{
    if (strcmp(l->why_not, why) != 0 && why[0] != '\0')
        log_error("nobody can log in with the token: %s", why);
    snprintf(l->why_not, sizeof(l->why_not), "%s", why);
}

/* What opens the dashboard just now: at most two. */
static size_t
secrets(struct login *l, const char *ret[2])
{
    struct err err;
    size_t n = 0;

    if (l->conf->dashboard_token_file != NULL) {
        if (login_read_token(l->conf->dashboard_token_file, &l->token, &err)) {
            ret[n++] = buf_text(&l->token);
            note_unusable(l, "");
        } else {
            note_unusable(l, err.text);
        }
    }
    if (has_service_key(l->conf))
        ret[n++] = l->conf->service_key;
    return n;
}

static void
refill(struct login *l, int64_t now_mono_ms)
{
    l->wrong_left += (double)(now_mono_ms - l->wrong_mono_ms) / WRONG_EVERY_MS;
    if (l->wrong_left > WRONG_AT_ONCE)
        l->wrong_left = WRONG_AT_ONCE;
    l->wrong_mono_ms = now_mono_ms;
}

enum login_verdict
login_try(struct login *l, const char *token, int64_t now_mono_ms, const char **ret_secret,
          int64_t *ret_wait_ms)
{
    const char *opens[2];
    size_t n = secrets(l, opens);

    refill(l, now_mono_ms);
    if (n == 0)
        return LOGIN_CLOSED;
    if (l->wrong_left < 1) {
        *ret_wait_ms = WRONG_EVERY_MS;
        return LOGIN_TOO_MANY;
    }
    *ret_secret = NULL;
    for (size_t i = 0; i < n; i++) {
        if (secret_equal(token, opens[i]))
            *ret_secret = opens[i];
    }
    if (*ret_secret != NULL)
        return LOGIN_GOOD;
    l->wrong_left -= 1;
    return LOGIN_WRONG;
}

static bool
is_ended(const struct login *l, const char *id)
{
    for (size_t i = 0; i < LOGIN_ENDED_MAX; i++) {
        if (strcmp(l->ended[i], id) == 0)
            return true;
    }
    return false;
}

bool
login_session(struct login *l, const char *cookie, int64_t now_s, struct pass *ret,
              const char **ret_secret)
{
    const char *opens[2];
    size_t n = cookie != NULL ? secrets(l, opens) : 0;

    for (size_t i = 0; i < n; i++) {
        if (pass_read(cookie, opens[i], now_s, ret)) {
            *ret_secret = opens[i];
            return !is_ended(l, ret->id);
        }
    }
    return false;
}

void
login_end(struct login *l, const struct pass *s)
{
    memcpy(l->ended[l->n_ended % LOGIN_ENDED_MAX], s->id, PASS_ID_SIZE);
    l->n_ended++;
}
