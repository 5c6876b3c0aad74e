/* Keys of Supabase are told apart without asking anybody. */
#include "cli/doctor_key.h"

#include <stdlib.h>

#include "base/buf.h"
#include "tap.h"

/* A token with these claims; the signature is no matter. */
static const char *
token(const char *claims)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    static struct buf text;
    uint32_t bits = 0;
    int have = 0;

    buf_clear(&text);
    buf_add_text(&text, "eyJhbGciOiJIUzI1NiJ9.");
    for (const char *p = claims; *p != '\0'; p++) {
        bits = bits << 8 | (unsigned char)*p;
        for (have += 8; have >= 6; have -= 6)
            buf_add(&text, &letters[bits >> (have - 6) & 63], 1);
    }
    if (have > 0)
        buf_add(&text, &letters[bits << (6 - have) & 63], 1);
    buf_add_text(&text, ".c2ln");
    return buf_text(&text);
}

static void
kinds(void)
{
    static const struct {
        const char *text;
        enum key_kind kind;
    } rows[] = {
        {"sb_secret_abc", KEY_SERVICE},
        {"sb_publishable_abc", KEY_PUBLIC},
        {"postgresql://x", KEY_OTHER},
        {"", KEY_OTHER},
        {"eyJ", KEY_BROKEN},
        {"eyJhbGciOiJIUzI1NiJ9.not base64.x", KEY_BROKEN},
        {"eyJhbGciOiJIUzI1NiJ9.bm90IGpzb24.x", KEY_BROKEN},
        {"eyJhbGciOiJIUzI1NiJ9.WzFd.x", KEY_BROKEN}, /* [1] */
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct key key;

        key_read(rows[i].text, &key);
        is_int(key.kind, rows[i].kind, "'%s'", rows[i].text);
    }
}

static void
tokens(void)
{
    struct key key;

    key_read(token("{\"role\":\"service_role\",\"ref\":\"abc\",\"exp\":1900000000}"), &key);
    is_int(key.kind, KEY_SERVICE, "a service key");
    is_str(key.project, "abc", "has a project");
    is_int(key.expires_s, 1900000000, "and an end");
    key_read(token("{\"role\":\"anon\"}"), &key);
    is_int(key.kind, KEY_PUBLIC, "an anon key");
    key_read(token("{\"role\":\"authenticated\",\"sub\":\"x\"}"), &key);
    is_int(key.kind, KEY_USER, "the token of a user");
    is_str(key.role, "authenticated", "with its role");
}

static void
projects(void)
{
    char project[64];

    key_project_of_url("https://abc.supabase.co", project);
    is_str(project, "abc", "the project of a URL");
    key_project_of_url("abc.supabase.co/rest", project);
    is_str(project, "abc", "also without a scheme");
    key_project_of_url("https://example.com", project);
    is_str(project, "", "another host has none");
}

int
main(void)
{
    kinds();
    tokens();
    projects();
    return done_testing();
}
