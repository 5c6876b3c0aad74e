/* What a handler prints on stderr: the tail and the last line that are kept of it. */
#include "fuzz.h"

#include "base/log.h"
#include "handler/complaint.h"

#define LINE_BYTES 200
#define TAIL 300

static void
look(struct complaint *c, struct arena *a, bool said)
{
    char *tail = complaint_tail(c, a), *last = complaint_last_line(c, a);

    must(said == (tail != NULL && tail[0] != '\0'));
    if (tail != NULL)
        must(is_clean_but(tail, "\n\t") && strlen(tail) <= (size_t)TAIL * 4);
    must(last == NULL || (last[0] != '\0' && is_clean(last) && strlen(last) < 400));
}

static void
fuzz(const char *data, size_t len)
{
    struct input in = {data, len};
    const struct job job = {.id = 1, .kind = "mail"};
    size_t piece = (size_t)take_byte(&in) + 1;
    bool keeps = take_byte(&in) % 2 == 1;
    struct complaint c;
    struct arena a;

    log_set_level(LOG_LEVEL_ERROR);
    arena_init(&a);
    complaint_init(&c, &job, NULL, LINE_BYTES, TAIL, &a);
    for (size_t at = 0; at < in.left; at += piece) {
        size_t n = piece < in.left - at ? piece : in.left - at;

        if (keeps)
            complaint_keep(&c, in.at + at, n);
        else
            complaint_add(&c, in.at + at, n);
    }
    complaint_end(&c);
    must(in.left == 0 || c.tail.len >= (in.left < TAIL ? in.left : TAIL));
    must(c.tail.len <= (size_t)TAIL * 2);
    look(&c, &a, in.left > 0);
    complaint_forget(&c);
    must(complaint_tail(&c, &a) == NULL && complaint_last_line(&c, &a) == NULL);
    complaint_release(&c);
    arena_release(&a);
}
