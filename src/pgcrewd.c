/*
 * The daemon: options, the configuration, then the supervisor.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/text.h"
#include "config/conf.h"
#include "dashboard/dashboard.h"
#include "db/target.h"
#include "gateway/gateway.h"
#include "handler/handler.h"
#include "janitor/janitor.h"
#include "supervisor/supervisor.h"
#include "worker/worker.h"

#define EXIT_WRONG_USE 2
#define EXIT_CONFIG 78
#define OVERRIDES_MAX 256

enum what { RUN, CHECK, SHOW_CONFIG, SHOW_VERSION, SHOW_HELP };

struct command_line {
    enum what what;
    const char *path;
    const char *overrides[OVERRIDES_MAX + 1];
    size_t n_overrides;
};

/* Adding an option?  Entry in pgcrewd.8. */
/* clang-format off */
static const struct {
    struct option word;
    const char *value; /* NULL: takes none */
    const char *help;
} table[] = {
    {{"config",      required_argument, NULL, 'c'}, "FILE",
     "read this file instead of " PGCREW_CONF_FILE},
    {{"option",      required_argument, NULL, 'o'}, "NAME=VALUE",
     "an option of the file, for this time, as in -o worker.count=2"},
    {{"check",       no_argument,       NULL, 'C'}, NULL,
     "check the configuration and exit; status 78 when it is wrong"},
    {{"show-config", no_argument,       NULL, 'S'}, NULL,
     "print the whole configuration as it would be used, without secrets"},
    {{"version",     no_argument,       NULL, 'V'}, NULL, "print the version"},
    {{"help",        no_argument,       NULL, 'h'}, NULL, "print this"},
};
/* clang-format on */

/* Letters that stand for options on the command line; the others only are values of getopt. */
static bool
has_letter(int letter)
{
    return letter != 'C' && letter != 'S';
}

static void
print_help(void)
{
    puts("Usage: pgcrewd [OPTION]...\n"
         "Work off the jobs that wait in a PostgreSQL database.\n");
    for (size_t i = 0; i < LENGTH(table); i++) {
        const struct option *word = &table[i].word;
        char left[64];

        snprintf(left, sizeof(left), "%c%c%s --%s%s%s", has_letter(word->val) ? '-' : ' ',
                 has_letter(word->val) ? word->val : ' ', has_letter(word->val) ? "," : " ",
                 word->name, table[i].value != NULL ? " " : "",
                 table[i].value != NULL ? table[i].value : "");
        printf("  %-26s %s\n", left, table[i].help);
    }
    puts("\nIt stays in the foreground and logs to standard error. See pgcrewd(8).");
}

static const char *
take_override(char *text)
{
    char *copy;

    if (!conf_is_secret(text))
        return text;
    copy = xstrdup(text); /* never freed: a reload reads it again */
    proc_hide_argument(strchr(text, '=') + 1);
    return copy;
}

static bool
take_option(struct command_line *line, int letter)
{
    switch (letter) {
    case 'c':
        line->path = optarg;
        return true;
    case 'o':
        if (line->n_overrides == OVERRIDES_MAX) {
            fprintf(stderr, "pgcrewd: more than %d times -o\n", OVERRIDES_MAX);
            return false;
        }
        line->overrides[line->n_overrides++] = take_override(optarg);
        return true;
    case 'C':
        line->what = CHECK;
        return true;
    case 'S':
        line->what = SHOW_CONFIG;
        return true;
    case 'V':
        line->what = SHOW_VERSION;
        return true;
    case 'h':
        line->what = SHOW_HELP;
        return true;
    default:
        return false; /* getopt has said it */
    }
}

static bool
read_command_line(int argc, char **argv, struct command_line *line)
{
    struct option words[LENGTH(table) + 1] = {{0}};
    int letter;

    for (size_t i = 0; i < LENGTH(table); i++)
        words[i] = table[i].word;
    while ((letter = getopt_long(argc, argv, "c:o:Vh", words, NULL)) != -1) {
        if (!take_option(line, letter))
            return false;
    }
    if (optind < argc) {
        fprintf(stderr, "pgcrewd: '%s' is no option, and nothing else is expected\n", argv[optind]);
        return false;
    }
    return true;
}

/* With 0, 1 or 2 closed, a socket would get that number and our log would go into it. */
static bool
fill_standard_fds(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
    return fd >= 0;
}

/* What the children would find out later, each for itself. */
static bool
is_database_url(const char *option, const char *url, struct err *err)
{
    struct target target;
    bool good = target_init(&target, url, "", 1000, err);

    target_release(&target);
    return good || err_before(err, "%s", option);
}

static bool
are_database_urls(const struct conf *conf, struct err *err)
{
    return is_database_url("database.url", conf->db_url, err) &&
           (conf->gateway_url == NULL ||
            is_database_url("gateway.database_url", conf->gateway_url, err));
}

/* It may repeat words of a file. */
static int
refuse(const struct err *err)
{
    char text[sizeof(err->text) * 4];

    text_printable(text, sizeof(text), err->text, strlen(err->text));
    fprintf(stderr, "pgcrewd: %s\n", text);
    return EXIT_CONFIG;
}

/* Handlers would be root too, and a mistake in one of them anybody's. */
static bool
may_run(const struct conf *conf, struct err *err)
{
    if (geteuid() != 0 || conf->allow_root == CONF_YES)
        return true;
    return err_set(err, ERR_CONFIG,
                   "this is root, and so would be the handlers: start it as another user, or set "
                   "'allow_root: yes' (pgcrewd(8), SECURITY)");
}

static int
run(const struct supervisor_plan *plan)
{
    if (plan->conf->doubt != NULL)
        log_warn("%s", plan->conf->doubt);
    return supervisor_main(plan);
}

static int
run_with_config(const struct command_line *line)
{
    struct supervisor_plan plan = {
        .source = {.path = line->path, .overrides = line->overrides},
        .worker_main = worker_main,
        .janitor_main = janitor_main,
        .gateway_main = gateway_main,
        .dashboard_main = dashboard_main,
    };
    AUTO(buf) struct buf text = {0};
    struct err err = {0};

    if (!conf_load(&plan.source, &plan.conf, &err) || !are_database_urls(plan.conf, &err) ||
        (line->what == CHECK && !handler_check(plan.conf, &err)) ||
        (line->what == RUN && !may_run(plan.conf, &err))) {
        conf_free(plan.conf);
        return refuse(&err);
    }
    if (line->what == RUN)
        return run(&plan);
    if (line->what == SHOW_CONFIG)
        conf_show(plan.conf, &text);
    else
        buf_add_text(&text, "configuration is fine\n");
    fputs(buf_text(&text), stdout);
    conf_free(plan.conf);
    return fflush(stdout) == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
    struct command_line line = {.what = RUN};

    proc_hide();          /* our memory has passwords, and handlers may run as our user */
    proc_reset_signals(); /* whoever started us may have blocked them, and we would be deaf */
    if (!fill_standard_fds())
        return 1;
    fault_list();
    proc_title_init(argc, argv);
    if (!read_command_line(argc, argv, &line)) {
        fputs("Try 'pgcrewd --help'.\n", stderr);
        return EXIT_WRONG_USE;
    }
    switch (line.what) {
    case SHOW_HELP:
        print_help();
        return 0;
    case SHOW_VERSION:
        puts("pgcrewd " PACKAGE_VERSION);
        return 0;
    case RUN:
    case CHECK:
    case SHOW_CONFIG:
        break;
    }
    return run_with_config(&line);
}
