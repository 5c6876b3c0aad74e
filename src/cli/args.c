#include "cli/args.h"

#include <stdlib.h>
#include <string.h>

#include "base/proc.h"
#include "base/text.h"

/* A word is worth suggesting when at most this many letters differ. */
#define NEAR 3

struct parser {
    struct arena *arena;
    char **argv;
    int argc, at;
    bool options_over; /* "--" was seen */
    struct args *args;
};

static bool
text_is(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* --- the tables ----------------------------------------------------------- */

const struct command *
command_find(const char *name, const char *sub)
{
    for (size_t i = 0; i < n_commands; i++) {
        const struct command *c = &commands[i];

        if (!text_is(c->name, name))
            continue;
        if (c->sub == NULL || text_is(c->sub, sub) || (sub == NULL && c->is_default))
            return c;
    }
    return NULL;
}

static bool
command_known(const char *name)
{
    for (size_t i = 0; i < n_commands; i++) {
        if (text_is(commands[i].name, name))
            return true;
    }
    return false;
}

struct nearest {
    const char *wanted;
    const char *best;
    size_t distance;
};

static void
nearest_try(struct nearest *n, const char *candidate)
{
    size_t distance = text_distance(n->wanted, candidate);

    if (distance < n->distance && distance < strlen(candidate)) {
        n->best = candidate;
        n->distance = distance;
    }
}

const char *
command_nearest(const char *name)
{
    struct nearest n = {.wanted = name, .distance = NEAR + 1};

    for (size_t i = 0; i < n_commands; i++)
        nearest_try(&n, commands[i].name);
    return n.best;
}

static const char *
sub_nearest(const char *name, const char *sub)
{
    struct nearest n = {.wanted = sub, .distance = NEAR + 1};

    for (size_t i = 0; i < n_commands; i++) {
        if (text_is(commands[i].name, name) && commands[i].sub != NULL)
            nearest_try(&n, commands[i].sub);
    }
    return n.best;
}

static const struct cli_option *
find_in(const struct cli_option *table, const char *name, size_t len, char letter)
{
    for (const struct cli_option *o = table; o != NULL && o->name != NULL; o++) {
        if (name != NULL ? strlen(o->name) == len && strncmp(o->name, name, len) == 0
                         : o->letter == letter)
            return o;
    }
    return NULL;
}

static const struct cli_option *
find_option(const struct command *c, const char *name, size_t len, char letter)
{
    const struct cli_option *o = find_in(global_options, name, len, letter);

    return o == NULL && c != NULL ? find_in(c->options, name, len, letter) : o;
}

static const char *
nearest_option(const struct command *c, const char *name)
{
    struct nearest n = {.wanted = name, .distance = NEAR + 1};

    for (const struct cli_option *o = global_options; o->name != NULL; o++)
        nearest_try(&n, o->name);
    for (const struct cli_option *o = c != NULL ? c->options : NULL; o != NULL && o->name != NULL;
         o++)
        nearest_try(&n, o->name);
    return n.best;
}

/* --- one word after the other ----------------------------------------------- */

static bool
is_option(const struct parser *p, const char *word)
{
    return !p->options_over && word[0] == '-' && word[1] != '\0';
}

static void
store(struct parser *p, const struct cli_option *option, char *value)
{
    if (option->is_secret && value != NULL) {
        char *copy = arena_strdup(p->arena, value);

        proc_hide_argument(value);
        value = copy;
    }
    p->args->given[p->args->n_given++] = (struct arg){option, value};
}

static bool
unknown_option(const struct parser *p, const char *word, struct err *err)
{
    const char *near = NULL;

    if (word[1] == '-') {
        size_t len = strcspn(word + 2, "=");
        const char *name = arena_memdup(p->arena, word + 2, len);

        near = nearest_option(p->args->command, name);
    }
    if (near != NULL)
        return err_set(err, ERR_CONFIG, "unknown option '%s': did you mean --%s?", word, near);
    return err_set(err, ERR_CONFIG, "unknown option '%s'", word);
}

/* The value is in the word itself, in the next one, or in all that follow. */
static bool
take_value(struct parser *p, const struct cli_option *o, char *inside, struct err *err)
{
    if (o->value == NULL) {
        if (inside != NULL)
            return err_set(err, ERR_CONFIG, "option --%s takes no value", o->name);
        store(p, o, NULL);
        return true;
    }
    if (inside != NULL) {
        store(p, o, inside);
        return true;
    }
    /* "-" and negative numbers are values, another option is not. */
    if (p->at >= p->argc || (strncmp(p->argv[p->at], "--", 2) == 0))
        return err_set(err, ERR_CONFIG, "option --%s needs a value: --%s %s", o->name, o->name,
                       o->value);
    store(p, o, p->argv[p->at++]);
    while (o->many && p->at < p->argc && !is_option(p, p->argv[p->at]))
        store(p, o, p->argv[p->at++]);
    return true;
}

/* False with err->class ERR_NONE: not known here, and nothing was taken. */
static bool
take_option(struct parser *p, struct err *err)
{
    char *word = p->argv[p->at];
    char *equals = strchr(word, '=');
    const struct cli_option *o;

    if (word[1] != '-') {
        o = word[2] == '\0' ? find_option(p->args->command, NULL, 0, word[1]) : NULL;
        equals = NULL;
    } else {
        size_t len = equals != NULL ? (size_t)(equals - word - 2) : strlen(word + 2);

        o = find_option(p->args->command, word + 2, len, '\0');
    }
    if (o == NULL)
        return false;
    p->at++;
    return take_value(p, o, equals != NULL ? equals + 1 : NULL, err);
}

/* Options up to the next word that is none; false at an error. */
static bool
skip_options(struct parser *p, bool must_know, struct err *err)
{
    while (p->at < p->argc) {
        const char *word = p->argv[p->at];

        if (!p->options_over && text_is(word, "--")) {
            p->options_over = true;
            p->at++;
        } else if (!is_option(p, word)) {
            break;
        } else if (!take_option(p, err)) {
            if (err->class != ERR_NONE)
                return false;
            return must_know ? unknown_option(p, word, err) : true;
        }
    }
    return true;
}

static bool
unknown_command(const char *name, struct err *err)
{
    const char *near = command_nearest(name);

    if (near != NULL)
        return err_set(err, ERR_CONFIG, "unknown command '%s': did you mean '%s'?", name, near);
    return err_set(err, ERR_CONFIG, "unknown command '%s'", name);
}

static bool
unknown_sub(const char *name, const char *sub, struct err *err)
{
    const char *near;

    if (sub == NULL)
        return err_set(err, ERR_CONFIG, "'%s' needs a second word", name);
    near = sub_nearest(name, sub);
    if (near != NULL)
        return err_set(err, ERR_CONFIG, "unknown command '%s %s': did you mean '%s %s'?", name, sub,
                       name, near);
    return err_set(err, ERR_CONFIG, "unknown command '%s %s'", name, sub);
}

/* The row of the table; its second word may follow global options. */
static bool
find_command(struct parser *p, struct err *err)
{
    const char *name = p->argv[p->at++], *sub = NULL;

    if (!command_known(name))
        return unknown_command(name, err);
    p->args->command = command_find(name, NULL);
    if (p->args->command != NULL && p->args->command->sub == NULL)
        return true;
    if (!skip_options(p, false, err))
        return false;
    if (p->at < p->argc && !is_option(p, p->argv[p->at])) {
        sub = p->argv[p->at];
        p->args->command = command_find(name, sub);
        if (p->args->command != NULL)
            p->at++;
    }
    if (p->args->command == NULL && !args_has(p->args, "help"))
        return unknown_sub(name, sub, err);
    if (p->args->command == NULL) /* help about all of them */
        p->args->words[p->args->n_words++] = name;
    return true;
}

static bool
check_words(const struct args *args, struct err *err)
{
    const struct command *c = args->command;
    size_t max = c->max_words < 0 ? SIZE_MAX : (size_t)c->max_words;

    if (args->n_words < (size_t)c->min_words)
        return err_set(err, ERR_CONFIG, "'%s%s%s' needs %s", c->name, c->sub != NULL ? " " : "",
                       c->sub != NULL ? c->sub : "", c->args);
    if (args->n_words > max)
        return err_set(err, ERR_CONFIG, "one word too many: '%s'", args->words[max]);
    return true;
}

bool
args_parse(struct arena *a, int argc, char **argv, struct args *args, struct err *err)
{
    struct parser p = {.arena = a, .argv = argv, .argc = argc, .at = 1, .args = args};

    *args = (struct args){.command = NULL};
    args->given = arena_alloc(a, (size_t)argc * sizeof(*args->given) + 1);
    args->words = arena_alloc(a, (size_t)argc * sizeof(*args->words) + 1);
    err_clear(err);
    if (!skip_options(&p, true, err))
        return false;
    if (p.at < p.argc && !find_command(&p, err))
        return false;
    while (p.at < p.argc) {
        if (!skip_options(&p, true, err))
            return args_has(args, "help");
        if (p.at < p.argc)
            args->words[args->n_words++] = argv[p.at++];
    }
    if (args->command == NULL || args_has(args, "help") || args_has(args, "version"))
        return true;
    return check_words(args, err);
}

/* --- what was given ---------------------------------------------------------- */

static void
must_exist(const struct args *args, const char *name)
{
    if (find_option(args->command, name, strlen(name), '\0') == NULL)
        abort();
}

const char *
args_value(const struct args *args, const char *name)
{
    must_exist(args, name);
    for (size_t i = args->n_given; i > 0; i--) {
        if (text_is(args->given[i - 1].option->name, name))
            return args->given[i - 1].value;
    }
    return NULL;
}

bool
args_has(const struct args *args, const char *name)
{
    must_exist(args, name);
    for (size_t i = 0; i < args->n_given; i++) {
        if (text_is(args->given[i].option->name, name))
            return true;
    }
    return false;
}

size_t
args_all(const struct args *args, const char *name, struct arena *a, const char *const **ret)
{
    const char **all = arena_alloc(a, (args->n_given + 1) * sizeof(*all));
    size_t n = 0;

    must_exist(args, name);
    for (size_t i = 0; i < args->n_given; i++) {
        if (text_is(args->given[i].option->name, name))
            all[n++] = args->given[i].value;
    }
    *ret = (const char *const *)all;
    return n;
}

bool
args_int(const struct args *args, const char *name, int64_t min, int64_t max, int64_t fallback,
         int64_t *ret, struct err *err)
{
    const char *value = args_value(args, name);
    int64_t number;

    if (value == NULL) {
        *ret = fallback;
        return true;
    }
    if (!text_to_int(value, &number) || number < min || number > max)
        return err_set(err, ERR_CONFIG, "--%s must be a whole number from %lld to %lld, not '%s'",
                       name, (long long)min, (long long)max, value);
    *ret = number;
    return true;
}
