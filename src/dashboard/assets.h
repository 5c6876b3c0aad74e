/*
 * The files of the dashboard's pages (src/dashboard/www), compiled into the program by
 * assets.awk.
 */
#ifndef PGCREW_DASHBOARD_ASSETS_H
#define PGCREW_DASHBOARD_ASSETS_H

#include "base/base.h"

struct asset {
    const char *name; /* "index.html" */
    const unsigned char *data;
    size_t len;
};

extern const struct asset assets[];
extern const size_t n_assets;

#define ASSET_TAG_SIZE 35 /* 32 hex digits, quotes, NUL */

const struct asset *asset_find(const char *name); /* NULL: there is none */
/* By the ending of its name: "text/html; charset=utf-8". */
const char *asset_type(const struct asset *a);
/* The ETag, with its quotes: another for other bytes. */
const char *asset_tag(char ret[ASSET_TAG_SIZE], const struct asset *a);
/* Is tag among those of If-None-Match? NULL is none. */
bool asset_is_known(const char *if_none_match, const char *tag);

#endif
