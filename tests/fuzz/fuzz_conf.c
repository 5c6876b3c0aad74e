/* A whole configuration with its handlers; and what is shown of one is one again. */
#include "fuzz.h"

#include "config/conf.h"

static const char *const variables[] = {"DATABASE_URL", "SUPABASE_DB_URL", "WORKER_ID"};

/* NULL: it was refused. */
static struct conf *
load(const char *data, size_t len)
{
    struct conf_source from = {.flags = CONF_FOR_TOOL};
    struct conf *conf = NULL;
    struct err err = {0};

    file_of(data, len, &from.path);
    if (!conf_load(&from, &conf, &err)) {
        must_say(&err);
        must(err.class == ERR_CONFIG && conf == NULL);
        return NULL;
    }
    return conf;
}

static void
look(const struct conf *conf)
{
    must(conf->workers > 0 && conf->slots > 0 && conf->queues.n > 0 && conf->name != NULL);
    must(conf->retry_first_ms <= conf->retry_max_ms);
    for (size_t i = 0; i < conf->n_handlers; i++) {
        const struct handler_conf *h = &conf->handlers[i];

        must(conf_handler(conf, h->kind) == h && h->timeout_ms > 0);
        must(h->argv != NULL || h->module != NULL || h->sql != NULL || h->url != NULL);
    }
}

/* Secrets are masked in the first text, so it is the second and the third that are the same. */
static void
show_again(const struct conf *conf)
{
    AUTO(buf) struct buf first = {0}, second = {0}, third = {0};
    struct conf *again;

    conf_show(conf, &first);
    again = load(buf_text(&first), first.len);
    must(again != NULL);
    must(again->n_handlers == conf->n_handlers);
    conf_show(again, &second);
    conf_free(again);
    again = load(buf_text(&second), second.len);
    must(again != NULL);
    conf_show(again, &third);
    conf_free(again);
    must(strcmp(buf_text(&second), buf_text(&third)) == 0);
}

static void
fuzz(const char *data, size_t len)
{
    struct conf *conf;

    for (size_t i = 0; i < LENGTH(variables); i++)
        unsetenv(variables[i]);
    conf = load(data, len);
    if (conf == NULL)
        return;
    look(conf);
    show_again(conf);
    conf_free(conf);
}
