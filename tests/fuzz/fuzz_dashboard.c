/*
 * What a browser sends to the dashboard: a line for its cookie, a line for the parameters of a
 * search, then the body of a bulk action.
 */
#include "fuzz.h"

#include "dashboard/bulk.h"
#include "dashboard/pass.h"

#define SECRET "0123456789abcdef0123456789abcdef"
#define NOW_S 1000

/* A cookie that opens is one of ours to the letter: there is no other form of it. */
static void
read_cookie(const char *cookie)
{
    char text[PASS_TEXT_SIZE];
    struct pass pass;

    if (!pass_read(cookie, SECRET, NOW_S, &pass))
        return;
    must(pass.ends_s > NOW_S);
    must(strcmp(pass_write(&pass, SECRET, text), cookie) == 0);
}

static const char *
same_for_all(void *from, UNUSED const char *name)
{
    return from;
}

static const char *
only_text(void *from, const char *name)
{
    return strcmp(name, "text") == 0 ? from : NULL;
}

/* What was read is nine parameters, and what names a value has its form. */
static void
check_filter(const struct filter *f)
{
    struct params p;

    must(f->id >= 0);
    for (const char *c = f->since; c != NULL && *c != '\0'; c++)
        must(strchr("0123456789-+:. TZ", *c) != NULL);
    params_init(&p);
    filter_params(f, &p);
    must(p.n == 9);
    params_release(&p);
}

static void
read_filter(char *value)
{
    struct filter f;
    struct err err = {0};

    if (filter_read(&f, same_for_all, value, &err))
        check_filter(&f);
    else
        must_say(&err);
    if (filter_read(&f, only_text, value, &err))
        must(f.text == NULL || strcmp(f.text, value) == 0);
}

static void
read_body(const char *json, size_t len)
{
    struct bulk_wish wish;
    struct err err = {0};
    struct arena a;

    arena_init(&a);
    if (bulk_read(json, len, &a, &wish, &err)) {
        must(wish.expected >= -1 && wish.after >= 0);
        must(strcmp(wish.action, "retry") == 0 || strcmp(wish.action, "cancel") == 0 ||
             strcmp(wish.action, "delete") == 0);
        check_filter(&wish.filter);
    } else {
        must_say(&err);
    }
    arena_release(&a);
}

static void
fuzz(const char *data, size_t len)
{
    struct input in = {data, len};
    char *cookie = take_line(&in), *value = take_line(&in);

    read_cookie(cookie);
    read_filter(value);
    read_body(in.at, in.left);
    free(cookie);
    free(value);
}
