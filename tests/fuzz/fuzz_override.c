/* Options as the command line gives them, name=value, a line each. */
#include "fuzz.h"

#include "config/conf.h"
#include "config/options.h"

#define MOST 8

static void
print_again(struct conf *conf)
{
    for (size_t i = 0; i < conf_options.n; i++) {
        const struct option *o = &conf_options.rows[i];
        AUTO(buf) struct buf text = {0}, again = {0};
        struct err err;

        if (!option_is_set(o, conf) || o->type == OPTION_LIST)
            continue;
        option_print(o, conf, &text);
        /* Counted, when it was written as 0. */
        must(option_set(o, conf, &conf->arena, buf_text(&text), &err));
        option_print(o, conf, &again);
        must(strcmp(buf_text(&text), buf_text(&again)) == 0);
    }
}

static void
fuzz(const char *data, size_t len)
{
    struct input in = {data, len};
    char *lines[MOST + 1] = {NULL};
    struct conf_source from = {.overrides = (const char *const *)lines, .flags = CONF_FOR_TOOL};
    struct conf *conf = NULL;
    struct err err = {0};

    for (size_t i = 0; i < MOST && in.left > 0; i++)
        lines[i] = take_line(&in);
    if (conf_load(&from, &conf, &err)) {
        print_again(conf);
        conf_free(conf);
    } else {
        must_say(&err);
        must(err.class == ERR_CONFIG);
    }
    for (size_t i = 0; i < MOST; i++)
        free(lines[i]);
}
