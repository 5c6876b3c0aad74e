#include "db/error.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/*
 * Prefixes of SQLSTATE, the longest that fits counts; see PostgreSQL's
 * documentation, appendix A.
 */
static const struct {
    const char *prefix;
    enum err_class class;
    bool ends_session;
} states[] = {
    /* clang-format off */
    {"08",    ERR_RETRY,     true},  /* connection exception */
    {"22",    ERR_PERMANENT, false}, /* data exception */
    {"23",    ERR_PERMANENT, false}, /* integrity constraint */
    {"25006", ERR_RETRY,     true},  /* read only: the primary has moved */
    {"26",    ERR_RETRY,     true},  /* a pooler gave us a session without our statements */
    {"28",    ERR_CONFIG,    true},  /* wrong user or password */
    {"3D",    ERR_CONFIG,    true},  /* no such database */
    {"3F",    ERR_CONFIG,    false}, /* no such schema */
    {"40",    ERR_RETRY,     false}, /* serialisation, deadlock */
    {"42",    ERR_CONFIG,    false}, /* privileges, tables or functions missing */
    {"53",    ERR_RETRY,     false}, /* out of disk, memory, connections */
    {"55",    ERR_RETRY,     false}, /* lock not available */
    {"57014", ERR_RETRY,     false}, /* statement timeout, cancelled by an operator */
    {"57P",   ERR_RETRY,     true},  /* shut down, terminated, starting up */
    {"58",    ERR_RETRY,     false}, /* the server's system fails */
    {"PC001", ERR_RETRY,     false}, /* our holder has been reaped */
    {"P0",    ERR_PERMANENT, false}, /* raised in PL/pgSQL */
    {"PT",    ERR_PERMANENT, false}, /* raised by us, with an HTTP status */
    {"XX",    ERR_RETRY,     false}, /* internal error */
    /* clang-format on */
};

static size_t
find_state(const char *sqlstate)
{
    size_t best = LENGTH(states), best_length = 0;

    for (size_t i = 0; i < LENGTH(states); i++) {
        size_t length = strlen(states[i].prefix);

        if (length > best_length && strncmp(sqlstate, states[i].prefix, length) == 0) {
            best = i;
            best_length = length;
        }
    }
    return best;
}

/* libpq's messages end with a line feed and may have several lines: one line is enough. */
static void
first_line(char *ret, size_t size, const char *text)
{
    static const char fatal[] = "FATAL:  ";
    const char *says = strstr(text, fatal);

    size_t len;

    if (says != NULL)
        text = says + sizeof(fatal) - 1;
    len = text_utf8_cut(text, strcspn(text, "\n"), size - 1);
    memcpy(ret, text, len);
    ret[len] = '\0';
}

bool
db_error_of_result(struct err *err, const PGresult *res)
{
    const char *sqlstate = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
    const char *hint = PQresultErrorField(res, PG_DIAG_MESSAGE_HINT);
    char line[300];
    size_t known;

    if (sqlstate == NULL) {
        /* No state: libpq itself gave up, the server may have done it or not. */
        first_line(line, sizeof(line), PQresultErrorMessage(res));
        return err_set(err, ERR_UNCERTAIN, "%s",
                       line[0] != '\0' ? line : "the connection was lost");
    }
    known = find_state(sqlstate);
    if (primary == NULL || primary[0] == '\0')
        primary = "an error without a message";
    err_set(err, known < LENGTH(states) ? states[known].class : ERR_PERMANENT, "%s%s%s%s", primary,
            hint != NULL ? " (" : "", hint != NULL ? hint : "", hint != NULL ? ")" : "");
    snprintf(err->sqlstate, sizeof(err->sqlstate), "%s", sqlstate);
    return false;
}

/* What libpq says when the server cannot prove who it is, and what is to be done, in short. */
static const char *
hint_for(const char *message)
{
    static const char *const parts[] = {"certificate verify failed", "server certificate for",
                                        "root certificate file", "SSL was required"};

    for (size_t i = 0; i < LENGTH(parts); i++) {
        if (strstr(message, parts[i]) != NULL)
            return " (a server elsewhere must prove who it is: sslrootcert=FILE in the URL names its"
                   " authority, see pgcrewd(8), SECURITY)";
    }
    return "";
}

bool
db_error_of_connection(struct err *err, PGconn *conn, bool sent)
{
    char line[300];

    first_line(line, sizeof(line), PQerrorMessage(conn));
    return err_set(err, sent ? ERR_UNCERTAIN : ERR_RETRY, "%s%s",
                   line[0] != '\0' ? line : "the connection was lost",
                   hint_for(PQerrorMessage(conn)));
}

bool
db_error_ends_session(const PGresult *res)
{
    const char *sqlstate = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    const char *severity = PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);
    size_t known;

    if (severity != NULL && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0))
        return true;
    if (sqlstate == NULL)
        return true;
    known = find_state(sqlstate);
    return known < LENGTH(states) && states[known].ends_session;
}
