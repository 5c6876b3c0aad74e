/*
 * The `handlers:` map: which program runs which kind, and on what terms.
 *
 * What is not said for a kind is taken from the options handler.* and retry.*.
 * How a handler is run is decided in the handler room.
 */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "config/internal.h"

#define KIND_MAX_BYTES 100
#define HANDLERS_MAX 1000
#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

struct place {
    struct conf *conf;
    const char *where; /* the file */
    bool look_for_programs;
    struct err *err;
};

static bool
wrong(const struct place *at, int line, const char *kind, const char *what)
{
    return err_set(at->err, ERR_CONFIG, "%s:%d: handler '%s': %s", at->where, line, kind, what);
}

/* --- the program ------------------------------------------------------------------- */

static bool
is_program(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* Why path cannot be run; NULL when it can. */
static const char *
why_not(const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return errno == EACCES ? "may not be looked at" : "does not exist";
    if (S_ISDIR(st.st_mode))
        return "is a directory";
    if (!S_ISREG(st.st_mode))
        return "is not a program";
    return access(path, X_OK) < 0 ? "is not executable" : NULL;
}

/* Found in PATH, NULL when nowhere. */
static const char *
find_in_path(struct arena *a, const char *name)
{
    const char *path = getenv("PATH");
    char *rest = arena_strdup(a, path != NULL && path[0] != '\0' ? path : DEFAULT_PATH), *dir;

    while ((dir = strsep(&rest, ":")) != NULL) {
        const char *candidate = arena_printf(a, "%s/%s", dir, name);

        if (dir[0] == '/' && is_program(candidate))
            return candidate;
    }
    return NULL;
}

/* The folder of the configuration file, absolute. */
static const char *
folder_of(struct arena *a, const char *where)
{
    AUTO(mem) char *absolute = realpath(where, NULL);
    char *folder = arena_strdup(a, absolute != NULL ? absolute : "/"), *slash;

    slash = strrchr(folder, '/');
    slash[slash == folder ? 1 : 0] = '\0';
    return folder;
}

static bool
find_program(const struct place *at, struct handler_conf *h, int line)
{
    struct arena *a = &at->conf->arena;
    const char *name = h->argv[0], *why;

    if (name[0] == '/') {
        h->program = name;
    } else if (strchr(name, '/') != NULL) {
        h->program = arena_printf(a, "%s/%s", folder_of(a, at->where), name);
    } else {
        h->program = find_in_path(a, name);
        if (h->program == NULL && at->look_for_programs)
            return err_set(at->err, ERR_CONFIG, "%s:%d: handler '%s': program '%s' is not in PATH",
                           at->where, line, h->kind, name);
    }
    why = at->look_for_programs ? why_not(h->program) : NULL;
    if (why != NULL)
        return err_set(at->err, ERR_CONFIG, "%s:%d: handler '%s': program '%s' %s", at->where, line,
                       h->kind, h->program, why);
    return true;
}

static bool
read_program(const struct place *at, struct handler_conf *h, const struct yaml *node)
{
    const struct yaml *first = node->shape == YAML_LIST ? node->first : node;
    const char **argv;
    size_t n = 0;

    for (const struct yaml *i = first; i != NULL; i = node->shape == YAML_LIST ? i->next : NULL) {
        if (i->shape != YAML_TEXT || i->is_null)
            return err_set(at->err, ERR_CONFIG,
                           "%s:%d: handler '%s': '%s' must be a program or a list of texts",
                           at->where, i->line, h->kind, node->key);
        n++;
    }
    if (n == 0 || first->text[0] == '\0')
        return err_set(at->err, ERR_CONFIG, "%s:%d: handler '%s': '%s' names no program", at->where,
                       node->line, h->kind, node->key);
    argv = arena_alloc(&at->conf->arena, (n + 1) * sizeof(*argv));
    for (size_t i = 0; i < n; i++, first = first->next)
        argv[i] = first->text;
    h->argv = argv;
    return find_program(at, h, node->line);
}

/* --- its environment ----------------------------------------------------------------- */

static void
put_variable(const char **envp, size_t *n, const char *assignment)
{
    size_t name_len = strcspn(assignment, "=") + 1;

    for (size_t i = 0; i < *n; i++) {
        if (strncmp(envp[i], assignment, name_len) == 0) {
            envp[i] = assignment;
            return;
        }
    }
    envp[(*n)++] = assignment;
}

static void
put_list(struct arena *a, const char **envp, size_t *n, const struct conf_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        const char *value = getenv(list->items[i]);

        if (strchr(list->items[i], '=') != NULL)
            put_variable(envp, n, list->items[i]);
        else if (value != NULL)
            put_variable(envp, n, arena_printf(a, "%s=%s", list->items[i], value));
    }
}

