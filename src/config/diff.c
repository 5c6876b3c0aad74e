/*
 * What a reload changes, and what it may not change.
 */
#include <string.h>

#include "config/internal.h"

static void
separate(struct buf *ret)
{
    if (ret->len > 0)
        buf_add_text(ret, "; ");
}

static void
diff_option(const struct option *o, const struct conf *old, const struct conf *fresh,
            struct buf *ret)
{
    AUTO(buf) struct buf before = {.data = NULL}, after = {.data = NULL};

    option_print(o, old, &before);
    option_print(o, fresh, &after);
    if (strcmp(buf_text(&before), buf_text(&after)) == 0)
        return;
    separate(ret);
    if (!(o->flags & CONF_RELOAD))
        buf_printf(ret, "%s needs a restart", o->name);
    else if (o->flags & CONF_SECRET)
        buf_printf(ret, "%s changed", o->name);
    else
        buf_printf(ret, "%s %s -> %s", o->name, buf_text(&before), buf_text(&after));
}

static bool
is_same_handler(const struct handler_conf *a, const struct handler_conf *b)
{
    AUTO(buf) struct buf one = {.data = NULL}, other = {.data = NULL};
    size_t i = 0;

    conf_show_handler(a, false, &one);
    conf_show_handler(b, false, &other);
    if (strcmp(buf_text(&one), buf_text(&other)) != 0)
        return false;
    while (a->envp[i] != NULL && b->envp[i] != NULL && strcmp(a->envp[i], b->envp[i]) == 0)
        i++;
    return a->envp[i] == NULL && b->envp[i] == NULL;
}

/* Both arrays are sorted by kind: walk them side by side. */
static void
diff_handlers(const struct conf *old, const struct conf *fresh, struct buf *ret)
{
    const struct handler_conf *a = old->handlers, *b = fresh->handlers;
    const struct handler_conf *a_end = a + old->n_handlers, *b_end = b + fresh->n_handlers;

    while (a < a_end || b < b_end) {
        int order = a == a_end ? 1 : b == b_end ? -1 : strcmp(a->kind, b->kind);

        if (order != 0 || !is_same_handler(a, b)) {
            separate(ret);
            buf_printf(ret, "handlers.%s %s", order > 0 ? b->kind : a->kind,
                       order > 0   ? "added"
                       : order < 0 ? "removed"
                                   : "changed");
        }
        a += order <= 0;
        b += order >= 0;
    }
}

bool
conf_diff(const struct conf *old, const struct conf *fresh, struct buf *ret)
{
    AUTO(buf) struct buf changes = {.data = NULL};

    for (size_t i = 0; i < conf_options.n; i++)
        diff_option(&conf_options.rows[i], old, fresh, &changes);
    diff_handlers(old, fresh, &changes);
    buf_add(ret, buf_text(&changes), changes.len);
    return changes.len > 0;
}

void
conf_keep_fixed(struct conf *fresh, const struct conf *old)
{
    for (size_t i = 0; i < conf_options.n; i++) {
        const struct option *o = &conf_options.rows[i];

        if (!(o->flags & CONF_RELOAD))
            option_copy(o, fresh, &fresh->arena, old);
    }
}
