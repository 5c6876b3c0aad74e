/* The handler of the way `module`: pgcrew-module(7). */
#include <pgcrew/handler.h>

#include "act.h"

static enum pgcrew_end
part(struct pgcrew_job *job)
{
    static const enum pgcrew_end ends[] = {[ACT_DONE] = PGCREW_DONE,
                                           [ACT_FAILED] = PGCREW_FAILED,
                                           [ACT_LATER] = PGCREW_LATER,
                                           [ACT_NEVER] = PGCREW_NEVER};
    struct act_job what = {
        .id = job->id, .token = job->token, .attempt = job->attempt, .kind = job->kind};

    return ends[act(&what)];
}

static const struct pgcrew_function functions[] = {{"part", part}, {NULL, NULL}};

PGCREW_MODULE(.name = "chaos", .functions = functions);
