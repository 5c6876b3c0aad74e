/* The command line, against a table of its own. */
#include "cli/args.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

static enum cli_exit
nothing(struct cli *cli, const struct args *args)
{
    (void)cli;
    (void)args;
    return CLI_DONE;
}

const struct cli_option global_options[] = {
    {.name = "json"},
    {.name = "socket", .value = "PATH"},
    {.name = "help", .letter = 'h'},
    {.name = "version"},
    {.name = NULL},
};
static const struct cli_option put_options[] = {
    {.name = "file", .value = "FILE", .many = true},
    {.name = "queue", .value = "NAME"},
    {.name = "null", .letter = '0'},
    {.name = NULL},
};
const struct command commands[] = {
    {"put", NULL, false, "KIND [PAYLOAD]", 1, 2, "", nothing, put_options, NULL, ""},
    {"batch", "show", false, "ID", 1, 1, "", nothing, NULL, NULL, ""},
    {"batch", "new", false, "", 0, 0, "", nothing, NULL, NULL, ""},
    {"migrate", "up", true, "", 0, 0, "", nothing, NULL, NULL, ""},
    {"migrate", "print", false, "", 0, 0, "", nothing, NULL, NULL, ""},
};
const size_t n_commands = LENGTH(commands);

static struct arena arena;
static struct args args;
static struct err err;

/* Words by blanks; the line lives as long as the arena. */
static bool
parse(const char *line)
{
    char *copy = arena_strdup(&arena, line), *word;
    char **argv = arena_alloc(&arena, 64 * sizeof(*argv));
    int argc = 0;

    while ((word = strsep(&copy, " ")) != NULL)
        argv[argc++] = word;
    return args_parse(&arena, argc, argv, &args, &err);
}

static void
good_lines(void)
{
    const char *const *files;

    ok(parse("pgcrew --json put mail {} --queue=slow"), "options stand before and after");
    ok(args_has(&args, "json") && !args_has(&args, "null"), "a switch is on or off");
    is_str(args_value(&args, "queue"), "slow", "a value after =");
    is_int(args.n_words, 2, "what is no option is a word");
    is_str(args.words[1], "{}", "in order");

    ok(parse("pgcrew put mail - -0 --queue a --queue b"), "- is a word, -0 an option");
    is_str(args.words[1], "-", "the word");
    is_str(args_value(&args, "queue"), "b", "the last value counts");

    ok(parse("pgcrew put mail --file a b c --queue q --file d"), "many values");
    is_int(args_all(&args, "file", &arena, &files), 4, "up to the next option, and again");
    is_str(files[3], "d", "the last of them");

    ok(parse("pgcrew put mail -- --queue"), "after -- all are words");
    is_str(args.words[1], "--queue", "even this one");

    ok(parse("pgcrew batch --json show 1"), "a global option between the two words of a command");
    is_str(args.command->sub, "show", "is no obstacle");
    ok(parse("pgcrew migrate") && strcmp(args.command->sub, "up") == 0, "a second word of its own");
    ok(parse("pgcrew migrate print") && strcmp(args.command->sub, "print") == 0,
       "or the given one");
    ok(parse("pgcrew") && args.command == NULL, "no command at all is the caller's business");
    ok(parse("pgcrew batch --help") && args_has(&args, "help"), "help needs no second word");
    ok(parse("pgcrew put --help --nonsense"), "after --help nothing is checked");
}

static void
bad_lines(void)
{
    static const char *const lines[][2] = {
        {"pgcrew pu mail", "did you mean 'put'"},
        {"pgcrew nonsense", "unknown command 'nonsense'"},
        {"pgcrew batch shwo 1", "did you mean 'batch show'"},
        {"pgcrew batch", "needs a second word"},
        {"pgcrew put mail --quue x", "did you mean --queue"},
        {"pgcrew put mail --xylophone", "unknown option '--xylophone'"},
        {"pgcrew put mail -x", "unknown option '-x'"},
        {"pgcrew put mail --queue", "--queue needs a value"},
        {"pgcrew put mail --queue --json", "--queue needs a value"},
        {"pgcrew put mail --null=1", "--null takes no value"},
        {"pgcrew put", "needs KIND"},
        {"pgcrew put mail {} more", "one word too many: 'more'"},
        {"pgcrew batch new 1", "one word too many: '1'"},
        {"pgcrew --queue x put", "unknown option '--queue'"},
    };

    for (size_t i = 0; i < LENGTH(lines); i++) {
        ok(!parse(lines[i][0]), "wrong: %s", lines[i][0]);
        has_str(err.text, lines[i][1], "and it says so");
    }
}

static void
numbers(void)
{
    int64_t n = -1;

    ok(parse("pgcrew put mail --queue 7") && args_int(&args, "queue", 0, 9, 5, &n, &err),
       "a number");
    is_int(n, 7, "is read");
    ok(parse("pgcrew put mail") && args_int(&args, "queue", 0, 9, 5, &n, &err) && n == 5,
       "or the default is taken");
    ok(parse("pgcrew put mail --queue 10") && !args_int(&args, "queue", 0, 9, 5, &n, &err),
       "one out of range is refused");
    has_str(err.text, "from 0 to 9, not '10'", "with the range");
    ok(parse("pgcrew put mail --queue 7x") && !args_int(&args, "queue", 0, 9, 5, &n, &err),
       "so is one with more behind it");
}

/* Asking for an option that no table has is a mistake of ours. */
static void
unknown_name(void)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        bool there = parse("pgcrew put mail") && args_has(&args, "qeueue");

        _exit(there);
    }
    ok(pid > 0 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) &&
           WTERMSIG(status) == SIGABRT,
       "asking for an option that does not exist aborts");
}

int
main(void)
{
    arena_init(&arena);
    good_lines();
    bad_lines();
    numbers();
    unknown_name();
    arena_release(&arena);
    return done_testing();
}
