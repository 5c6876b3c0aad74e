/*
 * What an API key of Supabase is, without asking anybody: keys are often taken
 * for each other, and all of them for a database password.
 */
#ifndef PGCREW_CLI_DOCTOR_KEY_H
#define PGCREW_CLI_DOCTOR_KEY_H

#include "base/base.h"

enum key_kind {
    KEY_SERVICE, /* service_role, or sb_secret_... */
    KEY_PUBLIC,  /* anon, or sb_publishable_... */
    KEY_USER,    /* the access token of a signed-in user */
    KEY_BROKEN,  /* starts like a token, and is none */
    KEY_OTHER,   /* no key of Supabase */
};

struct key {
    enum key_kind kind;
    char role[64];     /* of a token, else "" */
    char project[64];  /* of a token, else "" */
    char user[64];     /* sub of a token, else "" */
    int64_t expires_s; /* 0: never, or not known */
};

/* Takes a key apart.  Its signature is not looked at. */
void key_read(const char *text, struct key *ret);

/* The project of "https://abc.supabase.co", "" when it cannot be told. */
void key_project_of_url(const char *url, char ret[64]);

#endif
