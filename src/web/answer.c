/* Answers: headers, bodies, errors.  A request has one; a second one is a bug and aborts. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "web/internal.h"

/* A client takes its answer at so many bytes a second, at least. */
#define SLOWEST_BYTES_A_SECOND 8192

#define JSON "application/json; charset=utf-8"

static void NORETURN
bug(const char *what)
{
    log_error("web: %s", what);
    abort();
}

void
begin_answer(struct web_request *r)
{
    if (r->is_answered)
        bug("a request was answered twice");
    r->is_answered = true;
}

int64_t
answer_ms(const struct web_request *r)
{
    return r->web->options.request_ms + (int64_t)(r->answer_bytes / SLOWEST_BYTES_A_SECOND * 1000);
}

void
web_add_header(struct web_request *r, const char *name, const char *value)
{
    struct header *h = arena_alloc(&r->arena, sizeof(*h));

    if (strpbrk(name, "\r\n") != NULL || strpbrk(value, "\r\n") != NULL)
        bug("a header has a line end in it");
    h->name = arena_strdup(&r->arena, name);
    h->value = arena_strdup(&r->arena, value);
    *r->headers_end = h;
    r->headers_end = &h->next;
}

static void
answer(struct web_request *r, int status, const char *type, const void *body, size_t len,
       enum MHD_ResponseMemoryMode mode)
{
    begin_answer(r);
    r->status = status;
    if (r->web == NULL || r->mhd == NULL) {
        request_release(r);
        return;
    }
    web_count_answer(r->web, r, status);
    /* libmicrohttpd does not change what it is given. */
    r->response = MHD_create_response_from_buffer(len, (void *)(uintptr_t)body, mode);
    if (r->response == NULL)
        bug("out of memory");
    r->answer_bytes = len;
    if (type != NULL)
        MHD_add_response_header(r->response, "Content-Type", type);
    for (const struct header *h = r->headers; h != NULL; h = h->next)
        MHD_add_response_header(r->response, h->name, h->value);
    if (r->must_close || r->web->is_draining)
        MHD_add_response_header(r->response, "Connection", "close");
    request_resume(r);
}

void
web_answer(struct web_request *r, int status, const char *type, const void *body, size_t len)
{
    answer(r, status, type, type != NULL ? body : NULL, type != NULL ? len : 0,
           MHD_RESPMEM_MUST_COPY);
}

void
web_answer_static(struct web_request *r, int status, const char *type, const void *body, size_t len)
{
    answer(r, status, type, body, len, MHD_RESPMEM_PERSISTENT);
}

static void
add_json_text(struct buf *out, const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\')
            buf_printf(out, "\\%c", *p);
        else if ((unsigned char)*p < ' ')
            buf_printf(out, "\\u%04x", (unsigned)*p);
        else
            buf_add(out, p, 1);
    }
}

void
web_answer_error(struct web_request *r, int status, const char *message)
{
    AUTO(buf) struct buf body = {0};

    if (r->web != NULL && r->web->options.error != NULL) {
        r->web->options.error(r, status, message, r->web->options.owner);
        return;
    }
    buf_printf(&body, "{\"code\":\"%d\",\"message\":\"", status);
    add_json_text(&body, message);
    buf_add_text(&body, "\",\"details\":null,\"hint\":null}");
    web_answer(r, status, JSON, body.data, body.len);
}
