/*
 * The headers of a request: the facts of the job, what the configuration adds, the
 * signature.  See pgcrew-http(7).
 */
#ifndef PGCREW_HTTP_REQUEST_H
#define PGCREW_HTTP_REQUEST_H

#include <time.h>

#include "handler/handler.h"
#include "http/library.h"
#include "http/secret.h"

/*
 * To the server of the URL (is_home), or to another one that redirected us there: that
 * one gets nothing that the configuration adds, and no signature.
 *
 * The caller frees *ret with curl_slist_free_all().  Secrets are noted in known; one that
 * cannot be had is ERR_CONFIG.
 */
bool http_request_headers(struct run *run, bool is_home, time_t now, struct http_secrets *known,
                          struct curl_slist **ret, struct err *err) MUST_CHECK;

/* "t=1700000000,v1=<hex>": HMAC-SHA256 of "1700000000." and the body. */
#define HTTP_SIGNATURE_SIZE 128
void http_request_sign(const struct http_secret *key, int64_t at, const char *body, size_t len,
                       char ret[HTTP_SIGNATURE_SIZE]);

/*
 * Where a redirect leads, in the arena.  False: not followed, *ret_why says why ("which
 * leads to 'ftp'").  *ret_is_home: scheme, host and port are those of home.
 */
bool http_request_redirect(const char *home, const char *from, const char *location,
                           struct arena *a, const char **ret_url, bool *ret_is_home,
                           const char **ret_why) MUST_CHECK;

#endif
