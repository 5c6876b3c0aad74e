/* Values: where they come from, what is refused and how it is said. */
#include "config/conf.h"

#include "conf_file.h"
#include "tap.h"

static void
test_defaults(void)
{
    struct err err;
    struct conf *c = conf_from("", &err);

    ok(c != NULL, "an empty file is fine (%s)", err.text);
    is_int(c->poll_ms, 2000, "jobs are looked for every 2 s");
    is_int(c->lease_ms, 30000, "a lease is 30 s");
    is_int(c->result_max, 1 << 20, "results have at most 1 MiB");
    ok(c->workers >= 1 && c->workers <= 8, "0 workers are counted: %d", c->workers);
    ok(c->name != NULL && c->name[0] != '\0', "the host has a name: %s", c->name);
    is_int(c->queues.n, 1, "there is one queue");
    is_str(c->queues.items[0], "default", "it is called default");
    is_str(c->db_url, NULL, "no database is libpq's business");
    is_int(c->db_listen, CONF_LISTEN_AUTO, "listen where it works");
    is_int(c->log_level, LOG_LEVEL_INFO, "log what happens to processes");
    is_int(c->n_handlers, 0, "there are no handlers");
    conf_free(c);
}

static void
test_shapes(void)
{
    struct err err;
    struct conf *c = conf_from("queue:\n"
                               "  names: [slow, 'a b', default]\n"
                               "  poll_interval: 250ms\n"
                               "worker.count: 3\n"
                               "limits: {result: 64KiB, log_line: 1000}\n"
                               "database: {listen: off}\n"
                               "control:\n"
                               "log:\n"
                               "  level: debug\n",
                               &err);

    ok(c != NULL, "sections, dots and flow maps are understood (%s)", err.text);
    is_int(c->queues.n, 3, "a list has its items");
    is_str(c->queues.items[1], "a b", "in their order");
    is_str(c->queues.items[3], NULL, "and a NULL behind");
    is_int(c->poll_ms, 250, "a time has a unit");
    is_int(c->workers, 3, "a dotted name is the same option");
    is_int(c->result_max, 65536, "a size has a unit");
    is_int(c->log_line_max, 1000, "or is in bytes");
    is_int(c->db_listen, CONF_LISTEN_OFF, "a choice");
    is_int(c->log_level, LOG_LEVEL_DEBUG, "another choice");
    conf_free(c);
}

static void
test_refused(void)
{
    is_str(conf_error("# one\n\nworker:\n  cuont: 2\n"),
           "pgcrew.yaml:4: unknown key 'worker.cuont', did you mean 'worker.count'?",
           "a mistyped option is named with its line and the nearest one");
    is_str(conf_error("poll_interval: 2s\n"),
           "pgcrew.yaml:1: unknown key 'poll_interval', did you mean 'queue.poll_interval'?",
           "an option without its section");
    is_str(conf_error("wroker: {count: 2}\n"),
           "pgcrew.yaml:1: unknown key 'wroker', did you mean 'worker'?", "a mistyped section");
    is_str(conf_error("handelrs: {}\n"),
           "pgcrew.yaml:1: unknown key 'handelrs', did you mean 'handlers'?",
           "a mistyped handlers");
    is_str(conf_error("weather: nice\n"), "pgcrew.yaml:1: unknown key 'weather'",
           "nothing near is suggested for nonsense");
    is_str(conf_error("worker:\n  count: many\n"),
           "pgcrew.yaml:2: 'worker.count' must be a whole number from 0 to 1024, not 'many'",
           "a wrong type");
    is_str(conf_error("worker:\n  count: 1025\n"),
           "pgcrew.yaml:2: 'worker.count' must be a whole number from 0 to 1024, not '1025'",
           "a number out of range");
    is_str(conf_error("worker: {count: -1}\n"),
           "pgcrew.yaml:1: 'worker.count' must be a whole number from 0 to 1024, not '-1'",
           "a negative number");
    is_str(conf_error("worker: {count: 99999999999999999999}\n"),
           "pgcrew.yaml:1: 'worker.count' must be a whole number from 0 to 1024, not "
           "'99999999999999999999'",
           "a number that fits nowhere");
    is_str(conf_error("queue:\n  lease: 30\n"),
           "pgcrew.yaml:2: 'queue.lease' must be a time from 1s to 1h, with a unit (ms, s, min, "
           "h, d), not '30'",
           "a time without unit");
    is_str(conf_error("limits:\n  result: 65MiB\n"),
           "pgcrew.yaml:2: 'limits.result' must be a size from 0 to 64MiB, not '65MiB'",
           "a size out of range");
    is_str(conf_error("log:\n  level: loud\n"),
           "pgcrew.yaml:2: 'log.level' must be error, warn, info or debug, not 'loud'",
           "no such choice");
    is_str(conf_error("queue:\n  lease:\n"), "pgcrew.yaml:2: 'queue.lease' has no value",
           "a key without value");
    is_str(conf_error("queue:\n  lease: [1s]\n"),
           "pgcrew.yaml:2: 'queue.lease' must be a time from 1s to 1h, with a unit (ms, s, min, "
           "h, d), not 'a list'",
           "a list where a time belongs");
    has_str(conf_error("queue:\n  lease: {a: 1}\n"), "not 'a map'", "a map where a time belongs");
    has_str(conf_error("queue:\n  names: []\n"), "not 'nothing'", "no queue at all");
    has_str(conf_error("queue:\n  names: [a, b, a]\n"), "each once, not 'a'", "a queue twice");
    is_str(conf_error("queue: 5\n"), "pgcrew.yaml:1: 'queue' must be a map of options",
           "a number where a section belongs");
    is_str(conf_error("queue.lease: 5s\nqueue:\n  lease: 6s\n"),
           "pgcrew.yaml:3: 'queue.lease' was given on line 1 already",
           "one option written in both ways");
    has_str(conf_error("control:\n  socket: here.sock\n"), "must be an absolute path",
            "a relative socket path");
    has_str(conf_error("database:\n  role: \"a\\x1b[31m\"\n"), "not 'a\\x1b[31m'",
            "control characters are neither taken nor printed");
    is_str(conf_error("retry: {first: 2h}\n"),
           "pgcrew.yaml: 'retry.first' (2h) is longer than 'retry.max' (1h)",
           "values that do not fit together");
}

