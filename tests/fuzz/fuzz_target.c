/* The database URL: what the log shows of it never holds its password. */
#include "fuzz.h"

#include <libpq-fe.h>

#include "base/secret.h"
#include "db/target.h"

/* libpq's own reading of the URL; "" when it says nothing of the keyword. */
static char *
word_of(const char *url, const char *keyword)
{
    PQconninfoOption *options = PQconninfoParse(url, NULL);
    char *word = NULL;

    for (const PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++) {
        if (strcmp(o->keyword, keyword) == 0 && o->val != NULL)
            word = xstrndup(o->val, strlen(o->val));
    }
    PQconninfoFree(options);
    return word != NULL ? word : xstrndup("", 0);
}

static void
look(const struct target *t, const char *url)
{
    static const char *const shown[] = {"host", "port", "dbname"};
    char *password = word_of(url, "password");
    size_t n = 0;

    while (t->keys[n] != NULL)
        must(n <= TARGET_KEYS && t->values[n++] != NULL);
    for (size_t i = 0; i < LENGTH(shown); i++) {
        char *word = word_of(url, shown[i]);

        /* Somebody whose password is the name of the host has no secret, nor who has only commas. */
        if (strstr(word, password) != NULL || password[strspn(password, ",:@")] == '\0')
            password[0] = '\0';
        free(word);
    }
    must(strlen(password) < 8 || strstr(t->shown, password) == NULL ||
         strstr("database (default) on the local socket", password) != NULL);
    free(password);
}

static const char *
text_of_bad(void)
{
    static struct err err;
    struct target t;

    must(!target_init(&t, "=", "pgcrew", 1000, &err));
    target_release(&t);
    return err.text;
}

static void
fuzz(const char *data, size_t len)
{
    struct input in = {data, len};
    char *url = take_text(&in);
    struct target t;
    struct err err = {0};

    unsetenv("PGHOST");
    if (target_init(&t, url, "pgcrew", 1000, &err)) {
        must(!target_is_api_key(url));
        look(&t, url);
    } else {
        must_say(&err);
        must(err.class == ERR_CONFIG);
        /* What is wrong with it is said in words that have nothing of it. */
        must(target_is_api_key(url) || secret_is_reference(url) ||
             strcmp(err.text, text_of_bad()) == 0);
    }
    target_release(&t);
    free(url);
}
