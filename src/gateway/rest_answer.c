#include "gateway/rest_answer.h"

#include <inttypes.h>
#include <stdio.h>

static void
show_range(const struct rest_query *q, const struct rest_found *found, char range[REST_RANGE_SIZE])
{
    char rows[42] = "*", total[21] = "*";

    if (found->rows > 0 && found->total != 0)
        snprintf(rows, sizeof(rows), "%" PRId64 "-%" PRId64, q->offset,
                 q->offset + found->rows - 1);
    if (found->total >= 0)
        snprintf(total, sizeof(total), "%" PRId64, found->total);
    snprintf(range, REST_RANGE_SIZE, "%s/%s", rows, total);
}

int
rest_judge(struct rest_query *q, const struct rest_found *found, char range[REST_RANGE_SIZE])
{
    show_range(q, found, range);
    if (q->single && found->rows != 1)
        rest_refuse(q, 406, "PGRST116",
                    arena_printf(q->arena, "The result contains %" PRId64 " rows", found->rows),
                    "Cannot coerce the result to a single JSON object");
    if (found->total >= 0 && q->offset > found->total)
        rest_refuse(q, 416, "PGRST103",
                    arena_printf(q->arena,
                                 "An offset of %" PRId64 " was requested, but there are only "
                                 "%" PRId64 " rows.",
                                 q->offset, found->total),
                    "Requested range not satisfiable");
    if (q->refused.status != 0)
        return q->refused.status;
    return found->total >= 0 && found->rows < found->total ? 206 : 200;
}

const char *
rest_content_type(const struct rest_query *q)
{
    if (q->strips_nulls)
        return q->single ? "application/vnd.pgrst.object+json;nulls=stripped; charset=utf-8"
                         : "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8";
    return q->single ? "application/vnd.pgrst.object+json; charset=utf-8"
                     : "application/json; charset=utf-8";
}
