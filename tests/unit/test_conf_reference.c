/*
 * The table of options, conf/pgcrew.yaml and the man page say the same.
 * Runs in the top folder of the sources.
 */
#include <ctype.h>

#include "conf_file.h"
#include "config/options.h"
#include "config/yaml.h"
#include "tap.h"

static struct arena arena;

static void
read_whole(const char *path, struct buf *ret)
{
    FILE *f = fopen(path, "r");
    size_t n;

    if (f == NULL) {
        printf("Bail out! cannot open %s\n", path);
        exit(1);
    }
    while ((n = fread(buf_reserve(ret, 4096), 1, 4096, f)) > 0)
        ret->len += n;
    buf_add(ret, "", 0);
    fclose(f);
}

/* --- conf/pgcrew.yaml ------------------------------------------------------------ */

/* Options are switched off by a # right before their name: leave those out. */
static void
switch_on(const struct buf *text, struct buf *ret)
{
    bool at_start = true;

    for (const char *p = buf_text(text); *p != '\0'; p++) {
        if (!(at_start && *p == '#' && islower((unsigned char)p[1])))
            buf_add(ret, p, 1);
        at_start = *p == '\n' || (at_start && *p == ' ');
    }
}

static bool
is_in_tree(const struct yaml *root, const char *name)
{
    char *section = arena_strdup(&arena, name), *key = strchr(section, '.');
    const struct yaml *map;

    if (key == NULL)
        return yaml_member(root, name) != NULL;
    *key++ = '\0';
    map = yaml_member(root, section);
    return map != NULL && yaml_member(map, key) != NULL;
}

static void
compare_values(const struct conf *example, const struct conf *defaults)
{
    for (size_t i = 0; i < conf_options.n; i++) {
        const struct option *o = &conf_options.rows[i];
        AUTO(buf) struct buf shown = {.data = NULL}, preset = {.data = NULL};

        if (o->preset == NULL)
            continue;
        option_print(o, example, &shown);
        option_print(o, defaults, &preset);
        is_str(buf_text(&shown), buf_text(&preset), "conf/pgcrew.yaml has the default of %s",
               o->name);
    }
}

static void
test_example(void)
{
    AUTO(buf) struct buf text = {.data = NULL}, active = {.data = NULL};
    struct conf *example, *defaults;
    struct yaml *root = NULL;
    struct err err = {0};
    char *handlers;

    read_whole("conf/pgcrew.yaml", &text);
    is_str(conf_error(text.data), "(accepted)", "conf/pgcrew.yaml is right as it is");
    switch_on(&text, &active);
    handlers = strstr(active.data, "\nhandlers:\n");
    for (size_t i = 0; i < handler_options.n; i++) {
        const char *name = handler_options.rows[i].name;

        ok(handlers != NULL && strstr(handlers, arena_printf(&arena, "    %s: ", name)) != NULL,
           "conf/pgcrew.yaml shows %s of a handler", name);
    }
    ok(yaml_parse(active.data, active.len, "pgcrew.yaml", &arena, &root, &err),
       "conf/pgcrew.yaml with everything switched on is YAML (%s)", err.text);
    for (size_t i = 0; i < conf_options.n && root != NULL; i++)
        ok(is_in_tree(root, conf_options.rows[i].name), "conf/pgcrew.yaml has %s",
           conf_options.rows[i].name);
    example = conf_from(active.data, &err);
    ok(example != NULL, "and is right then, too (%s)", err.text);
    defaults = conf_from("", &err);
    if (example != NULL)
        compare_values(example, defaults);
    conf_free(example);
    conf_free(defaults);
}

/* --- the man page ---------------------------------------------------------------- */

static void
test_option_in_manual(const char *manual, const struct option *o)
{
    const char *start = strstr(manual, arena_printf(&arena, "\n.It Ic %s No", o->name));
    const char *end = start != NULL ? strstr(start + 1, "\n.It ") : NULL;
    const char *entry;

    if (!ok(start != NULL, "the manual explains %s", o->name))
        return;
    if (end == NULL)
        end = strstr(start, "\n.El");
    entry = arena_memdup(&arena, start, (size_t)(end - start) + 1);
    if (o->preset != NULL)
        has_str(entry, arena_printf(&arena, "\nDefault: %s.\n", o->preset),
                "the manual has the default of %s", o->name);
    else
        has_str(entry, "\nNot set:", "the manual says what %s is when not set", o->name);
    ok((strstr(entry, ".Em Restart .") == NULL) == ((o->flags & CONF_RELOAD) != 0),
       "the manual says rightly whether %s needs a restart", o->name);
}

static void
test_manual(void)
{
    AUTO(buf) struct buf text = {.data = NULL};
    size_t explained = 0;

    read_whole("src/config/pgcrew.yaml.5", &text);
    for (size_t i = 0; i < conf_options.n; i++)
        test_option_in_manual(text.data, &conf_options.rows[i]);
    for (const char *p = text.data; (p = strstr(p, "\n.It Ic ")) != NULL; p++)
        explained++;
    for (size_t i = 0; i < handler_options.n; i++) {
        const char *name = handler_options.rows[i].name;

        ok(strstr(text.data, arena_printf(&arena, "\n.It Ic %s\n", name)) != NULL,
           "the manual explains %s of a handler", name);
    }
    /* exec and serve are no rows: they name a program. */
    is_int(explained, conf_options.n + handler_options.n + 2, "the manual explains nothing else");
}

int
main(void)
{
    arena_init(&arena);
    conf_dir_make();
    test_example();
    test_manual();
    arena_release(&arena);
    return done_testing();
}
