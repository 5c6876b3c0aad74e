/*
 * The value of one option: from text into its field, and back.
 *
 * Which options there are is decided in options.c.
 */
#include "config/options.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static void *
field_of(const struct option *o, void *base)
{
    return (char *)base + o->field;
}

static const void *
value_of(const struct option *o, const void *base)
{
    return (const char *)base + o->field;
}

/* --- what is allowed, in words ------------------------------------------------ */

static void
say_choices(const struct option *o, struct buf *ret)
{
    for (int64_t i = 0; i <= o->max; i++)
        buf_printf(ret, "%s%s", i == 0 ? "" : i == o->max ? " or " : ", ", o->choices[i]);
}

static void
say_allowed(const struct option *o, struct buf *ret)
{
    char low[32], high[32];

    switch (o->type) {
    case OPTION_INT:
        buf_printf(ret, "a whole number from %" PRId64 " to %" PRId64, o->min, o->max);
        break;
    case OPTION_MS:
        buf_printf(ret, "a time from %s to %s, with a unit (ms, s, min, h, d)",
                   text_from_ms(low, o->min), text_from_ms(high, o->max));
        break;
    case OPTION_SIZE:
        buf_printf(ret, "a size from %s to %s", text_from_bytes(low, o->min),
                   text_from_bytes(high, o->max));
        break;
    case OPTION_TEXT:
        if (o->good != NULL)
            buf_printf(ret, "%s, ", o->good);
        buf_printf(ret, "%" PRId64 " to %" PRId64 " printable characters", o->min, o->max);
        break;
    case OPTION_CHOICE:
        say_choices(o, ret);
        break;
    case OPTION_LIST:
        buf_printf(ret, "a list of %" PRId64 " to %" PRId64 " %s, each once", o->min, o->max,
                   o->good);
        break;
    }
}

static bool
refuse(const struct option *o, const char *text, struct err *err)
{
    AUTO(buf) struct buf allowed = {.data = NULL};
    char shown[128];

    say_allowed(o, &allowed);
    /* Of NAME=value in a list the name is enough: the value may be a secret. */
    text_printable(shown, sizeof(shown), text,
                   o->type == OPTION_LIST ? strcspn(text, "=") : strlen(text));
    if (o->flags & (CONF_SECRET | CONF_QUIET))
        return err_set(err, ERR_CONFIG, "'%s' must be %s", o->name, buf_text(&allowed));
    return err_set(err, ERR_CONFIG, "'%s' must be %s, not '%s'", o->name, buf_text(&allowed),
                   shown);
}

/* --- from text ---------------------------------------------------------------- */

static bool
is_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if (iscntrl((unsigned char)*text))
            return false;
    }
    return true;
}

static bool
read_number(const struct option *o, const char *text, int64_t *ret)
{
    size_t len = strlen(text);
    bool ok = false;

    if (o->type == OPTION_INT)
        ok = text_to_int(text, ret);
    else if (o->type == OPTION_SIZE)
        ok = text_to_bytes(text, ret);
    else
        /* A time without unit means seconds to some and milliseconds to others. */
        ok = text_to_ms(text, ret) && (*ret == 0 || !isdigit((unsigned char)text[len - 1]));
    return ok && *ret >= o->min && *ret <= o->max;
}

static bool
set_number(const struct option *o, void *base, const char *text, struct err *err)
{
    void *field = field_of(o, base);
    int64_t number;

    if (!read_number(o, text, &number))
        return refuse(o, text, err);
    if (o->type == OPTION_INT)
        *(int *)field = (int)number;
    else if (o->type == OPTION_SIZE)
        *(size_t *)field = (size_t)number;
    else
        *(int64_t *)field = number;
    return true;
}

static bool
set_choice(const struct option *o, void *base, const char *text, struct err *err)
{
    for (unsigned i = 0; o->choices[i] != NULL; i++) {
        if (strcmp(o->choices[i], text) == 0) {
            memcpy(field_of(o, base), &i, sizeof(i));
            return true;
        }
    }
    return refuse(o, text, err);
}

static bool
set_text(const struct option *o, void *base, struct arena *a, const char *text, struct err *err)
{
    size_t len = strlen(text);

    if ((int64_t)len < o->min || (int64_t)len > o->max || !is_printable(text) ||
        (o->is_good != NULL && !o->is_good(text)))
        return refuse(o, text, err);
    *(const char **)field_of(o, base) = arena_strdup(a, text);
    return true;
}

