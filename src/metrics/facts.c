#include "metrics/facts.h"

#include <stdio.h>

json_t *
facts_from_text(const char *text, size_t len)
{
    json_t *value = json_stringn(text, len);

    return value != NULL ? value : json_string("(not UTF-8)");
}

json_t *
facts_from_real(double number)
{
    json_t *value = json_real(number);

    return value != NULL ? value : json_null();
}

static json_t *
from_map(const msgpack_object_map *map)
{
    json_t *object = json_object();

    for (uint32_t i = 0; i < map->size; i++) {
        const msgpack_object *key = &map->ptr[i].key;
        char name[64];

        rpc_text(key, name, sizeof(name));
        json_object_set_new(object, name, facts_from_msgpack(&map->ptr[i].val));
    }
    return object;
}

static json_t *
from_array(const msgpack_object_array *array)
{
    json_t *all = json_array();

    for (uint32_t i = 0; i < array->size; i++)
        json_array_append_new(all, facts_from_msgpack(&array->ptr[i]));
    return all;
}

json_t *
facts_from_msgpack(const msgpack_object *o)
{
    switch (o->type) {
    case MSGPACK_OBJECT_BOOLEAN:
        return json_boolean(o->via.boolean);
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        return json_integer((json_int_t)o->via.u64);
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        return json_integer(o->via.i64);
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        return facts_from_real(o->via.f64);
    case MSGPACK_OBJECT_STR:
        return facts_from_text(o->via.str.ptr, o->via.str.size);
    case MSGPACK_OBJECT_ARRAY:
        return from_array(&o->via.array);
    case MSGPACK_OBJECT_MAP:
        return from_map(&o->via.map);
    case MSGPACK_OBJECT_NIL:
    case MSGPACK_OBJECT_BIN:
    case MSGPACK_OBJECT_EXT:
        break;
    }
    return json_null();
}
