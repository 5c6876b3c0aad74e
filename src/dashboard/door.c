/*
 * The door: who asks, and whether he may.  All below /dashboard/api/ is shut but for the
 * login.
 *
 * An action needs three things that the page of another origin has not: the cookie, which
 * browsers do not send along from other sites (SameSite=Strict), the CSRF token in a header,
 * and an Origin that is ours.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "dashboard/assets.h"
#include "dashboard/internal.h"

#define COOKIE "pgcrew_session"
#define API "/dashboard/api/"

static const char not_configured[] =
    "The dashboard is off: nobody could log in.  Name a file with a token of at least 32 "
    "characters in dashboard.token_file, then pgcrew reload.  See pgcrew-dashboard(7).";

static const struct {
    const char *name, *value;
} headers[] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
     "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
};

struct visit *
door_visit(struct web_request *r)
{
    return web_data(r);
}

static int64_t
now_s(void)
{
    return clock_real_ms() / 1000;
}

static int64_t
timeout_s(const struct visit *v)
{
    return v->d->conf->dashboard_session_ms / 1000;
}

/* --- who ------------------------------------------------------------------------------- */

static void
set_cookie(struct web_request *r, const char *value, int64_t max_age_s)
{
    const char *scheme = web_header(r, "X-Forwarded-Proto");
    bool is_https = scheme != NULL && strncmp(scheme, "https", 5) == 0;

    web_add_header(r, "Set-Cookie",
                   arena_printf(web_arena(r),
                                COOKIE "=%s; Path=/; Max-Age=%" PRId64
                                       "; HttpOnly; SameSite=Strict%s",
                                value, max_age_s, is_https ? "; Secure" : ""));
}

/* For the log: behind a proxy the address it says, too, which may be a lie. */
static const char *
from_where(struct web_request *r)
{
    const char *for_whom = web_header(r, "X-Forwarded-For");
    char shown[64];

    if (for_whom == NULL)
        return web_peer(r);
    text_printable(shown, sizeof(shown), for_whom, strlen(for_whom));
    return arena_printf(web_arena(r), "%s (for %s)", web_peer(r), shown);
}

static void
let_in(struct web_request *r, struct visit *v, const char *secret)
{
    char text[PASS_TEXT_SIZE];

    v->is_in = true;
    v->opens = arena_strdup(web_arena(r), pass_write(&v->pass, secret, text));
    pass_csrf(&v->pass, secret, v->csrf);
    v->who = arena_printf(web_arena(r), "%s %.8s from %s", v->by_cookie ? "session" : "token",
                          v->pass.id, from_where(r));
}

static void
refuse_login(struct web_request *r, enum login_verdict verdict, int64_t wait_ms)
{
    struct visit *v = door_visit(r);
    char seconds[24];

    if (verdict == LOGIN_CLOSED) {
        ask_refuse(r, 503, "Nobody can log in just now: the token file is not usable.",
                   "The log of the daemon says why.");
        return;
    }
    if (verdict == LOGIN_TOO_MANY) {
        snprintf(seconds, sizeof(seconds), "%" PRId64, (wait_ms + 999) / 1000);
        web_add_header(r, "Retry-After", seconds);
        ask_refuse(r, 429, "Too many wrong tokens: wait a moment.", NULL);
        return;
    }
    log_warn("a login with a wrong token from %s; %d more may follow at once", from_where(r),
             (int)v->d->login.wrong_left);
    ask_refuse(r, 401, "This is not the token.", NULL);
}

/* Authorization: Bearer TOKEN, for scripts. */
static bool
come_in_by_token(struct web_request *r, const char *token)
{
    struct visit *v = door_visit(r);
    const char *secret;
    int64_t wait_ms = 0;
    enum login_verdict verdict = login_try(&v->d->login, token, clock_mono_ms(), &secret, &wait_ms);

    if (verdict != LOGIN_GOOD) {
        refuse_login(r, verdict, wait_ms);
        return false;
    }
    pass_begin(&v->pass, now_s(), timeout_s(v));
    let_in(r, v, secret);
    return true;
}

static bool
come_in_by_cookie(struct web_request *r)
{
    struct visit *v = door_visit(r);
    const char *secret;

    if (!login_session(&v->d->login, web_cookie(r, COOKIE), now_s(), &v->pass, &secret)) {
        ask_refuse(r, 401, "Log in first.", NULL);
        return false;
    }
    v->by_cookie = true;
    if (pass_prolong(&v->pass, now_s(), timeout_s(v))) {
        let_in(r, v, secret);
        set_cookie(r, v->opens, v->pass.ends_s - now_s());
    } else {
        let_in(r, v, secret);
    }
    return true;
}

bool
door_come_in(struct web_request *r)
{
    const char *authorization = web_header(r, "Authorization");

    if (authorization != NULL && strncasecmp(authorization, "Bearer ", 7) == 0)
        return come_in_by_token(r, authorization + 7);
    return come_in_by_cookie(r);
}

/* --- whether --------------------------------------------------------------------------- */

/* "https://example.com" and "example.com": the same host? */
static bool
is_origin_of(const char *origin, const char *host)
{
    const char *at = strstr(origin, "://");

    return at != NULL && host != NULL && strcasecmp(at + 3, host) == 0;
}

