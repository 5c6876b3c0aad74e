/*
 * What libmicrohttpd takes and we refuse: requests that two readers may read differently.
 * Where a proxy in front of us sees one request and we see two, the second one was never
 * checked.
 *
 * libmicrohttpd 0.9 forgives lines that end in a bare LF, folded headers and NULs, and shows
 * what it made of them.  But it reads in place: from the method to the last header all it
 * shows are pieces of one buffer, in order, and what lies between them says how they were
 * separated.  So each piece must begin where a strict reader expects it.  (Not seen
 * are a NUL just before a line end, and a line of a colon and a bare LF, which it takes for the
 * empty line.  No proxy passes these on.)  From 1.0 on it is strict itself, if told so (web.c).
 */
#include <string.h>
#include <strings.h>

#include "web/internal.h"

#define READS_IN_PLACE (!LIBRARY_CAN_BE_STRICT)

struct look {
    struct web_request *r;
    const char *expected; /* where the next line begins */
    bool is_strict;
    int hosts, lengths, codings;
    const char *host, *length, *coding, *expect;
    struct complaint complaint;
};

static void
complain(struct look *l, int status, const char *message)
{
    if (l->complaint.status == 0)
        l->complaint = (struct complaint){status, message};
}

static bool
is_token(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c <= ' ' || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c) != NULL)
            return false;
    }
    return len > 0;
}

static bool
is_field_text(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static bool
is_number(const char *text)
{
    return *text != '\0' && strspn(text, "0123456789") == strlen(text);
}

/* Blanks at the end are not of the value. */
static bool
is_host(const char *text)
{
    size_t len = strlen(text);

    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
        len--;
    for (const char *p = text; p < text + len; p++) {
        if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f ||
            strchr("/\\?#@\"<>", *p) != NULL)
            return false;
    }
    return true;
}

/* The piece at text begins where it should, and ends with CR LF. */
static void
follow(struct look *l, const char *text, size_t len, size_t separator)
{
    if (READS_IN_PLACE && text != l->expected)
        l->is_strict = false;
    l->expected = text + len + separator;
}

static enum MHD_Result
look_at(void *cls, UNUSED enum MHD_ValueKind kind, const char *name, size_t name_len,
        const char *value, size_t value_len)
{
    struct look *l = cls;

    follow(l, name, name_len, 1);
    /* Blanks after the colon are not of the value. */
    if (READS_IN_PLACE && l->is_strict) {
        while (l->expected < value && (*l->expected == ' ' || *l->expected == '\t'))
            l->expected++;
    }
    follow(l, value, value_len, 2);
    if (!is_token(name, name_len))
        complain(l, 400, "a header has a name that no header has");
    if (!is_field_text(value, value_len))
        complain(l, 400, "a header has a control character in it");
    if (strcasecmp(name, "host") == 0) {
        l->hosts++;
        l->host = value;
    } else if (strcasecmp(name, "content-length") == 0) {
        l->lengths++;
        l->length = value;
    } else if (strcasecmp(name, "transfer-encoding") == 0) {
        l->codings++;
        l->coding = value;
    } else if (strcasecmp(name, "expect") == 0) {
        l->expect = value;
    }
    return MHD_YES;
}

static void
check_body(struct look *l, bool is_http_10)
{
    if (l->codings > 0 && (l->lengths > 0 || l->codings > 1 || is_http_10))
        complain(l, 400, "it is not clear where the body ends");
    else if (l->codings > 0 && strcasecmp(l->coding, "chunked") != 0)
        complain(l, 501, "this transfer encoding is not known");
    if (l->lengths > 1 || (l->lengths == 1 && !is_number(l->length)))
        complain(l, 400, "Content-Length is not one number");
    /* Whatever was hidden in the framing of chunks is not read as another request. */
    l->r->must_close |= l->codings > 0;
}

static void
check_host(struct look *l, bool is_http_10)
{
    if (l->hosts > 1 || (l->hosts == 0 && !is_http_10))
        complain(l, 400, "a request has one Host header");
    else if (l->hosts == 1 && !is_host(l->host))
        complain(l, 400, "this is no Host");
}

struct complaint
strict_check(struct web_request *r, const char *method, const char *version)
{
    struct look l = {.r = r, .expected = method, .is_strict = true};
    bool is_http_10 = r->is_http_10;
    const char *why = "";

    follow(&l, method, strlen(method), 1);
    follow(&l, r->raw_here != NULL ? r->raw_here : "", strlen(r->raw), 1);
    follow(&l, version, strlen(version), 2);
    MHD_get_connection_values_n(r->mhd, MHD_HEADER_KIND, look_at, &l);
    if (READS_IN_PLACE && l.expected + 2 != method + r->header_bytes)
        l.is_strict = false;
    if (!l.is_strict)
        complain(&l, 400,
                 "a line does not end with CR LF, is folded, or has a NUL or a blank too many");
    if (!is_token(method, strlen(method)))
        complain(&l, 400, "this is no method");
    check_host(&l, is_http_10);
    check_body(&l, is_http_10);
    if (!target_read(&r->arena, r->raw, &r->target, &why))
        complain(&l, 400, why);
    else if (r->target.n_segments == 0 && strcmp(method, "OPTIONS") != 0)
        complain(&l, 400, "'*' is for OPTIONS");
    if (l.expect != NULL && strcasecmp(l.expect, "100-continue") != 0)
        complain(&l, 417, "this expectation is not known");
    if (r->header_bytes > r->web->options.header_max)
        complain(&l, 431, "the headers are too long");
    return l.complaint;
}
