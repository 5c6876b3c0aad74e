/* Lines out of a stream that comes in pieces. */
#include "handler/lines.h"

#include <stdlib.h>

#include "base/base.h"
#include "tap.h"

#define LINE_MAX_BYTES 8
#define ROUNDS 20000
#define PIECES 6
#define PIECE_MAX 64
#define ROOM (PIECES * PIECE_MAX + 1)

struct seen {
    char text[8][ROOM];
    bool cut[8];
    int n;
    char last[ROOM]; /* that is not blank */
};

static void
on_line(void *owner, const char *text, size_t len, bool cut)
{
    struct seen *seen = owner;

    memcpy(seen->text[seen->n % 8], text, len + 1);
    seen->cut[seen->n++ % 8] = cut;
    if (text[strspn(text, " \t\r")] != '\0')
        memcpy(seen->last, text, len + 1);
}

static struct lines
lines_to(struct seen *seen, char *room, size_t max)
{
    *seen = (struct seen){.n = 0};
    return (struct lines){.text = room, .max = max, .line = on_line, .owner = seen};
}

static void
test_lines(void)
{
    static const char pieces[] = "one\r\ntw|o\n\n|12345678\n123456789|0\n\rx\0y|";
    char room[LINE_MAX_BYTES + 1];
    struct seen seen;
    struct lines l = lines_to(&seen, room, LINE_MAX_BYTES);
    const char *at = pieces, *end;

    while ((end = memchr(at, '|', sizeof(pieces) - (size_t)(at - pieces))) != NULL) {
        lines_feed(&l, at, (size_t)(end - at));
        at = end + 1;
    }
    is_int(seen.n, 5, "each line once");
    is_str(seen.text[0], "one", "without its end");
    is_str(seen.text[1], "two", "out of two pieces");
    is_str(seen.text[2], "", "an empty one");
    ok(strcmp(seen.text[3], "12345678") == 0 && !seen.cut[3], "of the largest length");
    ok(strcmp(seen.text[4], "12345678") == 0 && seen.cut[4], "longer: cut, and said so");
    lines_end(&l);
    is_str(seen.text[5], "\rx?y", "the last may lack its end; no NUL is in it");
    lines_end(&l);
    is_int(seen.n, 6, "and is handed over once");
}

/* Random text of few different characters, in random pieces, both ways. */
static bool
is_same_last(void)
{
    static const char letters[] = "\n\n\r \tab";
    static char rooms[2][ROOM];
    char data[PIECE_MAX];
    static struct seen all, last;
    struct lines every = lines_to(&all, rooms[0], ROOM - 1),
                 some = lines_to(&last, rooms[1], ROOM - 1);

    for (int piece = rand() % PIECES; piece >= 0; piece--) {
        size_t len = (size_t)rand() % sizeof(data);

        for (size_t i = 0; i < len; i++)
            data[i] = letters[(size_t)rand() % (sizeof(letters) - 1)];
        lines_feed(&every, data, len);
        lines_feed_last(&some, data, len);
    }
    lines_end(&every);
    lines_end(&some);
    return strcmp(all.last, last.last) == 0 && last.n <= all.n;
}

static void
test_last(void)
{
    char room[LINE_MAX_BYTES + 1];
    struct seen seen;
    struct lines l = lines_to(&seen, room, LINE_MAX_BYTES);
    int same = 0;

    lines_feed_last(&l, "a\nb\nc\n\n \n", 9);
    ok(seen.n == 1 && strcmp(seen.text[0], "c") == 0, "only the last that is not blank");
    srand(4711);
    for (int i = 0; i < ROUNDS; i++)
        same += is_same_last();
    is_int(same, ROUNDS, "the last is the same, whatever the pieces");
}

int
main(void)
{
    test_lines();
    test_last();
    return done_testing();
}
