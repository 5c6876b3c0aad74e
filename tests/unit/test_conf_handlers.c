/* The handlers: which program, on what terms, and what is refused. */
#include "config/conf.h"

#include "conf_file.h"
#include "tap.h"

static void
test_read(void)
{
    struct err err;
    const struct handler_conf *h;
    struct conf *c;

    conf_write("tool", "#!/bin/sh\n", 0755);
    setenv("COLOUR", "red", 1);
    setenv("UNWANTED", "x", 1);
    c = conf_from("handlers:\n"
                  "  '*': {exec: sh}\n"
                  "  mail:\n"
                  "    exec: [./tool, --fast, '']\n"
                  "    timeout: 90s\n"
                  "    env: [SIZE=2, COLOUR, MISSING, PATH=/x]\n"
                  "    nice: 5\n"
                  "    workdir: /tmp\n"
                  "  audio: {exec: /bin/sh, retry_first: 1s, retry_max: 2s, tempfail_max: 3}\n",
                  &err);
    ok(c != NULL, "handlers are read (%s)", err.text);
    is_int(c->n_handlers, 3, "all of them");
    is_int(c->kinds.n, 2, "two kinds are named");
    is_str(c->kinds.items[0], "audio", "sorted");
    ok(c->any_kind, "and one takes the rest");

    h = conf_handler(c, "mail");
    is_str(h->kind, "mail", "a handler is found by its kind");
    has_str(h->program, "/tool", "a program with a slash is beside the file");
    is_int(h->program[0], '/', "by its absolute path");
    is_str(h->argv[0], "./tool", "its name is kept as written");
    is_str(h->argv[2], "", "an empty argument is one");
    is_str(h->argv[3], NULL, "then come no more");
    is_int(h->timeout_ms, 90000, "it has its own timeout");
    is_int(h->retry_max_ms, 3600000, "and the general retry.max");
    is_int(h->nice, 5, "and a nice value");
    is_str(h->workdir, "/tmp", "and a folder");
    is_str(h->envp[0], "PATH=/x", "its own value wins over handler.env");
    is_str(h->envp[1], "SIZE=2", "a value as written");
    is_str(h->envp[2], "COLOUR=red", "a value looked up");
    is_str(h->envp[3], NULL, "nothing for what is not set, nothing unasked");

    h = conf_handler(c, "audio");
    is_int(h->retry_first_ms, 1000, "retry settings of its own");
    is_int(h->tempfail_max, 3, "tempfails of its own");
    h = conf_handler(c, "never heard of");
    is_str(h->kind, "*", "any other kind is taken by *");
    has_str(h->program, "/sh", "a bare name is looked for in PATH");
    conf_free(c);

    c = conf_from("handlers: {mail: {exec: /bin/sh}}\n", &err);
    ok(conf_handler(c, "other") == NULL, "without * there is nobody for another kind");
    ok(!c->any_kind, "and that is known");
    conf_free(c);
    is_str(conf_error("handlers:\n"), "(accepted)", "no handlers at all are fine");
}

static const char *
exec_error(const char *exec)
{
    char text[256];

    snprintf(text, sizeof(text), "handlers:\n  mail:\n    nice: 0\n    exec: %s\n", exec);
    return conf_error(text);
}

static void
test_program(void)
{
    conf_write("data.txt", "hello\n", 0644);
    is_str(exec_error("/no/such/program"),
           "pgcrew.yaml:4: handler 'mail': program '/no/such/program' does not exist",
           "a missing program");
    is_str(exec_error("no-such-program"),
           "pgcrew.yaml:4: handler 'mail': program 'no-such-program' is not in PATH",
           "a program nowhere in PATH");
    is_str(exec_error("/tmp"), "pgcrew.yaml:4: handler 'mail': program '/tmp' is a directory",
           "a directory");
    has_str(exec_error("./data.txt"), "/data.txt' is not executable", "a file nobody may run");
    is_str(exec_error("/dev/null"),
           "pgcrew.yaml:4: handler 'mail': program '/dev/null' is not a program", "a device");
    is_str(exec_error("[]"), "pgcrew.yaml:4: handler 'mail': 'exec' names no program",
           "an empty list");
    is_str(exec_error("[sh, {a: b}]"),
           "pgcrew.yaml:4: handler 'mail': 'exec' must be a program or a list of texts",
           "an argument that is a map");
    is_str(exec_error("{a: b}"),
           "pgcrew.yaml:4: handler 'mail': 'exec' must be a program or a list of texts", "a map");
    is_str(exec_error(""),
           "pgcrew.yaml:4: handler 'mail': 'exec' must be a program or a list of texts", "nothing");
}

