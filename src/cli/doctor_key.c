#include "cli/doctor_key.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/values.h"

static int
base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

/* base64url without padding (RFC 4648, section 5); false when it is not. */
static bool
decode(const char *text, size_t len, struct buf *ret)
{
    uint32_t bits = 0;
    int have = 0;

    for (size_t i = 0; i < len; i++) {
        int value = base64_value(text[i]);
        char byte;

        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        have += 6;
        if (have < 8)
            continue;
        have -= 8;
        byte = (char)(bits >> have & 0xff);
        buf_add(ret, &byte, 1);
    }
    return true;
}

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
    AUTO(buf) struct buf claims = {0};
    const char *start = strchr(text, '.'), *end;
    json_t *object;
    struct err err;

    ret->kind = KEY_BROKEN;
    end = start != NULL ? strchr(start + 1, '.') : NULL;
    if (end == NULL || !decode(start + 1, (size_t)(end - start - 1), &claims) ||
        !value_parse(buf_text(&claims), claims.len, &object, &err))
        return;
    copy_claim(object, "role", ret->role);
    copy_claim(object, "ref", ret->project);
    ret->expires_s = expiry_of(object);
    if (json_is_object(object))
        ret->kind = kind_of_role(ret->role);
    json_decref(object);
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
