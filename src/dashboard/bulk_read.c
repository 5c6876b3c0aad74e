#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "dashboard/bulk.h"

static const char *const actions[] = {"retry", "cancel", "delete"};

static bool
is_action(const char *text)
{
    for (size_t i = 0; text != NULL && i < LENGTH(actions); i++) {
        if (strcmp(actions[i], text) == 0)
            return true;
    }
    return false;
}

/* Where a filter's texts come from, and where they are kept. */
struct source {
    const json_t *filter;
    struct arena *arena;
};

static const char *
from_json(void *from, const char *name)
{
    const struct source *source = from;
    const char *text = json_string_value(json_object_get(source->filter, name));

    return text != NULL ? arena_strdup(source->arena, text) : NULL;
}

/* A filter that is misspelt would be none: then all jobs were meant. */
static bool
check_names(json_t *filter, struct err *err)
{
    json_t *id = json_object_get(filter, "id"), *value;
    const char *name;

    if (json_is_integer(id))
        json_object_set_new(filter, "id",
                            json_sprintf("%" JSON_INTEGER_FORMAT, json_integer_value(id)));
    json_object_foreach(filter, name, value)
    {
        if (!filter_knows(name))
            return err_set(err, ERR_PERMANENT, "filter has no '%.40s'", name);
        if (!json_is_string(value))
            return err_set(err, ERR_PERMANENT, "%s must be a text", name);
    }
    return true;
}

/* A number that is left out or null is fallback. */
static bool
get_number(const json_t *body, const char *name, int64_t fallback, int64_t *ret, struct err *err)
{
    const json_t *value = json_object_get(body, name);

    *ret = fallback;
    if (value == NULL || json_is_null(value))
        return true;
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return err_set(err, ERR_PERMANENT, "%s must be a number", name);
    *ret = json_integer_value(value);
    return true;
}

static bool
read_body(json_t *body, struct arena *arena, struct bulk_wish *ret, struct err *err)
{
    const char *action = json_string_value(json_object_get(body, "action"));
    json_t *filter = json_object_get(body, "filter"), *preview = json_object_get(body, "preview");
    struct source source = {filter, arena};

    if (!is_action(action))
        return err_set(err, ERR_PERMANENT, "action must be retry, cancel or delete");
    if (!json_is_object(filter) || !json_is_boolean(preview))
        return err_set(err, ERR_PERMANENT, "filter must be an object, preview true or false");
    snprintf(ret->action, sizeof(ret->action), "%s", action);
    ret->preview = json_is_true(preview);
    return get_number(body, "expected", -1, &ret->expected, err) &&
           get_number(body, "after", 0, &ret->after, err) && check_names(filter, err) &&
           filter_read(&ret->filter, from_json, &source, err);
}

bool
bulk_read(const char *json, size_t len, struct arena *arena, struct bulk_wish *ret, struct err *err)
{
    json_t *body = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
    bool good = json_is_object(body) ? read_body(body, arena, ret, err)
                                     : err_set(err, ERR_PERMANENT, "a JSON object is expected");

    json_decref(body);
    return good;
}
