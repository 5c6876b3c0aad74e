/*
 * Where the payloads of `pgcrew enqueue` come from: the command line, files of
 * which each is a job, a list of files, or lines of JSON.
 */
#ifndef PGCREW_CLI_PAYLOADS_H
#define PGCREW_CLI_PAYLOADS_H

#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"

enum payload_next {
    PAYLOAD_GOT,
    PAYLOAD_END,
    PAYLOAD_BAD,    /* this one cannot be a job, err says which and why; the next may */
    PAYLOAD_BROKEN, /* the source itself cannot be read any more */
};

struct payloads;

struct payloads *payloads_of_text(const char *json); /* NULL: {} ; "-": standard input */
/* Names given on the command line, then those in list ("-": standard input; NULL: none). */
struct payloads *payloads_of_files(const char *const *files, size_t n, const char *list,
                                   char separator);
struct payloads *payloads_of_lines(const char *path); /* "-": standard input */
void payloads_free(struct payloads *p);               /* NULL is fine */

/* The next payload, as JSON that has been checked, replaces what is in ret. */
enum payload_next payloads_next(struct payloads *p, struct buf *ret, struct err *err);

/* {"path": absolute, "size": bytes, "name": last part}; for a file that can be read. */
bool payload_of_file(const char *path, struct buf *ret, struct err *err) MUST_CHECK;

#endif