static void
look_up_environment(struct conf *conf, struct handler_conf *h)
{
    size_t n = 0, room = conf->env.n + h->env.n + 1;
    const char **envp = arena_alloc(&conf->arena, room * sizeof(*envp));

    put_list(&conf->arena, envp, &n, &conf->env);
    put_list(&conf->arena, envp, &n, &h->env);
    h->envp = envp;
}

/* --- the way ------------------------------------------------------------------------- */

static const char *const ways[CONF_WAYS] = {
    [CONF_EXEC] = "exec", [CONF_SERVE] = "serve", [CONF_MODULE] = "module",
    [CONF_SQL] = "sql",   [CONF_HTTP] = "http",
};
#define WAYS_IN_WORDS "'exec', 'serve', 'module', 'sql' or 'http'"

const char *
conf_way_name(enum conf_way way)
{
    return ways[way];
}

static bool
is_way(const char *key, enum conf_way *ret)
{
    for (unsigned i = 0; i < CONF_WAYS; i++) {
        if (strcmp(key, ways[i]) == 0) {
            *ret = (enum conf_way)i;
            return true;
        }
    }
    return false;
}

static bool
find_way(const struct place *at, const struct yaml *node, struct handler_conf *h)
{
    const struct yaml *said = NULL;

    for (const struct yaml *m = node->first; m != NULL; m = m->next) {
        if (!is_way(m->key, &h->way))
            continue;
        if (said != NULL)
            return err_set(at->err, ERR_CONFIG,
                           "%s:%d: handler '%s': '%s' and '%s': a kind is run in one way only",
                           at->where, m->key_line, h->kind, said->key, m->key);
        said = m;
    }
    return true;
}

/* --- one handler ----------------------------------------------------------------------- */

