#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BLOCK 2048
#define LARGEST_BLOCK ((size_t)64 * 1024)

struct arena_block {
    struct arena_block *next;
    size_t used;
    size_t size;
    max_align_t data[];
};

void
arena_init(struct arena *a)
{
    *a = (struct arena){.blocks = NULL};
}

void
arena_release(struct arena *a)
{
    struct arena_block *next;

    if (a == NULL)
        return;
    for (struct arena_block *b = a->blocks; b != NULL; b = next) {
        next = b->next;
        free(b);
    }
    arena_init(a);
}

static struct arena_block *
add_block(struct arena *a, size_t wish)
{
    size_t size = a->blocks != NULL ? a->blocks->size * 2 : FIRST_BLOCK;
    struct arena_block *b;

    if (size > LARGEST_BLOCK)
        size = LARGEST_BLOCK;
    if (size < wish)
        size = wish;
    b = xmalloc(sizeof(*b) + size);
    *b = (struct arena_block){.next = a->blocks, .size = size};
    a->blocks = b;
    a->total_bytes += size;
    return b;
}

void *
arena_alloc(struct arena *a, size_t size)
{
    size_t rounded = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    struct arena_block *b = a->blocks;
    char *p;

    if (b == NULL || b->size - b->used < rounded)
        b = add_block(a, rounded);
    p = (char *)b->data + b->used;
    b->used += rounded;
    memset(p, 0, rounded);
    return p;
}

char *
arena_memdup(struct arena *a, const void *data, size_t len)
{
    char *p = arena_alloc(a, len + 1);

    if (len > 0)
        memcpy(p, data, len);
    return p;
}

char *
arena_strdup(struct arena *a, const char *text)
{
    return arena_memdup(a, text, strlen(text));
}

char *
arena_printf(struct arena *a, const char *format, ...)
{
    va_list args, again;
    char *p;
    int len;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    p = arena_alloc(a, (size_t)len + 1);
    vsnprintf(p, (size_t)len + 1, format, again);
    va_end(again);
    va_end(args);
    return p;
}
