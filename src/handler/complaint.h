/*
 * What a handler prints on stderr: forwarded to our log line by line, and the
 * end of it kept for the record of a failed attempt.
 *
 * A handler that prints without end must not fill the journal of the host: each
 * attempt may write so much to it, then only the tail is kept.
 */
#ifndef PGCREW_HANDLER_COMPLAINT_H
#define PGCREW_HANDLER_COMPLAINT_H

#include "base/arena.h"
#include "base/base.h"
#include "base/buf.h"
#include "handler/handler.h"
#include "handler/lines.h"

/* Of an attempt's log, with what the log adds to each line. */
#define COMPLAINT_LOG_BYTES (1024 * 1024)
#define COMPLAINT_LINE_COST 64

struct complaint {
    const char *whom; /* "job 4711 (mail)" */
    struct lines lines;
    int64_t logged_bytes;
    bool silenced;
    char *last; /* the last line that was not blank; lines.max bytes and a NUL */
    struct buf tail;
    size_t tail_max;
};

/* Memory of fixed size comes from the arena; the rest is freed by complaint_release(). */
void complaint_init(struct complaint *c, const char *whom, size_t line_max, size_t tail_max,
                    struct arena *arena);
void complaint_release(struct complaint *c);

void complaint_add(struct complaint *c, const char *data, size_t len);
void complaint_end(struct complaint *c);
/* The same as complaint_add() for what the log has already: only kept. */
void complaint_keep(struct complaint *c, const char *data, size_t len);
/* It may write as much to the log again as at its start. */
void complaint_refill(struct complaint *c);
/* Nothing is kept of what came so far. */
void complaint_forget(struct complaint *c);

/* The tail as printable text of whole characters, in the arena; NULL when there is none. */
char *complaint_tail(struct complaint *c, struct arena *arena) MUST_CHECK;
/* The last line that says something, printable, in the arena; NULL when there is none. */
char *complaint_last_line(const struct complaint *c, struct arena *arena) MUST_CHECK;

#endif
