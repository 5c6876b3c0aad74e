/* Where a request has its token; which status an error of the database has. */
#include "gateway/errors.h"
#include "gateway/internal.h"
#include "gateway/token.h"

#include "base/base.h"
#include "tap.h"

#define KEY "service-key-of-the-project"

/* What is picked; *ret_token is a copy of it. */
static enum token_kind
pick(const char *authorization, const char *apikey, const char *query, char ret_token[64])
{
    struct token_places places = {authorization, apikey, query};
    const char *token = NULL;
    size_t len = 0;
    enum token_kind kind = token_pick(&places, KEY, &token, &len);

    snprintf(ret_token, 64, "%.*s", (int)len, token != NULL ? token : "");
    return kind;
}

static void
tokens(void)
{
    static const struct {
        const char *authorization, *apikey, *query;
        enum token_kind kind;
        const char *token, *what;
    } rows[] = {
        /* clang-format off */
        {NULL, NULL, NULL, TOKEN_NONE, "", "nothing"},
        {"Bearer a.b.c", NULL, NULL, TOKEN_USER, "a.b.c", "a bearer"},
        {"bearer   a.b.c  ", NULL, NULL, TOKEN_USER, "a.b.c", "in any case, with blanks"},
        {"Bearer", NULL, NULL, TOKEN_NONE, "", "a bearer of nothing"},
        {"Bearer  ", NULL, NULL, TOKEN_NONE, "", "a bearer of blanks"},
        {"Bearera.b.c", NULL, NULL, TOKEN_NONE, "", "another scheme that begins like it"},
        {"Basic YTpi", NULL, "a.b.c", TOKEN_NONE, "", "another scheme, and the query does not count"},
        {"", NULL, "a.b.c", TOKEN_NONE, "", "an empty header is one"},
        {NULL, NULL, "a.b.c", TOKEN_USER, "a.b.c", "the query"},
        {NULL, NULL, "", TOKEN_NONE, "", "an empty one in the query"},
        {"Bearer a.b.c", NULL, "d.e.f", TOKEN_USER, "a.b.c", "the header before the query"},
        {"Bearer a.b.c", "a.b.c", NULL, TOKEN_PUBLIC, "", "the same as the apikey"},
        {NULL, "a.b.c", "a.b.c", TOKEN_PUBLIC, "", "so in the query"},
        {"Bearer a.b.c", "a.b.cd", NULL, TOKEN_USER, "a.b.c", "not when it only begins like the apikey"},
        {"Bearer sb_publishable_x", NULL, NULL, TOKEN_PUBLIC, "", "a publishable key"},
        {"Bearer sb_secret_x", NULL, NULL, TOKEN_USER, "sb_secret_x", "a secret one is for who verifies"},
        {"Bearer " KEY, NULL, NULL, TOKEN_SERVICE, "", "the service key"},
        {"Bearer " KEY "  ", NULL, NULL, TOKEN_SERVICE, "", "without the blanks behind it"},
        {"Bearer " KEY, KEY, NULL, TOKEN_SERVICE, "", "and with itself as apikey"},
        {NULL, NULL, KEY, TOKEN_SERVICE, "", "in the query, too"},
        {"Bearer " KEY KEY, NULL, NULL, TOKEN_USER, KEY KEY, "not twice in a row"},
        {"Bearer service-key-of-the-projec", NULL, NULL, TOKEN_USER, "service-key-of-the-projec", "not without its end"},
        /* clang-format on */
    };
    char token[64];

    for (size_t i = 0; i < LENGTH(rows); i++) {
        is_int(pick(rows[i].authorization, rows[i].apikey, rows[i].query, token), rows[i].kind,
               "token: %s", rows[i].what);
        is_str(token, rows[i].token, "and what is picked");
    }
}

static void
no_service_key(void)
{
    struct token_places places = {.authorization = "Bearer x"};
    const char *token = NULL;
    size_t len = 0;

    is_int(token_pick(&places, NULL, &token, &len), TOKEN_USER, "there may be no service key");
    is_int(token_pick(&places, "", &token, &len), TOKEN_USER, "an empty one is none");
}

static void
errors(void)
{
    static const struct {
        const char *sqlstate;
        bool anonymous, writes;
        int status;
        bool hidden;
    } rows[] = {
        /* clang-format off */
        {"PT404", false, false, 404, false},
        {"PT413", false, true,  413, false},
        {"PT429", false, true,  429, false},
        {"PT200", false, false, 500, true},
        {"PT399", false, false, 500, true},
        {"PT600", false, false, 500, true},
        {"PTABC", false, false, 500, true},
        {"42501", false, false, 403, false},
        {"42501", true,  false, 401, false},
        {"42P01", false, false, 500, true},
        {"42883", false, false, 500, true},
        {"22P02", false, false, 400, false},
        {"22023", false, true,  400, false},
        {"23502", false, true,  400, false},
        {"23514", false, true,  400, false},
        {"23503", false, true,  409, false},
        {"23505", false, true,  409, false},
        {"25006", false, false, 405, false},
        {"25006", false, true,  503, true},
        {"28000", false, false, 403, true},
        {"40001", false, true,  503, true},
        {"40P01", false, true,  503, true},
        {"53100", false, true,  503, true},
        {"53300", false, false, 503, true},
        {"54001", false, false, 500, true},
        {"55P03", false, true,  503, true},
        {"57014", false, false, 504, false},
        {"57P01", false, false, 503, true},
        {"58030", false, false, 500, true},
        {"08006", false, false, 503, true},
        {"P0001", false, true,  400, false},
        {"P0002", false, true,  500, true},
        {"PC001", false, true,  500, true},
        {"XX000", false, false, 500, true},
        {"",      false, false, 500, true},
        /* clang-format on */
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct http_error is = http_error_of(rows[i].sqlstate, rows[i].anonymous, rows[i].writes);

        is_int(is.status, rows[i].status, "'%s'%s%s is %d", rows[i].sqlstate,
               rows[i].anonymous ? " of anon" : "", rows[i].writes ? " of a write" : "",
               rows[i].status);
        ok(is.hidden == rows[i].hidden, "and its text is%s for the user",
           rows[i].hidden ? " not" : "");
    }
    ok(http_retry_after_s(429) > 0 && http_retry_after_s(503) > 0, "429 and 503 say when again");
    is_int(http_retry_after_s(500), 0, "others do not");
}

static void
forms(void)
{
    static const struct {
        const char *accept;
        bool found, single;
    } rows[] = {
        /* clang-format off */
        {"*/*", true, false},
        {"application/json", true, false},
        {"APPLICATION/JSON; charset=utf-8", true, false},
        {"application/vnd.pgrst.object+json", true, true},
        {"application/vnd.pgrst.object+json;nulls=stripped", true, true},
        {"text/html, application/json;q=0.9, */*;q=0.8", true, false},
        {"text/csv", false, false},
        {"application/jsonx", false, false},
        {",,;", false, false},
        {"", false, false},
        /* clang-format on */
    };

    for (size_t i = 0; i < LENGTH(rows); i++) {
        const char *type = "";
        bool single = false;

        ok(postgrest_form(rows[i].accept, &type, &single) == rows[i].found, "Accept: %s",
           rows[i].accept);
        ok(single == rows[i].single, "and whether one object is wanted");
    }
}

int
main(void)
{
    forms();
    tokens();
    no_service_key();
    errors();
    return done_testing();
}