static bool
unknown_key(const struct place *at, const struct handler_conf *h, const struct yaml *node)
{
    const char *nearest = option_nearest(handler_options, node->key);

    for (unsigned i = 0; i < CONF_WAYS; i++) {
        size_t distance = text_distance(node->key, ways[i]);

        if (distance <= 2 && distance < strlen(node->key) &&
            (nearest == NULL || distance <= text_distance(node->key, nearest)))
            nearest = ways[i];
    }
    return err_set(at->err, ERR_CONFIG, "%s:%d: unknown key 'handlers.%s.%s'%s%s%s", at->where,
                   node->key_line, h->kind, node->key, nearest != NULL ? ", did you mean '" : "",
                   nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
}

/* A module that is not there can be told now; whether it fits is found out by the worker. */
static bool
check_module(const struct place *at, const struct handler_conf *h, const struct yaml *node)
{
    if (h->module == NULL || !at->look_for_programs || access(h->module, R_OK) == 0)
        return true;
    return err_set(at->err, ERR_CONFIG, "%s:%d: handler '%s': module '%s' cannot be read: %s",
                   at->where, yaml_member(node, "module")->line, h->kind, h->module,
                   strerrordesc_np(errno));
}

static bool
check_handler(const struct place *at, const struct handler_conf *h, const struct yaml *node)
{
    struct stat st;

    if (h->argv == NULL && h->module == NULL && h->sql == NULL && h->url == NULL)
        return wrong(at, node->key_line, h->kind, "what runs it is missing: " WAYS_IN_WORDS);
    if (h->retry_first_ms > h->retry_max_ms)
        return wrong(at, node->key_line, h->kind, "'retry_first' is longer than 'retry_max'");
    if (h->role != NULL && h->as_owner == CONF_YES)
        return wrong(at, node->key_line, h->kind, "'role' and 'as_owner' exclude each other");
    if (h->workdir != NULL && at->look_for_programs &&
        (stat(h->workdir, &st) < 0 || !S_ISDIR(st.st_mode)))
        return wrong(at, yaml_member(node, "workdir")->line, h->kind, "'workdir' is not a folder");
    if (h->user != NULL && at->look_for_programs && getpwnam(h->user) == NULL)
        return wrong(at, yaml_member(node, "user")->line, h->kind, "'user' does not exist here");
    return check_module(at, h, node);
}

static bool
set_presets(const struct place *at, struct handler_conf *h)
{
    for (size_t i = 0; i < handler_options.n; i++) {
        const struct option *o = &handler_options.rows[i];

        if (o->preset != NULL && !option_set(o, h, &at->conf->arena, o->preset, at->err))
            return false;
    }
    return true;
}

static struct handler_conf
handler_defaults(const struct conf *conf, const struct yaml *node)
{
    static const char *const none[] = {NULL};
    bool capped = conf->retry_first_ms > conf->retry_max_ms;

    return (struct handler_conf){
        .kind = node->key,
        .env = {none, 0},
        .headers = {none, 0},
        .timeout_ms = conf->timeout_ms,
        .retry_first_ms = capped ? conf->retry_max_ms : conf->retry_first_ms,
        .retry_max_ms = conf->retry_max_ms,
        .tempfail_max = conf->tempfail_max,
        .keep_attempts = conf->keep_attempts,
        .memory = conf->handler_memory,
        .processes = conf->handler_processes,
        .line = node->key_line,
    };
}

static bool
read_option(const struct place *at, struct handler_conf *h, const struct yaml *node)
{
    const struct option *o = option_find(handler_options, node->key);
    enum conf_way way;

    if (o == NULL && is_way(node->key, &way))
        return read_program(at, h, node);
    if (o == NULL)
        return unknown_key(at, h, node);
    if (o->ways != 0 && (o->ways & 1U << h->way) == 0)
        return err_set(at->err, ERR_CONFIG, "%s:%d: handler '%s': '%s' is not for '%s'", at->where,
                       node->key_line, h->kind, node->key, ways[h->way]);
    return conf_set_from_yaml(o, h, &at->conf->arena, node, at->where, at->err);
}

static bool
read_handler(const struct place *at, const struct yaml *node, struct handler_conf *ret)
{
    struct handler_conf h = handler_defaults(at->conf, node);

    if (node->key[0] == '\0' || strlen(node->key) > KIND_MAX_BYTES)
        return wrong(at, node->key_line, h.kind, "a kind has 1 to 100 bytes");
    if (node->shape != YAML_MAP)
        return wrong(at, node->line, h.kind, "must be a map with " WAYS_IN_WORDS);
    if (!set_presets(at, &h) || !find_way(at, node, &h))
        return false;
    for (const struct yaml *m = node->first; m != NULL; m = m->next) {
        if (!read_option(at, &h, m))
            return false;
    }
    if (!check_handler(at, &h, node))
        return false;
    look_up_environment(at->conf, &h);
    *ret = h;
    return true;
}

/* --- all of them ----------------------------------------------------------------------- */

static int
compare_kinds(const void *a, const void *b)
{
    return strcmp(((const struct handler_conf *)a)->kind, ((const struct handler_conf *)b)->kind);
}

static void
list_kinds(struct conf *conf)
{
    const char **kinds = arena_alloc(&conf->arena, (conf->n_handlers + 1) * sizeof(*kinds));
    size_t n = 0;

    for (size_t i = 0; i < conf->n_handlers; i++) {
        if (strcmp(conf->handlers[i].kind, "*") == 0)
            conf->any_kind = true;
        else
            kinds[n++] = conf->handlers[i].kind;
    }
    conf->kinds = (struct conf_list){kinds, n};
}

bool
conf_read_handlers(struct conf *conf, const struct yaml *map, const char *where,
                   bool look_for_programs, struct err *err)
{
    struct place at = {conf, where, look_for_programs, err};
    struct handler_conf *handlers;
    size_t n = 0;

    if (map != NULL && map->shape != YAML_MAP && !map->is_null)
        return err_set(err, ERR_CONFIG, "%s:%d: 'handlers' must be a map of kinds", where,
                       map->line);
    for (const struct yaml *m = map != NULL ? map->first : NULL; m != NULL; m = m->next)
        n++;
    if (n > HANDLERS_MAX)
        return err_set(err, ERR_CONFIG, "%s:%d: more than %d handlers", where, map->line,
                       HANDLERS_MAX);
    handlers = arena_alloc(&conf->arena, (n + 1) * sizeof(*handlers));
    n = 0;
    for (const struct yaml *m = map != NULL ? map->first : NULL; m != NULL; m = m->next) {
        if (!read_handler(&at, m, &handlers[n++]))
            return false;
    }
    qsort(handlers, n, sizeof(*handlers), compare_kinds);
    conf->handlers = handlers;
    conf->n_handlers = n;
    list_kinds(conf);
    return true;
}

const struct handler_conf *
conf_handler(const struct conf *conf, const char *kind)
{
    struct handler_conf key = {.kind = kind}, rest = {.kind = "*"};
    const struct handler_conf *h;

    h = bsearch(&key, conf->handlers, conf->n_handlers, sizeof(key), compare_kinds);
    if (h == NULL)
        h = bsearch(&rest, conf->handlers, conf->n_handlers, sizeof(rest), compare_kinds);
    return h;
}
