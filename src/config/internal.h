/*
 * Between the files of this room.
 */
#ifndef PGCREW_CONFIG_INTERNAL_H
#define PGCREW_CONFIG_INTERNAL_H

#include "config/conf.h"
#include "config/options.h"
#include "config/yaml.h"

/*
 * One option from a node of the file, whatever its shape.  where is the file;
 * the error begins with where:line.
 */
bool conf_set_from_yaml(const struct option *o, void *base, struct arena *a,
                        const struct yaml *node, const char *where, struct err *err) MUST_CHECK;

/*
 * The rights of conf->path, when all of it has been read and nothing else: fills
 * conf->doubt.  False when root must not use the file.
 */
bool conf_check_rights(struct conf *conf, bool for_tool, struct err *err) MUST_CHECK;

/*
 * Secrets that are references become what they stand for.  For the tool one that cannot
 * be read stays as it is.
 */
bool conf_look_up_secrets(struct conf *conf, bool for_tool, struct err *err) MUST_CHECK;

/*
 * The `handlers:` map, once every other option is known.  map may be NULL.
 * where is the file's path: programs written with a slash are relative to its folder.
 */
bool conf_read_handlers(struct conf *conf, const struct yaml *map, const char *where,
                        bool look_for_programs, struct err *err) MUST_CHECK;

/* One handler as YAML, indented under `handlers:`.  masked hides values of variables. */
void conf_show_handler(const struct handler_conf *h, bool masked, struct buf *ret);

#endif
