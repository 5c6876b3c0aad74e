#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
buf_release(struct buf *b)
{
    if (b == NULL)
        return;
    free(b->data);
    *b = (struct buf){.data = NULL};
}

void
buf_clear(struct buf *b)
{
    b->len = 0;
    if (b->data != NULL)
        b->data[0] = '\0';
}

char *
buf_reserve(struct buf *b, size_t len)
{
    size_t wish = b->len + len + 1;

    if (wish > b->room) {
        size_t room = b->room < 64 ? 64 : b->room;

        while (room < wish)
            room *= 2;
        b->data = xrealloc(b->data, room);
        b->room = room;
        b->data[b->len] = '\0';
    }
    return b->data + b->len;
}

void
buf_add(struct buf *b, const void *data, size_t len)
{
    char *p = buf_reserve(b, len);

    if (len > 0)
        memcpy(p, data, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void
buf_add_text(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void
buf_printf(struct buf *b, const char *format, ...)
{
    va_list args, again;
    int len;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    vsnprintf(buf_reserve(b, (size_t)len), (size_t)len + 1, format, again);
    b->len += (size_t)len;
    va_end(again);
    va_end(args);
}

void
buf_drop_front(struct buf *b, size_t len)
{
    if (len == 0)
        return;
    memmove(b->data, b->data + len, b->len - len + 1);
    b->len -= len;
}

const char *
buf_text(const struct buf *b)
{
    return b->data != NULL ? b->data : "";
}
