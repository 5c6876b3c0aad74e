/* A server of src/web in a process of its own, and raw clients of it. */
#ifndef PGCREW_TESTS_WEB_SERVER_H
#define PGCREW_TESTS_WEB_SERVER_H

#include <sys/types.h>

#include "base/buf.h"
#include "web/web.h"

struct web_server {
    pid_t pid;
    uint16_t port; /* on 127.0.0.1 */
    char path[64]; /* of its Unix socket */
    int orders;    /* a byte that makes it do something, see the server */
    int news;      /* a byte for what has happened */
};

/* What is 0 in options is as usual.  Routes are those of web_server.c. */
struct web_server web_server_start(const struct web_options *options);
/* The same, and it may open so many descriptors only. */
struct web_server web_server_start_with(const struct web_options *options, int descriptors);
/* Ends it; false: it did not live until then, or not end well. */
bool web_server_stop(struct web_server *s);
/* A byte that makes it do something; waits for a byte that says what it did. */
void web_server_order(const struct web_server *s, char what);
bool web_server_news(const struct web_server *s, char what);
/* Asked over HTTP: web_count(). */
struct web_counts web_server_counts(const struct web_server *s);

int web_client(const struct web_server *s); /* connected over TCP; reads wait 10 s at most */
int web_client_unix(const struct web_server *s);
/* False: the server has closed, or takes nothing for 10 s. */
bool web_client_send(int fd, const char *data, size_t len);
/*
 * What comes, until the server closes, or `until` (may be NULL) is in it.  False: neither came
 * within 10 s.
 */
bool web_client_read(int fd, struct buf *ret, const char *until);

#endif
