/*
 * libyaml's events to a tree.
 */
#include "config/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

#include "base/buf.h"

#define DEEPEST 8
#define LARGEST_FILE ((size_t)1024 * 1024)

#define auto_event yaml_event_delete
#define auto_parser yaml_parser_delete

struct reader {
    yaml_parser_t parser;
    const char *name;
    struct arena *arena;
    struct err *err;
    int depth;
};

static int
line_of(yaml_mark_t mark)
{
    return (int)mark.line + 1;
}

static bool
wrong(const struct reader *r, int line, const char *what)
{
    return err_set(r->err, ERR_CONFIG, "%s:%d: %s", r->name, line, what);
}

static bool
next_event(struct reader *r, yaml_event_t *ret)
{
    const yaml_parser_t *p = &r->parser;
    int line;

    if (yaml_parser_parse(&r->parser, ret))
        return true;
    line = line_of(p->error == YAML_READER_ERROR ? p->mark : p->problem_mark);
    if (p->context != NULL)
        return err_set(r->err, ERR_CONFIG, "%s:%d: not YAML: %s %s", r->name, line, p->context,
                       p->problem);
    return err_set(r->err, ERR_CONFIG, "%s:%d: not YAML: %s", r->name, line,
                   p->problem != NULL ? p->problem : "unreadable");
}

static struct yaml *
new_node(struct reader *r, enum yaml_shape shape, const yaml_event_t *event)
{
    struct yaml *node = arena_alloc(r->arena, sizeof(*node));

    node->shape = shape;
    node->line = line_of(event->start_mark);
    return node;
}

/* An implicit tag "!" or "!!str" is a tag too: what it would change is not what people expect. */
static bool
is_plain_node(const struct reader *r, const yaml_event_t *event, const yaml_char_t *anchor,
              const yaml_char_t *tag)
{
    if (anchor != NULL)
        return wrong(r, line_of(event->start_mark), "anchors (&name) are not supported here");
    if (tag != NULL)
        return wrong(r, line_of(event->start_mark), "tags (!name) are not supported here");
    return true;
}

static bool
read_text(struct reader *r, const yaml_event_t *event, struct yaml **ret)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    struct yaml *node;

    if (!is_plain_node(r, event, event->data.scalar.anchor, event->data.scalar.tag))
        return false;
    if (memchr(text, '\0', len) != NULL)
        return wrong(r, line_of(event->start_mark), "a NUL character in a text");
    node = new_node(r, YAML_TEXT, event);
    node->text = arena_memdup(r->arena, text, len);
    node->is_null =
        plain && (len == 0 || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0);
    *ret = node;
    return true;
}

static bool read_node(struct reader *r, const yaml_event_t *event, struct yaml **ret);

static bool
read_list(struct reader *r, const yaml_event_t *start, struct yaml **ret)
{
    struct yaml *list = new_node(r, YAML_LIST, start), **end = &list->first;

    if (!is_plain_node(r, start, start->data.sequence_start.anchor, start->data.sequence_start.tag))
        return false;
    for (;;) {
        AUTO(event) yaml_event_t event = {.type = YAML_NO_EVENT};

        if (!next_event(r, &event))
            return false;
        if (event.type == YAML_SEQUENCE_END_EVENT)
            break;
        if (!read_node(r, &event, end))
            return false;
        end = &(*end)->next;
    }
    *ret = list;
    return true;
}

static bool
read_member(struct reader *r, const yaml_event_t *key_event, const struct yaml *map,
            struct yaml **ret)
{
    AUTO(event) yaml_event_t event = {.type = YAML_NO_EVENT};
    const struct yaml *earlier;
    struct yaml *key;

    if (key_event->type != YAML_SCALAR_EVENT)
        return wrong(r, line_of(key_event->start_mark), "a key must be a text");
    if (!read_text(r, key_event, &key))
        return false;
    earlier = yaml_member(map, key->text);
    if (earlier != NULL)
        return err_set(r->err, ERR_CONFIG, "%s:%d: '%s' was given on line %d already", r->name,
                       key->line, key->text, earlier->key_line);
    if (!next_event(r, &event) || !read_node(r, &event, ret))
        return false;
    (*ret)->key = key->text;
    (*ret)->key_line = key->line;
    return true;
}

static bool
read_map(struct reader *r, const yaml_event_t *start, struct yaml **ret)
{
    struct yaml *map = new_node(r, YAML_MAP, start), **end = &map->first;

    if (!is_plain_node(r, start, start->data.mapping_start.anchor, start->data.mapping_start.tag))
        return false;
    for (;;) {
        AUTO(event) yaml_event_t event = {.type = YAML_NO_EVENT};
        struct yaml *member = NULL;

        if (!next_event(r, &event))
            return false;
        if (event.type == YAML_MAPPING_END_EVENT)
            break;
        if (!read_member(r, &event, map, &member))
            return false;
        *end = member;
        end = &member->next;
    }
    *ret = map;
    return true;
}