/* Browsers say where a request comes from; what is no browser says nothing. */
static bool
is_from_us(struct web_request *r)
{
    const char *site = web_header(r, "Sec-Fetch-Site"), *origin = web_header(r, "Origin");

    if (site != NULL)
        return strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0;
    return origin == NULL || is_origin_of(origin, web_header(r, "Host")) ||
           is_origin_of(origin, web_header(r, "X-Forwarded-Host"));
}

static bool
is_json(const char *type)
{
    static const char json[] = "application/json";

    return type != NULL && strncasecmp(type, json, sizeof(json) - 1) == 0 &&
           strchr("; \t", type[sizeof(json) - 1]) != NULL;
}

/* True: it may go on. */
static bool
check_action(struct web_request *r)
{
    if (!is_from_us(r))
        ask_refuse(r, 403, "This request comes from the page of another origin.", NULL);
    else if (!is_json(web_header(r, "Content-Type")))
        ask_refuse(r, 415, "Content-Type must be application/json.", NULL);
    else
        return true;
    return false;
}

static bool
check_csrf(struct web_request *r)
{
    struct visit *v = door_visit(r);
    const char *said = web_header(r, "X-CSRF-Token");

    if (!v->by_cookie || secret_equal(said, v->csrf))
        return true;
    ask_refuse(r, 403, "X-CSRF-Token is not the one of this session.", "Load the page again.");
    return false;
}

static bool
check_api(struct web_request *r)
{
    bool is_action = web_method(r) == WEB_POST;

    if (is_action && !check_action(r))
        return false;
    if (strcmp(web_path(r), API "login") == 0)
        return true;
    return door_come_in(r) && (!is_action || check_csrf(r));
}

static bool
begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

bool
door_before(struct web_request *r, void *owner)
{
    struct dashboard *d = owner;
    struct visit *v = arena_alloc(web_arena(r), sizeof(*v));
    const char *path = web_path(r);

    v->d = d;
    v->who = "nobody";
    web_set_data(r, v);
    for (size_t i = 0; i < LENGTH(headers); i++)
        web_add_header(r, headers[i].name, headers[i].value);
    if (strcmp(path, "/") != 0 && !begins(path, "/dashboard"))
        return false;
    if (!login_is_configured(d->conf)) {
        web_answer_static(r, 404, "text/plain; charset=utf-8", not_configured,
                          sizeof(not_configured) - 1);
        return true;
    }
    if (!begins(path, API))
        return false;
    web_add_header(r, "Cache-Control", "no-store");
    return !check_api(r);
}

/* --- routes ----------------------------------------------------------------------------- */

static void
answer_session(struct web_request *r)
{
    struct visit *v = door_visit(r);
    json_t *body = json_pack("{s:s, s:s, s:s}", "csrf", v->csrf, "name", v->d->conf->name,
                             "version", PACKAGE_VERSION);
    char ends[40];
    time_t at = (time_t)v->pass.ends_s;
    struct tm utc;
    char *text;

    strftime(ends, sizeof(ends), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &utc));
    json_object_set_new(body, "expires_at", json_string(ends));
    text = json_dumps(body, JSON_COMPACT);
    ask_answer_json(r, text, strlen(text));
    free(text);
    json_decref(body);
}

void
door_session(struct web_request *r, UNUSED void *owner)
{
    answer_session(r);
}

static const char *
token_of(struct web_request *r)
{
    size_t len;
    const char *body = web_body(r, &len), *token;
    json_t *json = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);

    token = json_string_value(json_object_get(json, "token"));
    if (token != NULL)
        token = arena_strdup(web_arena(r), token);
    json_decref(json);
    return token;
}

void
door_login(struct web_request *r, UNUSED void *owner)
{
    struct visit *v = door_visit(r);
    const char *token = token_of(r);

    if (token == NULL) {
        ask_refuse(r, 400, "{\"token\": \"...\"} is expected.", NULL);
        return;
    }
    v->by_cookie = true;
    if (!come_in_by_token(r, token))
        return;
    set_cookie(r, v->opens, timeout_s(v));
    log_info("%s: logged in", v->who);
    answer_session(r);
}

void
door_logout(struct web_request *r, UNUSED void *owner)
{
    struct visit *v = door_visit(r);

    login_end(&v->d->login, &v->pass);
    set_cookie(r, "", 0);
    log_info("%s: logged out", v->who);
    web_answer(r, 204, NULL, NULL, 0);
}

void
door_page(struct web_request *r, UNUSED void *owner)
{
    const char *name = strcmp(web_path(r), "/") == 0 ? "index.html" : web_segment(r, 0);
    const struct asset *asset = asset_find(name);
    char tag[ASSET_TAG_SIZE];

    if (asset == NULL) {
        ask_refuse(r, 404, "There is no such page.", NULL);
        return;
    }
    web_add_header(r, "ETag", asset_tag(tag, asset));
    web_add_header(r, "Cache-Control", "no-cache");
    if (asset_is_known(web_header(r, "If-None-Match"), tag))
        web_answer(r, 304, NULL, NULL, 0);
    else
        web_answer_static(r, 200, asset_type(asset), asset->data, asset->len);
}
