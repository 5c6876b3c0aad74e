#include "handler/lines.h"

#include <string.h>

static void
keep(struct lines *l, const char *data, size_t len)
{
    size_t fits = l->max - l->len;

    l->cut |= len > fits;
    if (len > fits)
        len = fits;
    memcpy(l->text + l->len, data, len);
    l->len += len;
}

static void
hand_over(struct lines *l)
{
    if (l->len > 0 && !l->cut && l->text[l->len - 1] == '\r')
        l->len--;
    for (size_t i = 0; i < l->len; i++) {
        if (l->text[i] == '\0')
            l->text[i] = '?';
    }
    l->text[l->len] = '\0';
    l->line(l->owner, l->text, l->len, l->cut);
    l->len = 0;
    l->cut = false;
}

void
lines_feed(struct lines *l, const char *data, size_t len)
{
    const char *end;

    while (len > 0 && (end = memchr(data, '\n', len)) != NULL) {
        size_t line = (size_t)(end - data);

        keep(l, data, line);
        hand_over(l);
        data += line + 1;
        len -= line + 1;
    }
    keep(l, data, len);
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

void
lines_feed_last(struct lines *l, const char *data, size_t len)
{
    const char *last_end = memrchr(data, '\n', len), *text_end = last_end, *begin, *end;

    if (last_end == NULL) {
        keep(l, data, len);
        return;
    }
    while (text_end > data && is_blank(text_end[-1]))
        text_end--;
    begin = memrchr(data, '\n', (size_t)(text_end - data));
    if (begin != NULL) {
        /* What came before in pieces is not the last any more. */
        l->len = 0;
        l->cut = false;
    }
    begin = begin != NULL ? begin + 1 : data;
    end = memchr(begin, '\n', (size_t)(last_end + 1 - begin));
    lines_feed(l, begin, (size_t)(end + 1 - begin));
    keep(l, last_end + 1, (size_t)(data + len - (last_end + 1)));
}

void
lines_end(struct lines *l)
{
    if (l->len > 0)
        hand_over(l);
}