static bool
read_node(struct reader *r, const yaml_event_t *event, struct yaml **ret)
{
    bool ok;

    if (r->depth >= DEEPEST)
        return wrong(r, line_of(event->start_mark), "nested too deeply");
    r->depth++;
    if (event->type == YAML_SCALAR_EVENT)
        ok = read_text(r, event, ret);
    else if (event->type == YAML_SEQUENCE_START_EVENT)
        ok = read_list(r, event, ret);
    else if (event->type == YAML_MAPPING_START_EVENT)
        ok = read_map(r, event, ret);
    else
        ok = wrong(r, line_of(event->start_mark), "aliases (*name) are not supported here");
    r->depth--;
    return ok;
}

/* What must follow the one document: its end and nothing else. */
static bool
read_end(struct reader *r)
{
    AUTO(event) yaml_event_t document_end = {.type = YAML_NO_EVENT};
    AUTO(event) yaml_event_t stream_end = {.type = YAML_NO_EVENT};

    if (!next_event(r, &document_end) || !next_event(r, &stream_end))
        return false;
    if (stream_end.type != YAML_STREAM_END_EVENT)
        return wrong(r, line_of(stream_end.start_mark),
                     "a second document ('---') is one too many");
    return true;
}

static bool
read_document(struct reader *r, struct yaml **ret)
{
    AUTO(event) yaml_event_t stream = {.type = YAML_NO_EVENT};
    AUTO(event) yaml_event_t document = {.type = YAML_NO_EVENT};
    AUTO(event) yaml_event_t root = {.type = YAML_NO_EVENT};

    if (!next_event(r, &stream) || !next_event(r, &document))
        return false;
    if (document.type == YAML_STREAM_END_EVENT) {
        *ret = new_node(r, YAML_MAP, &document);
        return true;
    }
    if (!next_event(r, &root) || !read_node(r, &root, ret) || !read_end(r))
        return false;
    if ((*ret)->shape == YAML_TEXT && (*ret)->is_null)
        *ret = new_node(r, YAML_MAP, &root);
    return true;
}

bool
yaml_parse(const char *data, size_t len, const char *name, struct arena *a, struct yaml **ret,
           struct err *err)
{
    struct reader r = {.name = name, .arena = a, .err = err};
    struct yaml *root = NULL;
    bool ok;

    if (!yaml_parser_initialize(&r.parser))
        return err_set(err, ERR_CONFIG, "%s:1: no memory for a YAML parser", name);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)data, len);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    ok = read_document(&r, &root);
    yaml_parser_delete(&r.parser);
    if (ok)
        *ret = root;
    return ok;
}

bool
yaml_read(const char *path, struct arena *a, struct yaml **ret, struct err *err)
{
    AUTO(buf) struct buf text = {.data = NULL};
    AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t n;

    if (fd < 0) {
        int why = errno;

        err_errno(err, ERR_CONFIG, "cannot read '%s'", path);
        errno = why;
        return false;
    }
    while ((n = read(fd, buf_reserve(&text, 8192), 8192)) > 0) {
        text.len += (size_t)n;
        if (text.len > LARGEST_FILE)
            break;
    }
    if (n < 0)
        err_errno(err, ERR_CONFIG, "cannot read '%s'", path);
    else if (n > 0)
        err_set(err, ERR_CONFIG, "'%s' is larger than 1 MiB: not a configuration", path);
    errno = 0;
    return n == 0 && yaml_parse(buf_text(&text), text.len, path, a, ret, err);
}

const struct yaml *
yaml_member(const struct yaml *map, const char *key)
{
    for (const struct yaml *m = map->first; m != NULL; m = m->next) {
        if (strcmp(m->key, key) == 0)
            return m;
    }
    return NULL;
}

/* Letters, digits and what never means anything in YAML, neither in a list nor in a map. */
static bool
needs_no_quotes(const char *text)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+";

    return text[0] != '\0' && strcmp(text, "null") != 0 && text[strspn(text, plain)] == '\0';
}

/* What YAML does not leave in a text as it is: line ends, marks, control characters. */
static const struct {
    const char *bytes, *written;
} specials[] = {
    {"\xe2\x80\xa8", "\\L"},     {"\xe2\x80\xa9", "\\P"},     {"\xef\xbb\xbf", "\\uFEFF"},
    {"\xef\xbf\xbe", "\\uFFFE"}, {"\xef\xbf\xbf", "\\uFFFF"},
};

/* How many bytes of p were written in another way; 0: none. */
static size_t
quote_special(struct buf *ret, const char *p)
{
    /* U+0080 to U+009F */
    if ((unsigned char)p[0] == 0xc2 && (unsigned char)p[1] >= 0x80 && (unsigned char)p[1] < 0xa0) {
        buf_printf(ret, "\\x%02x", (unsigned)(unsigned char)p[1]);
        return 2;
    }
    for (size_t i = 0; i < LENGTH(specials); i++) {
        size_t len = strlen(specials[i].bytes);

        if (strncmp(p, specials[i].bytes, len) == 0) {
            buf_add_text(ret, specials[i].written);
            return len;
        }
    }
    return 0;
}

void
yaml_quote(struct buf *ret, const char *text)
{
    if (needs_no_quotes(text)) {
        buf_add_text(ret, text);
        return;
    }
    buf_add_text(ret, "\"");
    for (const char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        size_t len = quote_special(ret, p);

        if (len > 0)
            p += len - 1;
        else if (c == '"' || c == '\\')
            buf_printf(ret, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            buf_printf(ret, "\\x%02x", c);
        else
            buf_add(ret, p, 1);
    }
    buf_add_text(ret, "\"");
}
