#include "handler/complaint.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

/* An error is one line for people. */
#define LAST_LINE_MAX 400

static bool
is_blank(const char *text)
{
    return text[strspn(text, " \t\r")] == '\0';
}

static void
say(const struct complaint *c, const char *text, const char *more)
{
    if (c->job != NULL)
        log_job(LOG_LEVEL_INFO, c->job->id, c->job->kind, "%s%s", text, more);
    else
        log_info("%s: %s%s", c->program, text, more);
}

/* False when it has written its share; once it is said so. */
static bool
may_log(struct complaint *c, size_t cost)
{
    if (c->silenced)
        return false;
    c->logged_bytes += (int64_t)cost;
    if (c->logged_bytes <= COMPLAINT_LOG_BYTES)
        return true;
    c->silenced = true;
    say(c, "further stderr is not forwarded", "");
    return false;
}

static void
on_line(void *owner, const char *text, size_t len, bool cut)
{
    struct complaint *c = owner;

    if (is_blank(text)) {
        (void)may_log(c, 1); /* not forwarded, but not for nothing either */
        return;
    }
    memcpy(c->last, text, len + 1);
    if (may_log(c, len + COMPLAINT_LINE_COST))
        say(c, text, cut ? " [cut]" : "");
}

void
complaint_init(struct complaint *c, const struct job *job, const char *program, size_t line_max,
               size_t tail_max, struct arena *arena)
{
    *c = (struct complaint){.job = job, .program = program, .tail_max = tail_max};
    c->lines = (struct lines){.max = line_max, .line = on_line, .owner = c};
    c->lines.text = arena_alloc(arena, line_max + 1);
    c->last = arena_alloc(arena, line_max + 1);
}

void
complaint_release(struct complaint *c)
{
    buf_release(&c->tail);
}

static void
keep_tail(struct complaint *c, const char *data, size_t len)
{
    if (len > c->tail_max) {
        data += len - c->tail_max;
        len = c->tail_max;
    }
    /* Moved only when twice the tail has come, or each line would move it all. */
    if (c->tail.len + len > 2 * c->tail_max)
        buf_drop_front(&c->tail, c->tail.len - (c->tail_max - len));
    buf_add(&c->tail, data, len);
}

void
complaint_add(struct complaint *c, const char *data, size_t len)
{
    keep_tail(c, data, len);
    if (c->silenced)
        lines_feed_last(&c->lines, data, len);
    else
        lines_feed(&c->lines, data, len);
}

void
complaint_keep(struct complaint *c, const char *data, size_t len)
{
    bool silenced = c->silenced;

    c->silenced = true;
    complaint_add(c, data, len);
    c->silenced = silenced;
}

void
complaint_refill(struct complaint *c)
{
    c->logged_bytes = 0;
    c->silenced = false;
}

void
complaint_forget(struct complaint *c)
{
    buf_clear(&c->tail);
    c->last[0] = '\0';
}

void
complaint_end(struct complaint *c)
{
    lines_end(&c->lines);
}

/* text_printable() for each stretch between line ends and tabs, which stay. */
static void
print_lines(struct buf *ret, const char *text, size_t len)
{
    while (len > 0) {
        size_t stretch = 0;

        while (stretch < len && text[stretch] != '\n' && text[stretch] != '\t')
            stretch++;
        text_printable(buf_reserve(ret, stretch * 4 + 1), stretch * 4 + 1, text, stretch);
        ret->len += strlen(ret->data + ret->len);
        if (stretch < len)
            buf_add(ret, text + stretch++, 1);
        text += stretch;
        len -= stretch;
    }
}

char *
complaint_tail(struct complaint *c, struct arena *arena)
{
    AUTO(buf) struct buf printed = {.data = NULL};
    size_t skip = c->tail.len > c->tail_max ? c->tail.len - c->tail_max : 0, most = skip + 3;

    if (c->tail.len == 0)
        return NULL;
    /* Do not begin within a character, which has no more than three such bytes. */
    while (skip > 0 && skip < most && skip < c->tail.len &&
           ((unsigned char)c->tail.data[skip] & 0xc0) == 0x80)
        skip++;
    print_lines(&printed, c->tail.data + skip, c->tail.len - skip);
    return arena_memdup(arena, buf_text(&printed), printed.len);
}

char *
complaint_last_line(const struct complaint *c, struct arena *arena)
{
    char *text;

    if (c->last[0] == '\0')
        return NULL;
    text = arena_alloc(arena, LAST_LINE_MAX);
    text_printable(text, LAST_LINE_MAX, c->last, strlen(c->last));
    return text;
}
