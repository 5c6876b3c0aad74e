#include "http/request.h"

#include <ctype.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/conf.h"
#include "handler/trace.h"

/* --- signature ----------------------------------------------------------------------- */

void
http_request_sign(const struct http_secret *key, int64_t at, const char *body, size_t len,
                  char ret[HTTP_SIGNATURE_SIZE])
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    size_t mac_len = sizeof(mac);
    char stamp[32];
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, NULL,
                                                  (const unsigned char *)key->data, key->len);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    int n, done;

    snprintf(stamp, sizeof(stamp), "%" PRId64 ".", at);
    done = pkey != NULL && md != NULL &&
           EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, pkey) == 1 &&
           EVP_DigestSignUpdate(md, stamp, strlen(stamp)) == 1 &&
           EVP_DigestSignUpdate(md, body, len) == 1 && EVP_DigestSignFinal(md, mac, &mac_len) == 1;
    EVP_MD_CTX_free(md);
    EVP_PKEY_free(pkey);
    if (!done)
        abort(); /* no memory, or an OpenSSL without SHA-256 */
    n = snprintf(ret, HTTP_SIGNATURE_SIZE, "t=%" PRId64 ",v1=", at);
    for (size_t i = 0; i < mac_len; i++)
        n += snprintf(ret + n, HTTP_SIGNATURE_SIZE - (size_t)n, "%02x", mac[i]);
}

/* --- headers ------------------------------------------------------------------------- */

struct headers {
    struct run *run;
    struct curl_slist *list;
    bool is_home;
};

static bool
is_named(const char *header, const char *name)
{
    size_t len = strlen(name);

    return strncasecmp(header, name, len) == 0 && header[len] == ':';
}

/* The configuration may replace what is not about the job. */
static bool
is_replaced(const struct headers *h, const char *name)
{
    const struct conf_list *configured = &h->run->handler->headers;

    for (size_t i = 0; h->is_home && i < configured->n; i++) {
        if (is_named(configured->items[i], name))
            return true;
    }
    return false;
}

static void
add_line(struct headers *h, const char *line)
{
    struct curl_slist *list = curl_slist_append(h->list, line);

    if (list == NULL)
        abort(); /* no memory */
    h->list = list;
}

/* An empty value is no header. */
static void
add(struct headers *h, const char *name, const char *value)
{
    if (value[0] != '\0' && !is_replaced(h, name))
        add_line(h, arena_printf(&h->run->arena, "%s: %s", name, value));
}

static void
add_number(struct headers *h, const char *name, int64_t value)
{
    char text[32];

    snprintf(text, sizeof(text), "%" PRId64, value);
    add(h, name, text);
}

/* Kinds and queues are any text: what is not visible ASCII, and %, as %XX. */
static const char *
encoded(struct arena *a, const char *text)
{
    static const char hex[] = "0123456789ABCDEF";
    char *ret = arena_alloc(a, 3 * strlen(text) + 1), *to = ret;

    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        if (*p > 0x20 && *p < 0x7f && *p != '%') {
            *to++ = (char)*p;
        } else {
            *to++ = '%';
            *to++ = hex[*p >> 4];
            *to++ = hex[*p & 15];
        }
    }
    return ret;
}

/* The same at each attempt of a job, and of no other job, of another database neither. */
static const char *
idempotency_key(struct arena *a, const struct job *job)
{
    return arena_printf(a, "pgcrew-%s-%" PRId64, job->origin, job->id);
}

static void
add_facts(struct headers *h)
{
    const struct job *job = &h->run->job;
    struct arena *a = &h->run->arena;
    char trace[TRACE_PARENT_SIZE];

    add(h, "Content-Type", "application/json");
    add(h, "User-Agent", "pgcrew/" PACKAGE_VERSION);
    add(h, "Idempotency-Key", idempotency_key(a, job));
    add_number(h, "Pgcrew-Job-Id", job->id);
    add(h, "Pgcrew-Kind", encoded(a, job->kind));
    add(h, "Pgcrew-Queue", encoded(a, job->queue));
    add_number(h, "Pgcrew-Attempt", job->attempt);
    add_number(h, "Pgcrew-Max-Attempts", job->max_attempts);
    add(h, "Pgcrew-Batch-Id", job->batch_id);
    add(h, "Pgcrew-User-Id", job->user_id);
    add_number(h, "Pgcrew-Timeout-Ms", h->run->handler->timeout_ms);
    trace_parent(trace);
    add(h, "traceparent", trace);
    /* Or curl waits a second for leave to send a large body. */
    add_line(h, "Expect:");
}

