/*
 * The whole configuration as a person reads it.
 */
#include <stdio.h>
#include <string.h>

#include "config/internal.h"

#define MASK "********"

/* --- the whole ------------------------------------------------------------------- */

static void
show_list(const struct conf_list *list, struct buf *ret)
{
    buf_add_text(ret, "[");
    for (size_t i = 0; i < list->n; i++) {
        buf_add_text(ret, i > 0 ? ", " : "");
        yaml_quote(ret, list->items[i]);
    }
    buf_add_text(ret, "]");
}

/* "key: value", or the key as a comment when there is no value that may be shown. */
static void
show_option(const struct option *o, const char *key, const void *base, struct buf *ret)
{
    AUTO(buf) struct buf value = {.data = NULL};

    if (!option_is_set(o, base)) {
        buf_printf(ret, "# %s: not set\n", key);
    } else if (o->flags & CONF_SECRET) {
        buf_printf(ret, "# %s: %s\n", key, MASK);
    } else {
        buf_printf(ret, "%s: ", key);
        if (o->type == OPTION_LIST) {
            show_list((const struct conf_list *)(const void *)((const char *)base + o->field), ret);
        } else {
            option_print(o, base, &value);
            yaml_quote(ret, buf_text(&value));
        }
        buf_add_text(ret, "\n");
    }
}

/* Start a new section when the name of this option is in another than the last one's. */
static const char *
enter_section(const char *name, char section[64], struct buf *ret)
{
    const char *dot = strchr(name, '.');
    size_t len = dot != NULL ? (size_t)(dot - name) : 0;

    if (dot == NULL)
        return name;
    if (strncmp(section, name, len) != 0 || section[len] != '\0') {
        snprintf(section, 64, "%.*s", (int)len, name);
        buf_printf(ret, "%s:\n", section);
    }
    buf_add_text(ret, "  ");
    return dot + 1;
}

void
conf_show(const struct conf *conf, struct buf *ret)
{
    char section[64] = "";

    for (size_t i = 0; i < conf_options.n; i++) {
        const struct option *o = &conf_options.rows[i];
        const char *key = enter_section(o->name, section, ret);

        show_option(o, key, conf, ret);
    }
    buf_add_text(ret, conf->n_handlers > 0 ? "handlers:\n" : "# handlers: none\n");
    for (size_t i = 0; i < conf->n_handlers; i++)
        conf_show_handler(&conf->handlers[i], true, ret);
}

/* --- handlers -------------------------------------------------------------------- */

/* Items are NAME, NAME=value or "Name: value"; masked hides the values. */
static void
show_items(const struct option *o, const struct handler_conf *h, bool masked, struct buf *ret)
{
    const struct conf_list *items =
        (const struct conf_list *)(const void *)((const char *)h + o->field);

    buf_printf(ret, "    %s: [", o->name);
    for (size_t i = 0; i < items->n; i++) {
        AUTO(buf) struct buf item = {.data = NULL};
        size_t name = strcspn(items->items[i], "=:");

        buf_add_text(&item, items->items[i]);
        if (masked && item.data[name] != '\0') {
            item.len = name + 1;
            buf_add_text(&item, MASK);
        }
        buf_add_text(ret, i > 0 ? ", " : "");
        yaml_quote(ret, buf_text(&item));
    }
    buf_add_text(ret, "]\n");
}

static void
show_program(const struct handler_conf *h, struct buf *ret)
{
    buf_printf(ret, "    %s: [", conf_way_name(h->way));
    yaml_quote(ret, h->program != NULL ? h->program : h->argv[0]);
    for (size_t i = 1; h->argv[i] != NULL; i++) {
        buf_add_text(ret, ", ");
        yaml_quote(ret, h->argv[i]);
    }
    buf_add_text(ret, "]\n");
}

void
conf_show_handler(const struct handler_conf *h, bool masked, struct buf *ret)
{
    buf_add_text(ret, "  ");
    yaml_quote(ret, h->kind);
    buf_add_text(ret, ":\n");
    if (h->argv != NULL)
        show_program(h, ret);
    for (size_t i = 0; i < handler_options.n; i++) {
        const struct option *o = &handler_options.rows[i];

        if (o->ways != 0 && (o->ways & 1U << h->way) == 0)
            continue;
        if (o->type == OPTION_LIST) {
            show_items(o, h, masked, ret);
        } else if (option_is_set(o, h)) {
            buf_add_text(ret, "    ");
            show_option(o, o->name, h, ret);
        }
    }
}
