/* The handler of the way `exec`: pgcrew-exec(7). */
#include <stdio.h>
#include <stdlib.h>

#include "act.h"

static const char *
fact(const char *name)
{
    const char *value = getenv(name);

    return value == NULL ? "" : value;
}

static void
tell(const struct act_job *job, int percent)
{
    (void)job;
    dprintf(3, "%d at work\n", percent);
}

int
main(void)
{
    static const int status[] = {
        [ACT_DONE] = 0, [ACT_FAILED] = 1, [ACT_LATER] = 75, [ACT_NEVER] = 65};
    struct act_job job = {
        .id = atoll(fact("PGCREW_JOB_ID")),
        .token = atoll(fact("PGCREW_TOKEN")),
        .attempt = atoi(fact("PGCREW_ATTEMPT")),
        .kind = fact("PGCREW_JOB_KIND"),
        .progress = tell,
    };

    return status[act(&job)];
}
