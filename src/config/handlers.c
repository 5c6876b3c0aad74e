/*
 * The `handlers:` map: which program runs which kind, and on what terms.
 *
 * What is not said for a kind is taken from the options handler.* and retry.*.
 * How a handler is run is decided in the handler room.
 */
#include <errno.h>
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
read_exec(const struct place *at, struct handler_conf *h, const struct yaml *node)
{
    const struct yaml *first = node->shape == YAML_LIST ? node->first : node;
    const char **argv;
    size_t n = 0;

    for (const struct yaml *i = first; i != NULL; i = node->shape == YAML_LIST ? i->next : NULL) {
        if (i->shape != YAML_TEXT || i->is_null)
            return wrong(at, i->line, h->kind, "'exec' must be a program or a list of texts");
        n++;
    }
    if (n == 0 || first->text[0] == '\0')
        return wrong(at, node->line, h->kind, "'exec' names no program");
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

/* --- one handler ----------------------------------------------------------------------- */

static bool
unknown_key(const struct place *at, const struct handler_conf *h, const struct yaml *node)
{
    const char *nearest = option_nearest(handler_options, node->key);

    if (text_distance(node->key, "exec") <= 2)
        nearest = "exec";
    return err_set(at->err, ERR_CONFIG, "%s:%d: unknown key 'handlers.%s.%s'%s%s%s", at->where,
                   node->key_line, h->kind, node->key, nearest != NULL ? ", did you mean '" : "",
                   nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
}

static bool
check_handler(const struct place *at, const struct handler_conf *h, const struct yaml *node)
{
    struct stat st;

    if (h->argv == NULL)
        return wrong(at, node->key_line, h->kind, "'exec' is missing: which program runs it?");
    if (h->retry_first_ms > h->retry_max_ms)
        return wrong(at, node->key_line, h->kind, "'retry_first' is longer than 'retry_max'");
    if (h->workdir != NULL && at->look_for_programs &&
        (stat(h->workdir, &st) < 0 || !S_ISDIR(st.st_mode)))
        return wrong(at, yaml_member(node, "workdir")->line, h->kind, "'workdir' is not a folder");
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
        .timeout_ms = conf->timeout_ms,
        .retry_first_ms = capped ? conf->retry_max_ms : conf->retry_first_ms,
        .retry_max_ms = conf->retry_max_ms,
        .tempfail_max = conf->tempfail_max,
        .line = node->key_line,
    };
}

static bool
read_handler(const struct place *at, const struct yaml *node, struct handler_conf *ret)
{
    struct handler_conf h = handler_defaults(at->conf, node);

    if (node->key[0] == '\0' || strlen(node->key) > KIND_MAX_BYTES)
        return wrong(at, node->key_line, h.kind, "a kind has 1 to 100 bytes");
    if (node->shape != YAML_MAP)
        return wrong(at, node->line, h.kind, "must be a map with 'exec'");
    for (const struct yaml *m = node->first; m != NULL; m = m->next) {
        const struct option *o = option_find(handler_options, m->key);

        if (strcmp(m->key, "exec") == 0) {
            if (!read_exec(at, &h, m))
                return false;
        } else if (o == NULL) {
            return unknown_key(at, &h, m);
        } else if (!conf_set_from_yaml(o, &h, &at->conf->arena, m, at->where, at->err)) {
            return false;
        }
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
