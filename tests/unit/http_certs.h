/*
 * Certificates for http_server.c: one authority, and servers that are good or not.
 */
#ifndef PGCREW_TESTS_HTTP_CERTS_H
#define PGCREW_TESTS_HTTP_CERTS_H

#include <stdbool.h>

/* ca.pem; good.pem, expired.pem, wrong.pem (another host), other.pem (another authority). */
bool make_certs(const char *folder);

#endif
