/* Which route a request takes. */
#ifndef PGCREW_WEB_ROUTES_H
#define PGCREW_WEB_ROUTES_H

#include "web/target.h"
#include "web/web.h"

struct route_match {
    const struct web_route *route; /* NULL: none for this path and method */
    unsigned allowed;              /* methods of all routes of this path; 0: no such path */
    const char **captures;         /* in the arena */
    size_t n_captures;
};

/* method: one of enum web_method, or 0 for any other. */
struct route_match routes_find(struct arena *a, const struct web_route *routes, size_t n,
                               const struct target *target, unsigned method);
/* "GET, HEAD, OPTIONS" */
const char *routes_allow(unsigned methods, char ret[64]);

#endif
