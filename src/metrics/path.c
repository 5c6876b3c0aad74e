#include "metrics/path.h"

#include <math.h>
#include <string.h>

/* A piece of the path. */
struct piece {
    const char *at;
    size_t len;
};

struct walk {
    path_visit *visit;
    void *arg;
    struct path_label labels[PATH_LABELS];
    size_t n;
};

static void go(struct walk *w, const char *rest, const json_t *value);

static bool
is_text(struct piece p, const char *text)
{
    return strlen(text) == p.len && memcmp(p.at, text, p.len) == 0;
}

/* Cut off what comes before the first of the letters in ends; the letter is gone, too. */
static struct piece
cut(struct piece *p, const char *ends)
{
    size_t len = 0;
    struct piece front;

    while (len < p->len && strchr(ends, p->at[len]) == NULL)
        len++;
    front = (struct piece){p->at, len};
    len += len < p->len;
    *p = (struct piece){p->at + len, p->len - len};
    return front;
}

static const json_t *
field(const json_t *object, struct piece name)
{
    char key[64];

    if (name.len >= sizeof(key))
        return NULL;
    memcpy(key, name.at, name.len);
    key[name.len] = '\0';
    return json_object_get(object, key);
}

static void
add_label(struct walk *w, struct piece name, struct piece value)
{
    if (w->n < PATH_LABELS)
        w->labels[w->n++] = (struct path_label){name.at, value.at, name.len, value.len};
}

static void
found(struct walk *w, const json_t *value, double number)
{
    w->visit(w->arg, w->labels, w->n, value, number);
}

/* --- steps ------------------------------------------------------------------------------ */

/* [a,b:label,c=x]; false: this is not one of them. */
static bool
take_labels(struct walk *w, struct piece list, const json_t *row)
{
    while (list.len > 0) {
        struct piece item = cut(&list, ","), name = cut(&item, ":=");
        const json_t *value = field(row, name);
        const char *text = json_string_value(value);

        if (name.at[name.len] == '=') {
            if (text == NULL || !is_text(item, text))
                return false;
            continue;
        }
        if (text == NULL)
            return false;
        add_label(w, item.len > 0 ? item : name, (struct piece){text, json_string_length(value)});
    }
    return true;
}

static void
each_row(struct walk *w, struct piece list, const char *rest, const json_t *value)
{
    size_t n = w->n, i;
    const json_t *row;

    if (json_is_object(value)) {
        if (take_labels(w, list, value))
            go(w, rest, value);
        w->n = n;
        return;
    }
    json_array_foreach(value, i, row)
    {
        if (take_labels(w, list, row))
            go(w, rest, row);
        w->n = n;
    }
}

static void
each_field(struct walk *w, struct piece label, const char *rest, const json_t *object)
{
    const char *name;
    json_t *value;

    /* jansson has no way to go through an object that is const. */
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        add_label(w, label, (struct piece){name, strlen(name)});
        go(w, rest, value);
        w->n--;
    }
}

/* (label:a,b) */
static void
some_fields(struct walk *w, struct piece list, const char *rest, const json_t *object)
{
    struct piece label = cut(&list, ":");

    while (list.len > 0) {
        struct piece name = cut(&list, ",");

        add_label(w, label, name);
        go(w, rest, field(object, name));
        w->n--;
    }
}

static void
is_there(struct walk *w, struct piece name, const json_t *object)
{
    const json_t *value = field(object, name);

    if (json_is_object(object))
        found(w, value, value != NULL && !json_is_null(value) && !json_is_false(value));
}

static void
which_word(struct walk *w, struct piece words, const char *text)
{
    for (int i = 0; text != NULL && words.len > 0; i++) {
        if (is_text(cut(&words, ","), text))
            found(w, NULL, i);
    }
}

static void
one_field(struct walk *w, struct piece step, const char *rest, const json_t *object)
{
    struct piece name = cut(&step, "|~");
    const json_t *value = field(object, name);

    if (name.at[name.len] == '|')
        which_word(w, step, json_string_value(value));
    else if (name.at[name.len] == '~' && json_is_null(value))
        found(w, value, 0);
    else
        go(w, rest, value);
}

static void
end(struct walk *w, const json_t *value)
{
    if (json_is_number(value))
        found(w, value, json_number_value(value));
    else if (json_is_object(value) || json_is_array(value))
        found(w, value, (double)NAN);
}

static void
go(struct walk *w, const char *rest, const json_t *value)
{
    struct piece path = {rest, strlen(rest)}, step = cut(&path, " ");
    struct piece inside = {step.at + 1, step.len > 1 ? step.len - 2 : 0};

    if (step.len == 0)
        end(w, value);
    else if (step.at[0] == '[')
        each_row(w, inside, path.at, value);
    else if (step.at[0] == '{')
        each_field(w, inside, path.at, value);
    else if (step.at[0] == '(')
        some_fields(w, inside, path.at, value);
    else if (step.at[0] == '?')
        is_there(w, (struct piece){step.at + 1, step.len - 1}, value);
    else if (step.at[0] == '=')
        found(w, value, 1);
    else
        one_field(w, step, path.at, value);
}

void
path_walk(const char *path, const json_t *facts, path_visit *visit, void *arg)
{
    struct walk w = {.visit = visit, .arg = arg};

    go(&w, path, facts);
}