static void
test_refused(void)
{
    is_str(
        conf_error("handlers:\n  mail:\n    timeout: 5s\n"),
        "pgcrew.yaml:2: handler 'mail': what runs it is missing: 'exec', 'serve', 'module', 'sql' or 'http'",
        "no program at all");
    is_str(conf_error("handlers:\n  mail:\n    exec: sh\n    timeuot: 5s\n"),
           "pgcrew.yaml:4: unknown key 'handlers.mail.timeuot', did you mean 'timeout'?",
           "a mistyped key");
    is_str(conf_error("handlers:\n  mail:\n    exce: sh\n"),
           "pgcrew.yaml:3: unknown key 'handlers.mail.exce', did you mean 'exec'?",
           "a mistyped exec");
    is_str(conf_error("handlers:\n  mail:\n    exec: sh\n    nice: 20\n"),
           "pgcrew.yaml:4: 'nice' must be a whole number from 0 to 19, not '20'",
           "a value out of range");
    has_str(conf_error("handlers:\n  mail:\n    exec: sh\n    env: [PGCREW_JOB_ID=1]\n"),
            "pgcrew.yaml:4: 'env' must be a list", "a variable that is ours");
    has_str(conf_error("handlers:\n  mail:\n    exec: sh\n    workdir: /no/such\n"),
            "pgcrew.yaml:4: handler 'mail': 'workdir' is not a folder", "a missing folder");
    is_str(conf_error("handlers:\n  mail: {exec: sh, retry_first: 2h}\n"),
           "pgcrew.yaml:2: handler 'mail': 'retry_first' is longer than 'retry_max'",
           "retries that do not fit together");
    is_str(
        conf_error("handlers:\n  mail: sh\n"),
        "pgcrew.yaml:2: handler 'mail': must be a map with 'exec', 'serve', 'module', 'sql' or 'http'",
        "a handler that is no map");
    is_str(conf_error("handlers: [mail]\n"), "pgcrew.yaml:1: 'handlers' must be a map of kinds",
           "handlers that are no map");
    is_str(conf_error("handlers:\n  mail: {exec: sh}\n  mail: {exec: sh}\n"),
           "pgcrew.yaml:3: 'mail' was given on line 2 already", "a kind twice");
    has_str(conf_error("handlers:\n  '': {exec: sh}\n"), "a kind has 1 to 100 bytes",
            "a kind without a name");
}

static void
test_ways(void)
{
    const struct handler_conf *h;
    struct conf *c;
    struct err err;

    c = conf_from("handler.memory: 64MiB\n"
                  "handlers:\n"
                  "  a: {serve: [/bin/sh, -c, x], programs: 3, in_flight: 4, memory: 0}\n"
                  "  b: {module: /bin/sh, function: run}\n"
                  "  c: {sql: app.send, role: app}\n"
                  "  d: {http: 'https://example.com/', headers: ['X-Key: ${env:KEY}'], slots: 50}\n"
                  "  e: {exec: /bin/sh}\n",
                  &err);
    if (!ok(c != NULL, "all five ways are read (%s)", err.text))
        return;
    h = conf_handler(c, "a");
    is_int(h->way, CONF_SERVE, "a program for many jobs");
    is_int(h->programs, 3, "with its own options");
    is_int(h->answer_ms, 10000, "and the defaults of the others");
    is_int(h->memory, 0, "a limit of its own");
    is_int(conf_handler(c, "b")->way, CONF_MODULE, "a module");
    is_str(conf_handler(c, "c")->sql, "app.send", "a function of the database");
    is_str(conf_handler(c, "d")->headers.items[0], "X-Key: ${env:KEY}", "a request");
    is_int(conf_handler(c, "d")->response_max, 1048576, "sizes have defaults, too");
    is_int(conf_handler(c, "e")->memory, 64 << 20,
           "what is not said comes from the general option");
    conf_free(c);
}

