#include "gateway/errors.h"

#include <string.h>

/*
 * Prefixes of SQLSTATE, the longest that fits counts.  Differs from PostgREST where a client
 * had better try again: what is undone or was never begun is 503, and 57014 is 504.
 */
static const struct {
    const char *prefix;
    struct http_error is;
} states[] = {
    /* clang-format off */
    {"",      {500, true}},
    {"08",    {503, true}},  /* connection exception */
    {"0L",    {403, false}}, /* invalid grantor */
    {"0P",    {403, false}}, /* invalid role */
    {"22",    {400, false}}, /* data exception */
    {"23",    {400, false}}, /* integrity constraint */
    {"23503", {409, false}}, /* foreign key */
    {"23505", {409, false}}, /* unique */
    {"25006", {405, false}}, /* a read that would write */
    {"28",    {403, true}},  /* authorization */
    {"40",    {503, true}},  /* serialization, deadlock */
    {"42501", {403, false}}, /* privilege, row level security */
    {"53",    {503, true}},  /* out of disk, memory, connections */
    {"55P03", {503, true}},  /* lock not available */
    {"57014", {504, false}}, /* statement timeout */
    {"57P",   {503, true}},  /* shutdown */
    {"P0001", {400, false}}, /* raised without a code */
    /* clang-format on */
};

/* PT413: the status is in the code. */
static bool
status_in(const char *sqlstate, int *ret)
{
    int status = 0;

    if (strncmp(sqlstate, "PT", 2) != 0 || strlen(sqlstate) != 5)
        return false;
    for (const char *p = sqlstate + 2; *p != '\0'; p++) {
        if (*p < '0' || *p > '9')
            return false;
        status = status * 10 + *p - '0';
    }
    if (status < 400 || status > 599)
        return false;
    *ret = status;
    return true;
}

struct http_error
http_error_of(const char *sqlstate, bool anonymous, bool writes)
{
    struct http_error found = {500, true};
    size_t longest = 0;
    int status;

    if (status_in(sqlstate, &status))
        return (struct http_error){status, false};
    for (size_t i = 0; i < LENGTH(states); i++) {
        size_t len = strlen(states[i].prefix);

        if (len >= longest && strncmp(sqlstate, states[i].prefix, len) == 0) {
            longest = len;
            found = states[i].is;
        }
    }
    if (anonymous && strcmp(sqlstate, "42501") == 0)
        found.status = 401;
    if (writes && strcmp(sqlstate, "25006") == 0)
        found = (struct http_error){503, true}; /* the primary has moved */
    return found;
}

int
http_retry_after_s(int status)
{
    return status == 429 ? 5 : status == 503 ? 1 : 0;
}
