/* A handler's lines in pieces, and what the progress pipe says in them. */
#include "fuzz.h"

#include "base/buf.h"
#include "handler/lines.h"
#include "handler/progress.h"

#define LINE 64

struct seen {
    struct buf all;
    char last[LINE + 1];
};

static void
on_line(void *owner, const char *text, size_t len, bool cut)
{
    struct seen *seen = owner;
    struct progress p;

    must(strlen(text) == len && strchr(text, '\n') == NULL && len <= LINE);
    must(!cut || len == LINE);
    buf_printf(&seen->all, "%s%s|", text, cut ? "..." : "");
    if (text[strspn(text, " \t\r")] != '\0')
        memcpy(seen->last, text, len + 1);
    if (progress_parse(text, len, &p)) {
        must((p.percent >= 0 && p.percent <= 100) || p.percent < 0);
        must(strlen(p.note) <= PROGRESS_NOTE_MAX && is_utf8(p.note, strlen(p.note)));
    }
}

static void
feed(const char *data, size_t len, size_t piece, struct seen *seen,
     void (*how)(struct lines *l, const char *data, size_t len))
{
    char text[LINE + 1];
    struct lines lines = {.text = text, .max = LINE, .line = on_line, .owner = seen};

    for (size_t at = 0; at < len; at += piece)
        how(&lines, data + at, piece < len - at ? piece : len - at);
    lines_end(&lines);
}

static void
fuzz(const char *data, size_t len)
{
    struct input in = {data, len};
    size_t piece = (size_t)take_byte(&in) + 1;
    struct seen whole = {.last = ""}, pieces = {.last = ""}, last = {.last = ""};

    if (in.left == 0)
        return;
    feed(in.at, in.left, in.left, &whole, lines_feed);
    feed(in.at, in.left, piece, &pieces, lines_feed);
    must(strcmp(buf_text(&whole.all), buf_text(&pieces.all)) == 0);
    feed(in.at, in.left, piece, &last, lines_feed_last);
    must(strcmp(last.last, whole.last) == 0);
    buf_release(&whole.all);
    buf_release(&pieces.all);
    buf_release(&last.all);
}
