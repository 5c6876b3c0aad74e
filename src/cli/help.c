#include "cli/help.h"

#include <string.h>

#include "cli/args.h"
#include "cli/cli.h"

static void
put_name(FILE *to, const struct command *c)
{
    fprintf(to, "%s", c->name);
    if (c->sub != NULL)
        fprintf(to, c->is_default ? " [%s]" : " %s", c->sub);
}

static void
put_synopsis(FILE *to, const struct command *c)
{
    fputs("pgcrew ", to);
    put_name(to, c);
    if (c->args[0] != '\0')
        fprintf(to, " %s", c->args);
    if (c->options != NULL)
        fputs(" [options]", to);
}

static void
put_option(FILE *to, const struct cli_option *o)
{
    char left[64];

    snprintf(left, sizeof(left), "--%s%s%s%s", o->name, o->value != NULL ? " " : "",
             o->value != NULL ? o->value : "", o->many ? "..." : "");
    if (o->letter != '\0')
        fprintf(to, "  -%c, %-20s  %s\n", o->letter, left, o->help);
    else
        fprintf(to, "      %-20s  %s\n", left, o->help);
}

static void
put_options(FILE *to, const char *head, const struct cli_option *options)
{
    if (options == NULL)
        return;
    fprintf(to, "\n%s\n", head);
    for (const struct cli_option *o = options; o->name != NULL; o++)
        put_option(to, o);
}

/* Examples and paragraphs are written without indent; they get one here. */
static void
put_indented(FILE *to, const char *text)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");

        fprintf(to, len > 0 ? "  %.*s\n" : "%.*s\n", (int)len, text);
        text += len;
        text += *text == '\n';
    }
}

void
help_usage(FILE *to, const struct command *c)
{
    fputs("usage: ", to);
    put_synopsis(to, c);
    fputc('\n', to);
}

static void
help_row(FILE *to, const struct command *c)
{
    help_usage(to, c);
    fprintf(to, "  %s\n", c->summary);
    put_options(to, "options:", c->options);
    if (c->more != NULL) {
        fputc('\n', to);
        put_indented(to, c->more);
    }
    fputs("\nexamples:\n", to);
    put_indented(to, c->examples);
}

void
help_command(FILE *to, const char *name, const char *sub)
{
    bool first = true;

    for (size_t i = 0; i < n_commands; i++) {
        const struct command *c = &commands[i];

        if (strcmp(c->name, name) != 0)
            continue;
        if (sub != NULL && c->sub != NULL && strcmp(c->sub, sub) != 0)
            continue;
        if (!first)
            fputs("\n\n", to);
        help_row(to, c);
        first = false;
    }
    put_options(to, "with every command:", global_options);
}

void
help_all(FILE *to)
{
    fputs("usage: pgcrew [options] COMMAND ...\n"
          "Background jobs in PostgreSQL: put jobs in, watch them, manage the daemon.\n\n"
          "commands:\n",
          to);
    for (size_t i = 0; i < n_commands; i++) {
        const struct command *c = &commands[i];
        char left[64];

        snprintf(left, sizeof(left), "%s%s%s%s%s", c->name, c->sub != NULL ? " " : "",
                 c->sub != NULL ? c->sub : "", c->args[0] != '\0' ? " " : "", c->args);
        fprintf(to, "  %-30s  %s\n", left, c->summary);
    }
    put_options(to, "options:", global_options);
    fputs(
        "\nexit status: 0 done, 1 not done, 2 wrong use, 69 database or daemon cannot be reached\n"
        "pgcrew help COMMAND shows options and examples; pgcrew(1) has it all.\n",
        to);
}