bool
option_set_list(const struct option *o, void *base, struct arena *a, const struct conf_list *items,
                struct err *err)
{
    const char **copy = arena_alloc(a, (items->n + 1) * sizeof(*copy));

    if (o->type != OPTION_LIST)
        return refuse(o, "a list", err);
    if ((int64_t)items->n < o->min || (int64_t)items->n > o->max)
        return refuse(o, items->n == 0 ? "nothing" : "so many", err);
    for (size_t i = 0; i < items->n; i++) {
        if (!is_printable(items->items[i]) || !o->is_good(items->items[i]))
            return refuse(o, items->items[i], err);
        for (size_t j = 0; j < i; j++) {
            if (strcmp(copy[j], items->items[i]) == 0)
                return refuse(o, items->items[i], err);
        }
        copy[i] = arena_strdup(a, items->items[i]);
    }
    *(struct conf_list *)field_of(o, base) = (struct conf_list){copy, items->n};
    return true;
}

static bool
set_list_from_text(const struct option *o, void *base, struct arena *a, const char *text,
                   struct err *err)
{
    size_t n = 0, room = strlen(text) / 2 + 2;
    const char **items = arena_alloc(a, room * sizeof(*items));
    char *rest = arena_strdup(a, text), *item;

    while ((item = strsep(&rest, ",")) != NULL) {
        while (*item == ' ')
            item++;
        item[strcspn(item, " ")] = '\0';
        if (*item != '\0')
            items[n++] = item;
    }
    return option_set_list(o, base, a, &(struct conf_list){items, n}, err);
}

bool
option_set(const struct option *o, void *base, struct arena *a, const char *text, struct err *err)
{
    switch (o->type) {
    case OPTION_INT:
    case OPTION_MS:
    case OPTION_SIZE:
        return set_number(o, base, text, err);
    case OPTION_CHOICE:
        return set_choice(o, base, text, err);
    case OPTION_TEXT:
        return set_text(o, base, a, text, err);
    case OPTION_LIST:
        return set_list_from_text(o, base, a, text, err);
    }
    return refuse(o, text, err);
}

/* --- and back ----------------------------------------------------------------- */

bool
option_is_set(const struct option *o, const void *base)
{
    return o->type != OPTION_TEXT || *(const char *const *)value_of(o, base) != NULL;
}

void
option_print(const struct option *o, const void *base, struct buf *ret)
{
    const void *value = value_of(o, base);
    const struct conf_list *list = value;
    unsigned choice;
    char number[32];

    switch (o->type) {
    case OPTION_INT:
        buf_printf(ret, "%d", *(const int *)value);
        break;
    case OPTION_MS:
        buf_add_text(ret, text_from_ms(number, *(const int64_t *)value));
        break;
    case OPTION_SIZE:
        buf_add_text(ret, text_from_bytes(number, (int64_t) * (const size_t *)value));
        break;
    case OPTION_TEXT:
        if (option_is_set(o, base))
            buf_add_text(ret, *(const char *const *)value);
        break;
    case OPTION_CHOICE:
        memcpy(&choice, value, sizeof(choice));
        buf_add_text(ret, o->choices[choice]);
        break;
    case OPTION_LIST:
        for (size_t i = 0; i < list->n; i++)
            buf_printf(ret, "%s%s", i > 0 ? "," : "", list->items[i]);
        break;
    }
}

static void
copy_list(struct conf_list *to, struct arena *a, const struct conf_list *from)
{
    const char **items = arena_alloc(a, (from->n + 1) * sizeof(*items));

    for (size_t i = 0; i < from->n; i++)
        items[i] = arena_strdup(a, from->items[i]);
    *to = (struct conf_list){items, from->n};
}

void
option_copy(const struct option *o, void *to, struct arena *a, const void *from)
{
    const void *value = value_of(o, from);
    void *field = field_of(o, to);
    const char *text;

    switch (o->type) {
    case OPTION_INT:
        *(int *)field = *(const int *)value;
        break;
    case OPTION_MS:
        *(int64_t *)field = *(const int64_t *)value;
        break;
    case OPTION_SIZE:
        *(size_t *)field = *(const size_t *)value;
        break;
    case OPTION_TEXT:
        text = *(const char *const *)value;
        *(const char **)field = text != NULL ? arena_strdup(a, text) : NULL;
        break;
    case OPTION_CHOICE:
        memcpy(field, value, sizeof(unsigned));
        break;
    case OPTION_LIST:
        copy_list(field, a, value);
        break;
    }
}