static void
test_secret(void)
{
    struct err err;
    AUTO(buf) struct buf shown = {.data = NULL};
    struct conf *c = conf_from("database: {url: 'postgresql://u:hunter2@h/d'}\n", &err);

    is_str(c->db_url, "postgresql://u:hunter2@h/d", "the URL is known");
    conf_show(c, &shown);
    ok(strstr(buf_text(&shown), "hunter2") == NULL, "and not shown");
    has_str(buf_text(&shown), "# url: ****", "but that there is one");
    conf_free(c);
    ok(strstr(conf_error("database: {url: \"hunter2\\n\"}\n"), "hunter2") == NULL,
       "not even when it is wrong");
}

static void
test_environment(void)
{
    struct err err;
    struct conf *c;

    setenv("PGCREW_QUEUE_NAMES", "a, b", 1);
    setenv("PGCREW_QUEUE_LEASE", "", 1);
    setenv("WORKER_ID", "box-7", 1);
    setenv("SUPABASE_DB_URL", "postgresql://supabase", 1);
    c = conf_from("queue: {names: [x], lease: 9s}\nname: file\n", &err);
    ok(c != NULL, "the environment is read (%s)", err.text);
    is_int(c->queues.n, 2, "it is stronger than the file");
    is_str(c->queues.items[1], "b", "lists have commas there");
    is_int(c->lease_ms, 9000, "an empty variable is none");
    is_str(c->name, "box-7", "WORKER_ID is the name");
    is_str(c->db_url, "postgresql://supabase", "SUPABASE_DB_URL is the database");
    conf_free(c);

    setenv("DATABASE_URL", "postgresql://general", 1);
    c = conf_from("", &err);
    is_str(c->db_url, "postgresql://general", "DATABASE_URL is stronger");
    conf_free(c);
    setenv("PGCREW_DATABASE_URL", "postgresql://ours", 1);
    c = conf_from("", &err);
    is_str(c->db_url, "postgresql://ours", "our own is the strongest");
    conf_free(c);

    setenv("PGCREW_WORKER_COUNT", "two", 1);
    is_str(conf_error(""),
           "environment variable PGCREW_WORKER_COUNT: 'worker.count' must be a whole number from "
           "0 to 1024, not 'two'",
           "a bad value names its variable");
    clearenv();
    setenv("PATH", "/usr/bin:/bin", 1);
}

static void
test_api_key(void)
{
    setenv("SUPABASE_SERVICE_ROLE_KEY", "eyJhbGciOi", 1);
    has_str(conf_error(""), "is an API key; PostgreSQL wants a role and password",
            "an API key alone is no way to PostgreSQL");
    ok(strstr(conf_error(""), "eyJ") == NULL, "and is not repeated");
    is_str(conf_error("database: {url: x}\n"), "(accepted)", "with a URL it is fine");
    setenv("PGHOST", "/tmp", 1);
    is_str(conf_error(""), "(accepted)", "with PGHOST too");
    unsetenv("PGHOST");
    unsetenv("SUPABASE_SERVICE_ROLE_KEY");
}

static const char *
override_error(const char *override)
{
    static struct err err;
    const char *overrides[] = {override, NULL};
    struct conf_source from = {.path = conf_write("pgcrew.yaml", "", 0644), .overrides = overrides};
    struct conf *conf;

    if (conf_load(&from, &conf, &err)) {
        conf_free(conf);
        return "(accepted)";
    }
    return err.text;
}

static void
test_overrides(void)
{
    const char *overrides[] = {"worker.count=5", "log.level=warn", NULL};
    struct conf_source from = {.path = conf_write("pgcrew.yaml", "worker: {count: 2}\n", 0644),
                               .overrides = overrides};
    struct conf *c;
    struct err err;

    setenv("PGCREW_WORKER_COUNT", "3", 1);
    ok(conf_load(&from, &c, &err), "overrides are taken");
    is_int(c->workers, 5, "they are the strongest");
    conf_free(c);
    unsetenv("PGCREW_WORKER_COUNT");
    is_str(override_error("worker.cuont=1"),
           "unknown option 'worker.cuont', did you mean 'worker.count'?", "a mistyped one");
    is_str(override_error("worker.count"), "'worker.count' must be written name=value",
           "one without value");
    has_str(override_error("worker.count=x"), "command line: 'worker.count' must be",
            "one with a bad value");
}

static void
test_files(void)
{
    struct conf_source from = {.path = "/nonexistent/pgcrew.yaml"};
    struct conf *c = NULL;
    struct err err;

    ok(!conf_load(&from, &c, &err) && c == NULL, "a named file must be there");
    is_str(err.text, "cannot read '/nonexistent/pgcrew.yaml': No such file or directory",
           "the error says which and why");
    is_int(err.class, ERR_CONFIG, "a person has to act");
    from.path = conf_dir;
    ok(!conf_load(&from, &c, &err), "a folder is no configuration");
    has_str(err.text, "Is a directory", "the error says so");
}

int
main(void)
{
    conf_dir_make();
    test_defaults();
    test_shapes();
    test_refused();
    test_secret();
    test_environment();
    test_api_key();
    test_overrides();
    test_files();
    return done_testing();
}
