#include "cli/doctor_key.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/values.h"
#include "jwt/jwt.h"

static enum key_kind
kind_of_role(const char *role)
{
    if (strcmp(role, "service_role") == 0)
        return KEY_SERVICE;
    if (strcmp(role, "anon") == 0)
        return KEY_PUBLIC;
    return KEY_USER;
}

static void
copy_claim(const json_t *claims, const char *name, char ret[64])
{
    const char *text = value_text(claims, name);

    snprintf(ret, 64, "%.*s", (int)text_utf8_cut(text, strlen(text), 63), text);
}

/* Seconds; what no clock will ever show is never. */
static int64_t
expiry_of(const json_t *claims)
{
    double seconds = value_real(claims, "exp");

    return seconds > 0 && seconds < 1e15 ? (int64_t)seconds : 0;
}

/* header.claims.signature */
static void
read_token(const char *text, struct key *ret)
{
    const char *claims;
    struct arena arena;
    json_t *object;
    struct err err;

    arena_init(&arena);
    ret->kind = KEY_BROKEN;
    claims = jwt_payload(text, strlen(text), &arena);
    if (claims != NULL && value_parse(claims, strlen(claims), &object, &err)) {
        copy_claim(object, "role", ret->role);
        copy_claim(object, "ref", ret->project);
        copy_claim(object, "sub", ret->user);
        ret->expires_s = expiry_of(object);
        ret->kind = kind_of_role(ret->role);
        json_decref(object);
    }
    arena_release(&arena);
}

void
key_read(const char *text, struct key *ret)
{
    *ret = (struct key){.kind = KEY_OTHER};
    if (strncmp(text, "sb_secret_", 10) == 0)
        ret->kind = KEY_SERVICE;
    else if (strncmp(text, "sb_publishable_", 15) == 0)
        ret->kind = KEY_PUBLIC;
    else if (strncmp(text, "eyJ", 3) == 0)
        read_token(text, ret);
}

void
key_project_of_url(const char *url, char ret[64])
{
    static const char scheme[] = "https://";
    const char *host =
        strncmp(url, scheme, sizeof(scheme) - 1) == 0 ? url + sizeof(scheme) - 1 : url;
    const char *dot = strstr(host, ".supabase.");

    ret[0] = '\0';
    if (dot != NULL)
        snprintf(ret, 64, "%.*s", (int)(dot - host), host);
}
