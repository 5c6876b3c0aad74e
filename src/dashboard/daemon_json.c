#include "dashboard/daemon_json.h"

#include <stdlib.h>

#include "metrics/facts.h"

/* Histograms, and lists of them. */
static bool
is_for_metrics(json_t *value)
{
    return json_is_array(value) || json_is_array(json_object_iter_value(json_object_iter(value)));
}

void
daemon_json(const msgpack_object *value, struct buf *sink)
{
    json_t *facts = facts_from_msgpack(value), *one;
    const char *name;
    void *next;
    char *text;

    json_object_foreach_safe(facts, next, name, one)
    {
        if (is_for_metrics(one))
            json_object_del(facts, name);
    }
    text = json_dumps(facts, JSON_COMPACT | JSON_ENCODE_ANY);
    buf_add_text(sink, text != NULL ? text : "null");
    free(text);
    json_decref(facts);
}
