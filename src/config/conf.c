/*
 * Loading: defaults < file < environment < overrides, then what is worked out
 * from them.
 */
#include "config/conf.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "config/internal.h"

#define COUNTED_WORKERS_MAX 8

/* Variables that users of other tools have set already, best first. */
static const struct {
    const char *variable;
    const char *option;
} known_variables[] = {
    {"WORKER_ID", "name"},
    {"DATABASE_URL", "database.url"},
    {"SUPABASE_DB_URL", "database.url"},
    {"SUPABASE_JWT_SECRET", "gateway.jwt_secret"},
    {"SUPABASE_SERVICE_ROLE_KEY", "gateway.service_key"},
    {"SUPABASE_SECRET_KEY", "gateway.service_key"},
};

#define auto_conf free_conf

static void
free_conf(struct conf **conf)
{
    conf_free(*conf);
}

/* --- defaults ------------------------------------------------------------------ */

static bool
set_presets(struct conf *conf, struct err *err)
{
    for (size_t i = 0; i < conf_options.n; i++) {
        const struct option *o = &conf_options.rows[i];
        const char *preset = o->preset == NULL && o->type == OPTION_LIST ? "" : o->preset;

        if (preset != NULL && !option_set(o, conf, &conf->arena, preset, err))
            return false;
    }
    return true;
}

/* --- the file ------------------------------------------------------------------ */

static bool
list_from_yaml(const struct yaml *node, const char *name, struct arena *a, struct conf_list *ret,
               struct err *err)
{
    const char **items;
    size_t n = 0;

    for (const struct yaml *i = node->first; i != NULL; i = i->next)
        n++;
    items = arena_alloc(a, (n + 1) * sizeof(*items));
    n = 0;
    for (const struct yaml *i = node->first; i != NULL; i = i->next) {
        if (i->shape != YAML_TEXT || i->is_null)
            return err_set(err, ERR_CONFIG, "'%s' must be a list of texts", name);
        items[n++] = i->text;
    }
    *ret = (struct conf_list){items, n};
    return true;
}

static bool
set_any_shape(const struct option *o, void *base, struct arena *a, const struct yaml *node,
              struct err *err)
{
    struct conf_list list;

    if (node->shape == YAML_TEXT && node->is_null)
        return err_set(err, ERR_CONFIG, "'%s' has no value", o->name);
    if (node->shape == YAML_TEXT && o->type != OPTION_LIST)
        return option_set(o, base, a, node->text, err);
    if (node->shape == YAML_TEXT)
        return option_set_list(o, base, a, &(struct conf_list){&node->text, 1}, err);
    if (node->shape == YAML_MAP)
        return option_set(o, base, a, "a map", err);
    return list_from_yaml(node, o->name, a, &list, err) && option_set_list(o, base, a, &list, err);
}

bool
conf_set_from_yaml(const struct option *o, void *base, struct arena *a, const struct yaml *node,
                   const char *where, struct err *err)
{
    return set_any_shape(o, base, a, node, err) || err_before(err, "%s:%d", where, node->line);
}

static bool
is_section(const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < conf_options.n; i++) {
        const char *known = conf_options.rows[i].name;

        if (strncmp(known, name, len) == 0 && known[len] == '.')
            return true;
    }
    return false;
}

/* The section nearest to a name that is none; "handlers" counts as one. */
static const char *
nearest_section(struct arena *a, const char *name)
{
    const char *nearest = NULL;
    size_t least = strlen(name) / 3 + 1, distance;

    for (size_t i = 0; i <= conf_options.n; i++) {
        const char *known = i < conf_options.n ? conf_options.rows[i].name : "handlers.";
        char *section = arena_strdup(a, known);

        if (strchr(section, '.') == NULL)
            continue;
        *strchr(section, '.') = '\0';
        distance = text_distance(name, section);
        if (distance <= least) {
            least = distance - (distance > 0);
            nearest = section;
        }
    }
    return nearest;
}

static bool
unknown_key(struct conf *conf, const struct yaml *node, const char *name, struct err *err)
{
    const char *nearest = node->shape == YAML_MAP && strchr(name, '.') == NULL
                              ? nearest_section(&conf->arena, name)
                              : option_nearest(conf_options, name);

    if (nearest == NULL)
        return err_set(err, ERR_CONFIG, "%s:%d: unknown key '%s'", conf->path, node->key_line,
                       name);
    return err_set(err, ERR_CONFIG, "%s:%d: unknown key '%s', did you mean '%s'?", conf->path,
                   node->key_line, name, nearest);
}

/* `queue.lease: 1min` beside `queue: {lease: 30s}`: YAML sees two keys, we see one twice. */
static bool
is_first(struct conf *conf, const struct option *o, const struct yaml *node, int *lines,
         struct err *err)
{
    int *line = &lines[o - conf_options.rows];