static bool
add_configured(struct headers *h, struct http_secrets *known, struct err *err)
{
    const struct conf_list *configured = &h->run->handler->headers;
    struct arena *a = &h->run->arena;
    const char *value;

    for (size_t i = 0; i < configured->n; i++) {
        const char *line = configured->items[i];
        int name = (int)strcspn(line, ":");

        value = line + name + 1;
        value += strspn(value, " \t");
        if (!http_secret_expand(value, a, known, &value, err))
            return err_before(err, "header '%.*s'", name, line);
        /* To curl, "Name;" is the header without a value, "Name:" is none. */
        add_line(h, *value == '\0' ? arena_printf(a, "%.*s;", name, line)
                                   : arena_printf(a, "%.*s: %s", name, line, value));
    }
    return true;
}

static bool
add_signature(struct headers *h, time_t now, struct http_secrets *known, struct err *err)
{
    const struct job *job = &h->run->job;
    const char *reference = h->run->handler->sign;
    char text[HTTP_SIGNATURE_SIZE];
    const struct http_secret *key;

    if (reference == NULL)
        return true;
    if (!http_secret_get(reference, &h->run->arena, known, &key, err))
        return err_before(err, "sign");
    http_request_sign(key, now, job->payload, job->payload_len, text);
    add(h, "Pgcrew-Signature", text);
    return true;
}

bool
http_request_headers(struct run *run, bool is_home, time_t now, struct http_secrets *known,
                     struct curl_slist **ret, struct err *err)
{
    struct headers h = {.run = run, .is_home = is_home};

    add_facts(&h);
    if (is_home && (!add_configured(&h, known, err) || !add_signature(&h, now, known, err))) {
        curl_slist_free_all(h.list);
        return false;
    }
    *ret = h.list;
    return true;
}

/* --- redirects ----------------------------------------------------------------------- */

static void
auto_url(CURLU **url)
{
    curl_url_cleanup(*url);
}

static bool
get_part(CURLU *url, CURLUPart part, struct arena *a, const char **ret)
{
    char *text;

    if (curl_url_get(url, part, &text, part == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0) !=
        CURLUE_OK)
        return false;
    *ret = arena_strdup(a, text);
    curl_free(text);
    return true;
}

/* Scheme, host and port, as one text that can be compared. */
static bool
get_origin(CURLU *url, struct arena *a, const char **ret_scheme, const char **ret)
{
    const char *host, *port;

    if (!get_part(url, CURLUPART_SCHEME, a, ret_scheme) ||
        !get_part(url, CURLUPART_HOST, a, &host) || !get_part(url, CURLUPART_PORT, a, &port))
        return false;
    *ret = arena_printf(a, "%s://%s:%s", *ret_scheme, host, port);
    return true;
}

/* Location may be relative. */
static bool
resolve(CURLU *url, const char *from, const char *location)
{
    return curl_url_set(url, CURLUPART_URL, from, 0) == CURLUE_OK &&
           curl_url_set(url, CURLUPART_URL, location, 0) == CURLUE_OK &&
           curl_url_set(url, CURLUPART_USER, NULL, 0) == CURLUE_OK &&
           curl_url_set(url, CURLUPART_PASSWORD, NULL, 0) == CURLUE_OK;
}

bool
http_request_redirect(const char *home, const char *from, const char *location, struct arena *a,
                      const char **ret_url, bool *ret_is_home, const char **ret_why)
{
    AUTO(url) CURLU *there = curl_url(), *here = curl_url();
    const char *scheme, *home_scheme, *origin, *home_origin;

    if (curl_url_set(here, CURLUPART_URL, home, 0) != CURLUE_OK ||
        !get_origin(here, a, &home_scheme, &home_origin) || !resolve(there, from, location) ||
        !get_origin(there, a, &scheme, &origin)) {
        *ret_why = "which leads to no URL";
        return false;
    }
    if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0) {
        *ret_why = "which leads away from http";
        return false;
    }
    if (strcmp(scheme, "http") == 0 && strncmp(from, "https:", 6) == 0) {
        *ret_why = "which leads from https to http";
        return false;
    }
    *ret_is_home = strcasecmp(origin, home_origin) == 0;
    return get_part(there, CURLUPART_URL, a, ret_url);
}
