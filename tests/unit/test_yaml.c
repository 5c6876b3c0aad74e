/* YAML files: what is read, and what is refused with its line. */
#include "config/yaml.h"

#include <stdlib.h>

#include "base/buf.h"
#include "tap.h"

static struct arena arena;

static const struct yaml *
parse(const char *text)
{
    struct yaml *root = NULL;
    struct err err;

    if (!yaml_parse(text, strlen(text), "f.yaml", &arena, &root, &err)) {
        printf("# %s\n", err.text);
        return NULL;
    }
    return root;
}

static const char *
error_of(const char *text, size_t len)
{
    static struct err err;
    struct yaml *root = NULL;

    if (yaml_parse(text, len, "f.yaml", &arena, &root, &err))
        return "(accepted)";
    return root == NULL ? err.text : "(filled in spite of an error)";
}

static void
test_tree(void)
{
    const struct yaml *root = parse("a: 1\n\nb:\n  - x\n  - 'null'\nc: {d: ~, e: null, f: }\n");
    const struct yaml *b, *c;

    ok(root != NULL && root->shape == YAML_MAP, "a map is read");
    is_str(yaml_member(root, "a")->text, "1", "numbers stay texts");
    ok(yaml_member(root, "z") == NULL, "what is not there is not found");
    b = yaml_member(root, "b");
    is_int(b->shape, YAML_LIST, "a list is read");
    is_int(b->key_line, 3, "its key's line is known");
    is_int(b->first->next->line, 5, "and the line of each item");
    ok(!b->first->next->is_null, "a quoted null is a text");
    c = yaml_member(root, "c");
    ok(yaml_member(c, "d")->is_null && yaml_member(c, "e")->is_null && yaml_member(c, "f")->is_null,
       "~, null and nothing are null");
    ok(parse("")->shape == YAML_MAP && parse("# only a comment\n")->shape == YAML_MAP &&
           parse("---\n")->shape == YAML_MAP,
       "nothing is an empty map");
}

#define REFUSED(text) error_of(text, strlen(text))

static void
test_refused(void)
{
    AUTO(buf) struct buf deep = {.data = NULL};

    is_str(REFUSED("a: 1\nb: 2\na: 3\n"), "f.yaml:3: 'a' was given on line 1 already",
           "a key twice");
    is_str(REFUSED("a: &x 1\n"), "f.yaml:1: anchors (&name) are not supported here", "an anchor");
    is_str(REFUSED("a: &x [1]\n"), "f.yaml:1: anchors (&name) are not supported here",
           "an anchor at a list");
    is_str(REFUSED("a: &x {b: 1}\n"), "f.yaml:1: anchors (&name) are not supported here",
           "an anchor at a map");
    is_str(REFUSED("a: 1\nb: *a\n"), "f.yaml:2: aliases (*name) are not supported here",
           "an alias");
    is_str(REFUSED("a: !!int 1\n"), "f.yaml:1: tags (!name) are not supported here", "a tag");
    is_str(REFUSED("? [a]\n: 1\n"), "f.yaml:1: a key must be a text", "a list as key");
    is_str(REFUSED("a: 1\n---\nb: 2\n"), "f.yaml:2: a second document ('---') is one too many",
           "two documents");
    has_str(REFUSED("a: 1\n\tb: 2\n"), "f.yaml:2: not YAML:", "a tab");
    has_str(REFUSED("a: [1\nb: 2\n"), "not YAML:", "a bracket left open");
    has_str(REFUSED("a: \"\\0\"\n"), "f.yaml:1: a NUL character", "an escaped NUL");
    has_str(error_of("a: \0\n", 5), "not YAML", "a NUL byte");
    has_str(REFUSED("a: \xff\n"), "not YAML", "what is not UTF-8");
    for (int i = 0; i < 100000; i++)
        buf_add_text(&deep, "[");
    has_str(error_of(buf_text(&deep), deep.len), "f.yaml:1: nested too deeply",
            "100000 brackets do not eat the stack");
}

static void
test_large_file(void)
{
    char path[] = "/tmp/pgcrew-yaml.XXXXXX";
    int fd = mkstemp(path);
    FILE *f = fdopen(fd, "w");
    struct yaml *root;
    struct err err;

    for (int i = 0; i < 1100000; i++)
        putc('#', f);
    fclose(f);
    ok(!yaml_read(path, &arena, &root, &err), "a file above 1 MiB is refused");
    has_str(err.text, "larger than 1 MiB", "the error says why");
    remove(path);
}

static void
test_quote(void)
{
    static const char *const texts[] = {"",          "plain",  "null",         "~",
                                        "a: b",      "# no",   "it's",         "\"q\" \\ back",
                                        "tab\tnl\n", "- item", "[list]",       "\xc3\xbc",
                                        "*",         "&a",     "trailing ",    "%dir",
                                        "@at",       "yes/no", "a,b {c} 'd'!", "\x01"};

    for (size_t i = 0; i < LENGTH(texts); i++) {
        AUTO(buf) struct buf text = {.data = NULL};
        const struct yaml *root;

        buf_add_text(&text, "k: [");
        yaml_quote(&text, texts[i]);
        buf_add_text(&text, "]\n");
        root = parse(buf_text(&text));
        ok(root != NULL && strcmp(root->first->first->text, texts[i]) == 0 &&
               !root->first->first->is_null,
           "text %zu is read back as it was", i);
    }
}

int
main(void)
{
    arena_init(&arena);
    test_tree();
    test_refused();
    test_large_file();
    test_quote();
    arena_release(&arena);
    return done_testing();
}