    if (*line != 0)
        return err_set(err, ERR_CONFIG, "%s:%d: '%s' was given on line %d already", conf->path,
                       node->key_line, o->name, *line);
    *line = node->key_line;
    return true;
}

/* lines: where each option was given, 0 as long as it was not. */
static bool
set_from_map(struct conf *conf, const struct yaml *map, const char *prefix, int *lines,
             struct err *err)
{
    for (const struct yaml *m = map->first; m != NULL; m = m->next) {
        const char *name = arena_printf(&conf->arena, "%s%s", prefix, m->key);
        const struct option *o = option_find(conf_options, name);

        if (prefix[0] == '\0' && strcmp(name, "handlers") == 0)
            continue;
        if (o != NULL) {
            if (!is_first(conf, o, m, lines, err) ||
                !conf_set_from_yaml(o, conf, &conf->arena, m, conf->path, err))
                return false;
        } else if (!is_section(name)) {
            return unknown_key(conf, m, name, err);
        } else if (m->shape == YAML_MAP) {
            name = arena_printf(&conf->arena, "%s.", name);
            if (!set_from_map(conf, m, name, lines, err))
                return false;
        } else if (m->shape == YAML_LIST || !m->is_null) {
            /* A section whose lines are all comments is empty; anything else is a mistake. */
            return err_set(err, ERR_CONFIG, "%s:%d: '%s' must be a map of options", conf->path,
                           m->line, name);
        }
    }
    return true;
}

/* *ret stays NULL when there is no file. */
static bool
read_file(struct conf *conf, const struct conf_source *from, struct yaml **ret, struct err *err)
{
    const char *path = from->path != NULL ? from->path : PGCREW_CONF_FILE;
    int *lines = arena_alloc(&conf->arena, conf_options.n * sizeof(*lines));

    if (!yaml_read(path, &conf->arena, ret, err)) {
        bool may_be_missing = from->path == NULL && (errno == ENOENT || errno == ENOTDIR);
        bool may_be_hidden = from->path == NULL && errno == EACCES && from->flags & CONF_FOR_TOOL;

        return may_be_missing || may_be_hidden;
    }
    conf->path = arena_strdup(&conf->arena, path);
    if ((*ret)->shape != YAML_MAP)
        return err_set(err, ERR_CONFIG, "%s:%d: the file must be a map of options", path,
                       (*ret)->line);
    return set_from_map(conf, *ret, "", lines, err) &&
           conf_check_rights(conf, from->flags & CONF_FOR_TOOL, err);
}

/* --- environment and overrides --------------------------------------------------- */

static bool
set_from_variable(struct conf *conf, const struct option *o, const char *variable,
                  bool *ret_was_set, struct err *err)
{
    const char *text = getenv(variable);

    /* Empty means not set: container files write VAR="${VAR:-}". */
    if (text == NULL || text[0] == '\0')
        return true;
    *ret_was_set = true;
    return option_set(o, conf, &conf->arena, text, err) ||
           err_before(err, "environment variable %s", variable);
}

static bool
set_from_environment(struct conf *conf, struct err *err)
{
    for (size_t i = 0; i < conf_options.n; i++) {
        const struct option *o = &conf_options.rows[i];
        bool was_set = false;
        char own[64];

        if (!set_from_variable(conf, o, option_variable(o, own), &was_set, err))
            return false;
        for (size_t j = 0; j < LENGTH(known_variables) && !was_set; j++) {
            if (strcmp(known_variables[j].option, o->name) == 0 &&
                !set_from_variable(conf, o, known_variables[j].variable, &was_set, err))
                return false;
        }
    }
    return true;
}

/* What is not even a name may be a URL with its password: it is not repeated. */
static bool
is_like_a_name(const char *text)
{
    return text[strspn(text, "abcdefghijklmnopqrstuvwxyz_.")] == '\0';
}

static bool
set_override(struct conf *conf, const char *override, struct err *err)
{
    const char *equals = strchrnul(override, '=');
    const char *name = arena_memdup(&conf->arena, override, (size_t)(equals - override));
    const struct option *o = option_find(conf_options, name);
    const char *nearest;

    if (!is_like_a_name(name))
        return err_set(err, ERR_CONFIG, "an option must be written name=value");
    if (*equals == '\0')
        return err_set(err, ERR_CONFIG, "'%s' must be written name=value", name);
    if (o != NULL)
        return option_set(o, conf, &conf->arena, equals + 1, err) ||
               err_before(err, "command line");
    nearest = option_nearest(conf_options, name);
    return err_set(err, ERR_CONFIG, "unknown option '%s'%s%s%s", name,
                   nearest != NULL ? ", did you mean '" : "", nearest != NULL ? nearest : "",
                   nearest != NULL ? "'?" : "");
}

