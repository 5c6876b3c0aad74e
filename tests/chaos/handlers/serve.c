/* The handler of the way `serve`: pgcrew-handler(7), by the client that is shipped. */
#include <string.h>

#include "act.h"
#include "pgcrew_handler.h"

static void
work(struct pgcrew_job *job)
{
    msgpack_object kind = pgcrew_fact(job, "kind");
    char name[101] = "";
    struct act_job what = {
        .id = pgcrew_fact(job, "id").via.i64,
        .token = pgcrew_fact(job, "token").via.i64,
        .attempt = (int)pgcrew_fact(job, "attempt").via.i64,
        .kind = name,
    };

    memcpy(name, kind.via.str.ptr, kind.via.str.size < 100 ? kind.via.str.size : 100);
    switch (act(&what)) {
    case ACT_DONE:
        pgcrew_result(job, "{\"done\": true}");
        break;
    case ACT_FAILED:
        pgcrew_failure(job, "failed by lot", "retry", -1);
        break;
    case ACT_LATER:
        pgcrew_failure(job, "not now", "snooze", 50);
        break;
    case ACT_NEVER:
        pgcrew_failure(job, "never by lot", "never", -1);
        break;
    }
}

int
main(void)
{
    pgcrew_serve("chaos", work);
    return 0;
}
