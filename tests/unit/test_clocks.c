/* What is surely a difference of two clocks, and what may be the way between them. */
#include <string.h>

#include "queue/queue.h"
#include "tap.h"

static struct health
judged(int64_t server_ms, char finding[QUEUE_FINDING])
{
    struct health h;

    queue_judge_clock(server_ms, 100000, 101000, finding, &h);
    return h;
}

int
main(void)
{
    char finding[QUEUE_FINDING];
    struct health h = judged(100500, finding);

    is_int((int64_t)h.value, 0, "between question and answer: no difference");
    is_str(h.level, "ok", "all is well");
    is_str(h.finding, "", "and nothing is said");
    h = judged(102900, finding);
    is_int((int64_t)h.value, 1900, "a bit ahead of the answer");
    is_str(h.level, "ok", "is no reason to worry");
    h = judged(103500, finding);
    is_str(h.level, "warn", "more than two seconds are");
    is_str(h.finding, "the clock of the server is 2.5 s ahead of that of this host",
           "it is said by how much");
    h = judged(95900, finding);
    is_int((int64_t)h.value, -4100, "before the question: it is behind");
    is_str(h.finding, "the clock of the server is 4.1 s behind that of this host", "by how much");
    h = judged(100000 + 3600000, finding);
    is_str(h.level, "error", "an hour is an error");
    return done_testing();
}
