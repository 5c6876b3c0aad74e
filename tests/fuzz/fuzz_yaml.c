/* YAML to a tree; and a text that is quoted is read back as it was. */
#include "fuzz.h"

#include "base/buf.h"
#include "config/yaml.h"

static void
walk(const struct yaml *node, int depth)
{
    must(depth <= 8 && node->line > 0);
    must(node->shape == YAML_TEXT ? node->text != NULL && node->first == NULL : !node->is_null);
    for (const struct yaml *n = node->first; n != NULL; n = n->next) {
        must((node->shape == YAML_MAP) == (n->key != NULL));
        if (node->shape == YAML_MAP)
            must(yaml_member(node, n->key) == n);
        walk(n, depth + 1);
    }
}

/* What libyaml lets into a text: no half surrogates, no control characters but by \x. */
static void
quote(struct arena *a, const char *text)
{
    AUTO(buf) struct buf whole = {0};
    struct yaml *root;
    struct err err;

    buf_add_text(&whole, "key: [");
    yaml_quote(&whole, text);
    buf_add_text(&whole, "]\n");
    must(yaml_parse(buf_text(&whole), whole.len, "quoted", a, &root, &err));
    must(strcmp(yaml_member(root, "key")->first->text, text) == 0);
}

static void
quote_all(struct arena *a, const struct yaml *node)
{
    if (node->shape == YAML_TEXT)
        quote(a, node->text);
    for (const struct yaml *n = node->first; n != NULL; n = n->next)
        quote_all(a, n);
}

static void
fuzz(const char *data, size_t len)
{
    struct arena a;
    struct yaml *root = NULL;
    struct err err = {0};

    arena_init(&a);
    if (yaml_parse(data, len, "file", &a, &root, &err)) {
        walk(root, 1);
        quote_all(&a, root);
    } else {
        must_say(&err);
        must(root == NULL && strncmp(err.text, "file:", 5) == 0);
    }
    arena_release(&a);
}
