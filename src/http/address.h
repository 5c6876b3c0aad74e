/*
 * Which addresses a request may go to.
 *
 * A job's URL is the administrator's, but the name in it is looked up by DNS and a
 * redirect is the other side's: both could lead to services that trust whoever is
 * on this host.  So it is the address itself that is looked at, just before the
 * connection.  Private networks are allowed: that is where inner services are.
 */
#ifndef PGCREW_HTTP_ADDRESS_H
#define PGCREW_HTTP_ADDRESS_H

#include <sys/socket.h>

#include "base/base.h"

/* What is wrong with it ("a loopback address"), or NULL: it may be connected to. */
const char *http_address_refused(const struct sockaddr *address) MUST_CHECK;

#endif
