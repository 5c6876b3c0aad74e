/*
 * Errors in the shape of PostgREST, so that supabase-js finds what it looks for.
 */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/errors.h"
#include "gateway/internal.h"

/* Texts of the server are UTF-8; what is not becomes null rather than no JSON at all. */
const char *
trouble_json(const struct trouble *t, struct arena *arena)
{
    json_t *body = json_pack("{s:s*, s:s*, s:s*, s:s*}", "code", t->code, "message", t->message,
                             "details", t->details, "hint", t->hint);
    const char *keys[] = {"code", "message", "details", "hint"}, *copy;
    char *text;

    if (body == NULL)
        body = json_object();
    for (size_t i = 0; i < LENGTH(keys); i++) {
        if (json_object_get(body, keys[i]) == NULL)
            json_object_set_new(body, keys[i], json_null());
    }
    text = json_dumps(body, JSON_COMPACT);
    if (text == NULL)
        abort();
    copy = arena_strdup(arena, text);
    free(text);
    json_decref(body);
    return copy;
}

void
answer_trouble(struct web_request *r, const struct trouble *t)
{
    const char *body = trouble_json(t, web_arena(r));
    char seconds[16];

    if (http_retry_after_s(t->status) > 0) {
        snprintf(seconds, sizeof(seconds), "%d", http_retry_after_s(t->status));
        web_add_header(r, "Retry-After", seconds);
    }
    web_answer(r, t->status, "application/json; charset=utf-8", body, strlen(body));
}

void
answer_refused(struct web_request *r, int status, const char *code, const char *format, ...)
{
    char message[512];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    answer_trouble(r, &(struct trouble){.status = status, .code = code, .message = message});
}
