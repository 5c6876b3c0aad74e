/* The command line of the tool, against its real table.  A line is a word. */
#include "fuzz.h"

#include "cli/args.h"

/* The table is where main() is. */
int pgcrew_main(int argc, char **argv);
#define main pgcrew_main
#include "../../src/pgcrew.c"
#undef main

#define WORDS 32

static void
look(const struct args *args, struct arena *a, const char *word)
{
    const struct cli_option *o = args->command != NULL ? args->command->options : NULL;
    const char *const *all;
    struct err err = {0};
    int64_t number = -1;

    for (size_t i = 0; i < args->n_given; i++)
        must((args->given[i].option->value != NULL) == (args->given[i].value != NULL));
    for (; o != NULL && o->name != NULL; o++) {
        must(args_has(args, o->name) == (args_all(args, o->name, a, &all) > 0));
        if (o->value == NULL || !args_has(args, o->name))
            continue;
        must(args_value(args, o->name) == all[args_all(args, o->name, a, &all) - 1]);
        if (args_int(args, o->name, 0, 9, 5, &number, &err))
            must(number >= 0 && number <= 9);
        else
            must_say(&err);
    }
    must(args->n_words == 0 || args->words[0] != NULL);
    (void)command_nearest(word);
}

static void
fuzz(const char *data, size_t len)
{
    struct input in = {data, len};
    char *argv[WORDS + 1] = {xstrndup("pgcrew", 6)};
    struct args args;
    struct err err = {0};
    struct arena a;
    int argc = 1;

    while (in.left > 0 && argc < WORDS)
        argv[argc++] = take_line(&in);
    arena_init(&a);
    if (args_parse(&a, argc, argv, &args, &err))
        look(&args, &a, argv[argc - 1]);
    else
        must_say(&err);
    must(args.n_words < WORDS && args.n_given < WORDS);
    arena_release(&a);
    for (int i = 0; i < argc; i++)
        free(argv[i]);
}
