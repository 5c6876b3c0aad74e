/* Reload: what changed, what needs a restart; and the configuration shown as YAML. */
#include "config/conf.h"

#include "conf_file.h"
#include "tap.h"

static void
test_diff(void)
{
    struct err err;
    AUTO(buf) struct buf changes = {.data = NULL};
    struct conf *old = conf_from("database: {url: secret1}\n"
                                 "handlers: {a: {exec: sh}, b: {exec: sh}, c: {exec: sh}}\n",
                                 &err);
    struct conf *same = conf_from("database: {url: secret1}\n"
                                  "handlers: {c: {exec: sh}, b: {exec: sh}, a: {exec: sh}}\n",
                                  &err);
    struct conf *fresh = conf_from("database: {url: secret2}\n"
                                   "queue: {poll_interval: 1s, names: [x, y]}\n"
                                   "handlers: {b: {exec: sh, nice: 1}, c: {exec: sh}, d: {exec: "
                                   "sh}}\n",
                                   &err);

    ok(!conf_diff(old, same, &changes), "the same in another order is no change");
    is_int(changes.len, 0, "and says nothing");
    ok(conf_diff(old, fresh, &changes), "a change is seen");
    is_str(buf_text(&changes),
           "database.url needs a restart; queue.names default -> x,y; queue.poll_interval 2s -> "
           "1s; handlers.a removed; handlers.b changed; handlers.d added",
           "and told, without secrets");

    conf_keep_fixed(fresh, old);
    is_str(fresh->db_url, "secret1", "what needs a restart stays as it was");
    is_int(fresh->poll_ms, 1000, "the rest is new");
    conf_free(old);
    is_str(fresh->db_url, "secret1", "and is not borrowed from the old one");
    conf_free(same);
    conf_free(fresh);
    conf_free(NULL);
}

static void
test_variables(void)
{
    const char *text = "handlers: {a: {exec: sh, env: [KEY, P=q]}}\n";
    AUTO(buf) struct buf changes = {.data = NULL}, shown = {.data = NULL};
    struct conf *old, *fresh;
    struct err err;

    setenv("KEY", "one", 1);
    old = conf_from(text, &err);
    setenv("KEY", "two", 1);
    fresh = conf_from(text, &err);
    ok(conf_diff(old, fresh, &changes), "a variable of a handler changed");
    is_str(buf_text(&changes), "handlers.a changed", "its value is not told");
    conf_show(fresh, &shown);
    has_str(buf_text(&shown), "env: [KEY, \"P=********\"]", "nor shown");
    conf_free(old);
    conf_free(fresh);
}

static void
test_show(void)
{
    static const char text[] = "name: 'box: 1'\n"
                               "queue: {names: [a, '- b'], lease: 90s}\n"
                               "limits: {result: 0}\n"
                               "worker: {count: 2}\n"
                               "handlers:\n"
                               "  '*': {exec: [sh, -c, 'echo \"x\"; # y'], timeout: 5s}\n";
    AUTO(buf) struct buf shown = {.data = NULL}, again = {.data = NULL}, changes = {.data = NULL};
    struct conf *c, *copy;
    struct err err;

    c = conf_from(text, &err);
    ok(c != NULL, "a configuration (%s)", err.text);
    conf_show(c, &shown);
    has_str(buf_text(&shown), "queue:\n  names: [a, \"- b\"]\n  poll_interval: 2s\n  lease: 90s\n",
            "it is shown in sections");
    copy = conf_from(buf_text(&shown), &err);
    ok(copy != NULL, "what is shown can be read (%s)", err.text);
    conf_show(copy, &again);
    is_str(buf_text(&again), buf_text(&shown), "and says the same");
    ok(!conf_diff(c, copy, &changes), "in every value");
    conf_free(c);
    conf_free(copy);
}

int
main(void)
{
    conf_dir_make();
    test_diff();
    test_variables();
    test_show();
    return done_testing();
}
