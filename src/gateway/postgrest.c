/*
 * Headers that PostgREST knows: which form the answer has, and of which schema it is.
 */
#include <string.h>
#include <strings.h>

#include "gateway/internal.h"

static const char plain[] = "application/json; charset=utf-8";
static const char one_object[] = "application/vnd.pgrst.object+json; charset=utf-8";

static const struct {
    const char *accepted;
    const char *type;
    bool single;
} forms[] = {
    /* clang-format off */
    {"application/vnd.pgrst.object+json", one_object, true},
    {"application/vnd.pgrst.array+json",  plain,      false},
    {"application/json",                  plain,      false},
    {"application/*",                     plain,      false},
    {"*/*",                               plain,      false},
    /* clang-format on */
};

bool
postgrest_form(const char *accept, const char **ret_type, bool *ret_single)
{
    while (*accept != '\0') {
        size_t len;

        accept += strspn(accept, " \t,");
        len = strcspn(accept, " \t,;");
        for (size_t i = 0; i < LENGTH(forms); i++) {
            if (strlen(forms[i].accepted) == len &&
                strncasecmp(forms[i].accepted, accept, len) == 0) {
                *ret_type = forms[i].type;
                *ret_single = forms[i].single;
                return true;
            }
        }
        accept += strcspn(accept, ",");
    }
    return false;
}

static bool
is_our_schema(struct web_request *r)
{
    const char *header = web_method(r) == WEB_POST ? "Content-Profile" : "Accept-Profile";
    const char *schema = web_header(r, header);

    if (schema == NULL || strcmp(schema, "public") == 0)
        return true;
    answer_trouble(r, &(struct trouble){.status = 406,
                                        .code = "PGRST106",
                                        .message = "Invalid schema",
                                        .hint = "Only the following schemas are exposed: public"});
    return false;
}

bool
postgrest_accepts(struct web_request *r, const char **ret_type, bool *ret_single)
{
    const char *accept = web_header(r, "Accept");

    if (!is_our_schema(r))
        return false;
    if (postgrest_form(accept != NULL && accept[0] != '\0' ? accept : "*/*", ret_type, ret_single))
        return true;
    answer_refused(r, 406, "PGRST107", "None of these media types are available");
    return false;
}