bool
conf_is_secret(const char *override)
{
    for (size_t i = 0; i < conf_options.n; i++) {
        const struct option *o = &conf_options.rows[i];
        size_t len = strlen(o->name);

        if (o->flags & CONF_SECRET && strncmp(override, o->name, len) == 0 && override[len] == '=')
            return true;
    }
    return false;
}

static bool
set_overrides(struct conf *conf, const char *const *overrides, struct err *err)
{
    for (; overrides != NULL && *overrides != NULL; overrides++) {
        if (!set_override(conf, *overrides, err))
            return false;
    }
    return true;
}

/* --- what follows from it -------------------------------------------------------- */

static int
count_workers(void)
{
    cpu_set_t usable;
    int n = 1;

    if (sched_getaffinity(0, sizeof(usable), &usable) == 0)
        n = CPU_COUNT(&usable);
    return n < COUNTED_WORKERS_MAX ? n : COUNTED_WORKERS_MAX;
}

static void
work_out(struct conf *conf)
{
    char host[256] = "";

    if (conf->workers == 0)
        conf->workers = count_workers();
    if (conf->name == NULL) {
        gethostname(host, sizeof(host) - 1);
        conf->name = arena_strdup(&conf->arena, host[0] != '\0' ? host : "localhost");
    }
}

static bool
is_any_set(const char *const *variables)
{
    for (; *variables != NULL; variables++) {
        const char *value = getenv(*variables);

        if (value != NULL && value[0] != '\0')
            return true;
    }
    return false;
}

static bool
check_database(const struct conf *conf, struct err *err)
{
    static const char *const libpq[] = {"PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE", NULL};
    static const char *const keys[] = {"SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_SECRET_KEY", NULL};

    if (conf->db_url != NULL || is_any_set(libpq) || !is_any_set(keys))
        return true;
    return err_set(err, ERR_CONFIG,
                   "no database: SUPABASE_SERVICE_ROLE_KEY is an API key; PostgreSQL wants a role "
                   "and password: set SUPABASE_DB_URL (dashboard > Connect > Session pooler)");
}

/* The tool may not see the secrets of the daemon. */
static bool
check_gateway(const struct conf *conf, bool for_tool, struct err *err)
{
    if (conf->gateway.listen.n == 0 || for_tool)
        return true;
    if (conf->jwt_secret == NULL && conf->jwks_file == NULL)
        return err_set(err, ERR_CONFIG,
                       "'gateway.listen' without a key that tokens of users are verified with: set "
                       "gateway.jwt_secret (SUPABASE_JWT_SECRET) or gateway.jwks_file");
    if (conf->gateway_url == NULL)
        return err_set(
            err, ERR_CONFIG,
            "'gateway.listen' without 'gateway.database_url': the gateway has a login of "
            "its own, which may do nothing but act for users");
    return true;
}

static bool
check_together(const struct conf *conf, bool for_tool, struct err *err)
{
    char first[32], max[32];

    if (conf->retry_first_ms > conf->retry_max_ms)
        return err_set(err, ERR_CONFIG, "%s%s'retry.first' (%s) is longer than 'retry.max' (%s)",
                       conf->path != NULL ? conf->path : "", conf->path != NULL ? ": " : "",
                       text_from_ms(first, conf->retry_first_ms),
                       text_from_ms(max, conf->retry_max_ms));
    return check_database(conf, err) && check_gateway(conf, for_tool, err);
}

static bool
fill(struct conf *conf, const struct conf_source *from, struct err *err)
{
    bool for_tool = from->flags & CONF_FOR_TOOL;
    struct yaml *file = NULL;

    if (!set_presets(conf, err) || !read_file(conf, from, &file, err) ||
        !set_from_environment(conf, err) || !set_overrides(conf, from->overrides, err))
        return false;
    work_out(conf);
    return conf_look_up_secrets(conf, for_tool, err) && check_together(conf, for_tool, err) &&
           conf_read_handlers(conf, file != NULL ? yaml_member(file, "handlers") : NULL, conf->path,
                              !for_tool, err);
}

bool
conf_load(const struct conf_source *from, struct conf **ret, struct err *err)
{
    AUTO(conf) struct conf *conf = xcalloc(1, sizeof(*conf));

    arena_init(&conf->arena);
    if (!fill(conf, from, err))
        return false;
    *ret = TAKE(conf);
    return true;
}

void
conf_free(struct conf *conf)
{
    if (conf == NULL)
        return;
    arena_release(&conf->arena);
    free(conf);
}
