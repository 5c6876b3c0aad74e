#include "dashboard/daemon_json.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#define DEPTH_MAX 16

static void add(const msgpack_object *value, struct buf *sink, int depth);

static void
add_text(const msgpack_object *value, struct buf *sink)
{
    json_t *text = json_stringn(value->via.str.ptr, value->via.str.size);
    char *shown = text != NULL ? json_dumps(text, JSON_ENCODE_ANY) : NULL;

    buf_add_text(sink, shown != NULL ? shown : "null");
    free(shown);
    json_decref(text);
}

static void
add_array(const msgpack_object_array *array, struct buf *sink, int depth)
{
    buf_add_text(sink, "[");
    for (uint32_t i = 0; i < array->size; i++) {
        buf_add_text(sink, i > 0 ? "," : "");
        add(&array->ptr[i], sink, depth);
    }
    buf_add_text(sink, "]");
}

/* Histograms, and lists of them. */
static bool
is_left_out(const msgpack_object *value, int depth)
{
    return depth == 1 && (value->type == MSGPACK_OBJECT_ARRAY ||
                          (value->type == MSGPACK_OBJECT_MAP && value->via.map.size > 0 &&
                           value->via.map.ptr[0].val.type == MSGPACK_OBJECT_ARRAY));
}

static void
add_map(const msgpack_object_map *map, struct buf *sink, int depth)
{
    const char *gap = "";

    buf_add_text(sink, "{");
    for (uint32_t i = 0; i < map->size; i++) {
        if (map->ptr[i].key.type != MSGPACK_OBJECT_STR || is_left_out(&map->ptr[i].val, depth))
            continue;
        buf_add_text(sink, gap);
        add_text(&map->ptr[i].key, sink);
        buf_add_text(sink, ":");
        add(&map->ptr[i].val, sink, depth);
        gap = ",";
    }
    buf_add_text(sink, "}");
}

static void
add(const msgpack_object *value, struct buf *sink, int depth)
{
    if (depth > DEPTH_MAX)
        buf_add_text(sink, "null");
    else if (value->type == MSGPACK_OBJECT_BOOLEAN)
        buf_add_text(sink, value->via.boolean ? "true" : "false");
    else if (value->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
        buf_printf(sink, "%" PRIu64, value->via.u64);
    else if (value->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
        buf_printf(sink, "%" PRId64, value->via.i64);
    else if ((value->type == MSGPACK_OBJECT_FLOAT32 || value->type == MSGPACK_OBJECT_FLOAT64) &&
             isfinite(value->via.f64))
        buf_printf(sink, "%.17g", value->via.f64);
    else if (value->type == MSGPACK_OBJECT_STR)
        add_text(value, sink);
    else if (value->type == MSGPACK_OBJECT_ARRAY)
        add_array(&value->via.array, sink, depth + 1);
    else if (value->type == MSGPACK_OBJECT_MAP)
        add_map(&value->via.map, sink, depth + 1);
    else
        buf_add_text(sink, "null");
}

void
daemon_json(const msgpack_object *value, struct buf *sink)
{
    add(value, sink, 0);
}
