/*
 * Secrets: compared, and references to them: env:NAME, file:/PATH, credential:NAME.
 *
 * What reads them reads anew each time: a file that was replaced counts at once.
 * Credentials are those of systemd: files in CREDENTIALS_DIRECTORY.
 */
#ifndef PGCREW_BASE_SECRET_H
#define PGCREW_BASE_SECRET_H

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"

/* Longer ones are refused: nobody's token, but somebody's mistake. */
#define SECRET_MAX ((size_t)16 * 1024)

/* Does it begin like a reference? */
bool secret_is_reference(const char *text);

/*
 * What the reference stands for, without line ends at its end, added to ret, which is
 * empty before.  One that is missing, empty, too long or not to be read is ERR_CONFIG; the
 * message names the reference, never what it stands for.
 */
bool secret_read(const char *reference, struct buf *ret, struct err *err) MUST_CHECK;

/*
 * Are they the same text?  How long it takes tells nothing of where they differ.  NULL and
 * "" equal nothing: a secret that nobody has set opens no door.
 */
bool secret_equal(const char *a, const char *b) MUST_CHECK;
/* The same of a text with len bytes, which may go on behind them. */
bool secret_is(const char *secret, const char *text, size_t len) MUST_CHECK;

#endif
