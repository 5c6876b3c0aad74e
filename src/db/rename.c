#include "db/rename.h"

#include <ctype.h>
#include <string.h>

/* "pgcr" as a number is 1885823858; the lock classes of the queue are that and a few above. */
#define LOCK_CLASS_LENGTH 10
#define LOCK_CLASS_START "18858238"
#define OTHER_CLASS_START "18858237"

struct word {
    const char *text;
    size_t len;
};

static bool
is_in_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool
word_is(struct word w, const char *text)
{
    return w.len == strlen(text) && memcmp(w.text, text, w.len) == 0;
}

static bool
word_is_any(struct word w, const char *const *texts)
{
    for (; *texts != NULL; texts++) {
        if (word_is(w, *texts))
            return true;
    }
    return false;
}

/* before is the word before this one, "" if anything but blanks stands between. */
static bool
names_the_queue(const char *sql, struct word w, struct word before)
{
    static const char *const schemas[] = {"public", "pgcrew", NULL};
    static const char *const commands[] = {"schema", "listen", "notify", NULL};
    const char *end = w.text + w.len;

    if (word_is(w, "pgrst")) /* who reads this schema is told nothing of the other */
        return word_is(before, "notify");
    if (!word_is_any(w, schemas))
        return false;
    return *end == '.' || word_is_any(before, commands) ||
           (*end == '\'' && w.text > sql && w.text[-1] == '\'');
}

static bool
is_lock_class(struct word w)
{
    size_t start = strlen(LOCK_CLASS_START);

    return w.len == LOCK_CLASS_LENGTH && memcmp(w.text, LOCK_CLASS_START, start) == 0;
}

static void
put_word(const char *sql, struct word w, struct word before, const char *schema, struct buf *ret)
{
    if (names_the_queue(sql, w, before)) {
        buf_add_text(ret, schema);
    } else if (is_lock_class(w)) {
        buf_add_text(ret, OTHER_CLASS_START);
        buf_add(ret, w.text + strlen(OTHER_CLASS_START),
                LOCK_CLASS_LENGTH - strlen(OTHER_CLASS_START));
    } else {
        buf_add(ret, w.text, w.len);
    }
}

void
rename_queue(const char *sql, const char *schema, struct buf *ret)
{
    struct word before = {"", 0};
    const char *at = sql;

    while (*at != '\0') {
        struct word w = {at, 0};

        while (is_in_word(at[w.len]))
            w.len++;
        if (w.len > 0) {
            put_word(sql, w, before, schema, ret);
            before = w;
            at += w.len;
        } else {
            if (!isspace((unsigned char)*at))
                before = (struct word){"", 0};
            buf_add(ret, at++, 1);
        }
    }
}
