/*
 * A YAML file as a tree: texts, lists and maps, each with the line it began on.
 *
 * Only what a configuration needs: one document; no anchors, aliases or tags;
 * keys are texts and never twice in a map; depth and size are limited.
 */
#ifndef PGCREW_CONFIG_YAML_H
#define PGCREW_CONFIG_YAML_H

#include "base/arena.h"
#include "base/err.h"

enum yaml_shape { YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml {
    enum yaml_shape shape;
    int line;
    const char *key;  /* inside a map */
    int key_line;     /* where the key stands */
    const char *text; /* of a YAML_TEXT */
    bool is_null;     /* nothing was written, or ~, or null */
    struct yaml *first, *next;
};

/* Errors are ERR_CONFIG and begin with "name:line: ".  An empty document is an empty map. */
bool yaml_parse(const char *data, size_t len, const char *name, struct arena *a, struct yaml **ret,
                struct err *err) MUST_CHECK;

/* The file at path.  errno is that of open() when it cannot be opened, else 0. */
bool yaml_read(const char *path, struct arena *a, struct yaml **ret, struct err *err) MUST_CHECK;

const struct yaml *yaml_member(const struct yaml *map, const char *key);

/* Add text to ret so that it is read back as the same text. */
struct buf;
void yaml_quote(struct buf *ret, const char *text);

#endif
