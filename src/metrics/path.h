/*
 * Where in the facts the values of a metric are: steps with blanks between them.
 *
 *   name               the field of this name; a ~ behind it: where it is null, 0
 *   [a,b:label]        the elements of an array, or the object itself: the fields a and b
 *                      are labels, b under another name
 *   [name=x,a]         only elements whose field name is x
 *   {label}            the fields of an object; their names are values of the label
 *   (label:a,b)        the same, but only the fields a and b
 *   ?name              1 when the field is there, and neither null nor false; else 0
 *   name|w0,w1         0 when the field is the text w0, 1 when it is w1
 *   =1                 1
 *
 * What is not there, or is not what a step expects, has no values.
 */
#ifndef PGCREW_METRICS_PATH_H
#define PGCREW_METRICS_PATH_H

#include <jansson.h>

#include "base/base.h"

#define PATH_LABELS 4

struct path_label {
    const char *name, *value;
    size_t name_len, value_len;
};

/* number is what the path ends with, NAN where it ends with an object or an array. */
typedef void path_visit(void *arg, const struct path_label *labels, size_t n, const json_t *value,
                        double number);

void path_walk(const char *path, const json_t *facts, path_visit *visit, void *arg);

#endif