static void
test_ways_refused(void)
{
    is_str(conf_error("handlers:\n  mail:\n    exec: sh\n    sql: a.b\n"),
           "pgcrew.yaml:4: handler 'mail': 'exec' and 'sql': a kind is run in one way only",
           "two ways at once");
    is_str(conf_error("handlers:\n  mail:\n    sql: a.b\n    nice: 1\n"),
           "pgcrew.yaml:4: handler 'mail': 'nice' is not for 'sql'", "an option of another way");
    has_str(conf_error("handlers:\n  mail: {module: /no/such.so}\n"),
            "module '/no/such.so' cannot be read: No such file", "a module that is missing");
    has_str(conf_error("handlers:\n  mail: {sql: send}\n"), "a function with its schema",
            "a function without its schema");
    has_str(conf_error("handlers:\n  mail: {sql: 'a.b(); drop'}\n"), "a function with its schema",
            "what is not a name");
    has_str(conf_error("handlers:\n  mail: {sql: a.b, role: x, as_owner: yes}\n"),
            "exclude each other", "a role and the owner");
}

static void
test_http(void)
{
    has_str(conf_error("handlers:\n  mail: {http: 'ftp://x'}\n"), "a URL", "what is not http");
    has_str(conf_error("handlers:\n  mail: {http: 'http://x', headers: ['Host: x']}\n"),
            "Name: value", "a header that is ours");
    has_str(conf_error("handlers:\n  mail: {http: 'http://x', headers: ['pgcrew-kind: x']}\n"),
            "Name: value", "a fact of the job");
    has_str(conf_error("handlers:\n  mail: {http: 'http://x', headers: ['X: ${KEY}']}\n"),
            "${env:NAME}", "a reference without a place");
    has_str(conf_error("handlers:\n  mail: {http: 'http://x', headers: ['X: ${env:KEY']}\n"),
            "${env:NAME}", "a reference that does not end");
    has_str(conf_error("handlers:\n  mail: {http: 'http://x', headers: [\"X: a\\r\\nY: b\"]}\n"),
            "Name: value", "a header that makes another");
    has_str(conf_error("handlers:\n  mail: {http: 'http://u:planted@x/'}\n"),
            "without a user or password", "a password in a URL");
    ok(strstr(conf_error("handlers:\n  mail: {http: 'http://u:planted@x/'}\n"), "planted") == NULL,
       "which is not repeated");
    ok(strstr(conf_error("handlers:\n  mail: {http: 'http://x', sign: planted}\n"), "planted") ==
           NULL,
       "nor is a secret where its reference should be");
    is_str(conf_error("handlers:\n  mail: {http: 'http://x/a@b?c@d'}\n"), "(accepted)",
           "an @ elsewhere is fine");
    has_str(conf_error("handlers:\n  mail: {http: 'http:///x'}\n"), "a URL", "no host");
    has_str(conf_error("handlers:\n  mail: {http: 'http://x', sign: secret}\n"),
            "a reference to a secret", "a secret in the file");
}

static void
test_for_tool(void)
{
    struct conf_source from = {.flags = CONF_FOR_TOOL};
    struct conf *c = NULL;
    struct err err;

    from.path =
        conf_write("pgcrew.yaml", "handlers: {mail: {exec: /no/such, workdir: /no}}\n", 0644);
    ok(conf_load(&from, &c, &err), "the tool does not need the programs");
    conf_free(c);
}

int
main(void)
{
    conf_dir_make();
    test_read();
    test_program();
    test_refused();
    test_ways();
    test_ways_refused();
    test_http();
    test_for_tool();
    return done_testing();
}
