#include "dashboard/filter.h"

#include <string.h>

#include "base/text.h"

#define TEXT_MAX 500 /* bytes; names have at most 100 characters */
#define TIME_MAX 40

static const char *const states[] = {"queued", "running", "succeeded", "failed", "cancelled"};
static const char *const names[] = {"state", "kind",  "queue", "batch", "user",
                                    "since", "until", "text",  "id"};

bool
filter_knows(const char *name)
{
    for (size_t i = 0; i < LENGTH(names); i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

static bool
is_state(const char *text)
{
    for (size_t i = 0; i < LENGTH(states); i++) {
        if (strcmp(states[i], text) == 0)
            return true;
    }
    return false;
}

/* ISO 8601, as far as its letters go; what they mean is the server's word. */
static bool
is_time(const char *text)
{
    size_t len = strlen(text);

    return len <= TIME_MAX && text[0] >= '0' && text[0] <= '9' &&
           strspn(text, "0123456789-+:. TZ") == len;
}

static bool
get_text(filter_get *get, void *from, const char *name, const char **ret, struct err *err)
{
    const char *text = get(from, name);

    *ret = text != NULL && text[0] != '\0' ? text : NULL;
    if (*ret != NULL && strlen(text) > TEXT_MAX)
        return err_set(err, ERR_PERMANENT, "%s is too long", name);
    return true;
}

static bool
get_time(filter_get *get, void *from, const char *name, const char **ret, struct err *err)
{
    if (!get_text(get, from, name, ret, err))
        return false;
    if (*ret != NULL && !is_time(*ret))
        return err_set(err, ERR_PERMANENT, "%s must be a time like 2026-01-31T12:00:00Z", name);
    return true;
}

static bool
get_uuid(filter_get *get, void *from, const char *name, bool *ret_has, struct uuid *ret,
         struct err *err)
{
    const char *text;

    if (!get_text(get, from, name, &text, err))
        return false;
    *ret_has = text != NULL;
    if (text != NULL && !uuid_parse(text, ret))
        return err_set(err, ERR_PERMANENT, "%s must be a UUID", name);
    return true;
}

static bool
get_id(filter_get *get, void *from, int64_t *ret, struct err *err)
{
    const char *text;

    *ret = 0;
    if (!get_text(get, from, "id", &text, err))
        return false;
    if (text != NULL && (!text_to_int(text, ret) || *ret < 1))
        return err_set(err, ERR_PERMANENT, "id must be the number of a job");
    return true;
}

bool
filter_read(struct filter *ret, filter_get *get, void *from, struct err *err)
{
    *ret = (struct filter){.id = 0};
    if (!get_text(get, from, "state", &ret->state, err) ||
        !get_text(get, from, "kind", &ret->kind, err) ||
        !get_text(get, from, "queue", &ret->queue, err) ||
        !get_text(get, from, "text", &ret->text, err) ||
        !get_time(get, from, "since", &ret->since, err) ||
        !get_time(get, from, "until", &ret->until, err) ||
        !get_uuid(get, from, "batch", &ret->has_batch, &ret->batch, err) ||
        !get_uuid(get, from, "user", &ret->has_user, &ret->user, err) ||
        !get_id(get, from, &ret->id, err))
        return false;
    if (ret->state != NULL && !is_state(ret->state))
        return err_set(err, ERR_PERMANENT,
                       "state must be queued, running, succeeded, failed or cancelled");
    return true;
}

static void
uuid_or_null(struct params *p, bool has, const struct uuid *value)
{
    if (has)
        param_uuid(p, value);
    else
        param_null(p);
}

void
filter_params(const struct filter *f, struct params *p)
{
    param_text(p, f->state);
    param_text(p, f->kind);
    param_text(p, f->queue);
    uuid_or_null(p, f->has_batch, &f->batch);
    uuid_or_null(p, f->has_user, &f->user);
    param_text(p, f->since);
    param_text(p, f->until);
    param_text(p, f->text);
    if (f->id != 0)
        param_int8(p, f->id);
    else
        param_null(p);
}
