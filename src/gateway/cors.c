/*
 * Cross-origin requests: pages of the origins in gateway.origins may call, others may not.
 * Tokens are headers and no cookies, so no credentials are allowed.
 */
#include <string.h>

#include "gateway/state.h"

#define ALLOWED_HEADERS                                                                            \
    "authorization, apikey, content-type, x-client-info, accept-profile, content-profile, "        \
    "prefer, range, range-unit, last-event-id"

/* What of gateway.origins lets it in, never a text of the client; NULL: nothing. */
static const char *
allowed(const struct conf *conf, const char *origin)
{
    for (size_t i = 0; origin != NULL && i < conf->origins.n; i++) {
        const char *known = conf->origins.items[i];

        if (strcmp(known, "*") == 0 || strcmp(known, origin) == 0)
            return known;
    }
    return NULL;
}

bool
cors_before(struct web_request *r, void *owner)
{
    const struct gateway *g = owner;
    const char *origin = allowed(g->conf, web_header(r, "Origin"));

    web_add_header(r, "Cache-Control", "no-store");
    web_add_header(r, "X-Content-Type-Options", "nosniff");
    if (g->conf->origins.n > 0)
        web_add_header(r, "Vary", "Origin");
    if (origin != NULL) {
        web_add_header(r, "Access-Control-Allow-Origin", origin);
        web_add_header(r, "Access-Control-Expose-Headers",
                       "Content-Range, Location, Retry-After, WWW-Authenticate");
    }
    if (web_method(r) != WEB_OPTIONS || web_header(r, "Access-Control-Request-Method") == NULL)
        return false;
    if (origin != NULL) {
        web_add_header(r, "Access-Control-Allow-Methods", "GET, HEAD, POST");
        web_add_header(r, "Access-Control-Allow-Headers", ALLOWED_HEADERS);
        web_add_header(r, "Access-Control-Max-Age", "86400");
    }
    web_answer(r, 204, NULL, NULL, 0);
    return true;
}
