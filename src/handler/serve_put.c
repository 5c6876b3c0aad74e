/*
 * What a program is told.
 */
#include <string.h>

#include "handler/serve_frame.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wcast-align"
#pragma GCC diagnostic ignored "-Wundef"
#include <msgpack.h>
#pragma GCC diagnostic pop

struct writing {
    struct buf *out;
    size_t start;
    msgpack_packer pk;
};

static int
append(void *out, const char *data, size_t len)
{
    buf_add(out, data, len);
    return 0;
}

static void
put_text(struct writing *w, const char *text, size_t len)
{
    msgpack_pack_str_with_body(&w->pk, text, len);
}

static void
put(struct writing *w, const char *text)
{
    put_text(w, text, strlen(text));
}

static void
put_pair(struct writing *w, const char *key, const char *text)
{
    put(w, key);
    put(w, text);
}

static void
put_number(struct writing *w, const char *key, int64_t number)
{
    put(w, key);
    msgpack_pack_int64(&w->pk, number);
}

static void
begin(struct writing *w, struct buf *out, size_t elements, const char *type)
{
    *w = (struct writing){.out = out, .start = out->len};
    buf_add(out, "\0\0\0", SERVE_HEAD); /* the length, when it is known */
    msgpack_packer_init(&w->pk, out, append);
    msgpack_pack_array(&w->pk, elements);
    put(w, type);
}

static void
end(struct writing *w)
{
    size_t body = w->out->len - w->start - SERVE_HEAD;

    for (size_t i = 0; i < SERVE_HEAD; i++)
        w->out->data[w->start + i] = (char)(body >> (8 * (SERVE_HEAD - 1 - i)));
}

void
serve_put_hello(struct buf *out, const struct serve_terms *terms)
{
    struct writing w;

    begin(&w, out, 2, "hello");
    msgpack_pack_map(&w.pk, 5);
    put_number(&w, "version", SERVE_VERSION);
    put_pair(&w, "kind", terms->kind);
    put_number(&w, "in_flight", terms->in_flight);
    put_number(&w, "payload_max", (int64_t)terms->payload_max);
    put_number(&w, "result_max", (int64_t)terms->result_max);
    end(&w);
}

void
serve_put_job(struct buf *out, int64_t ref, const struct job *job, int64_t timeout_ms,
              const char *traceparent)
{
    struct writing w;

    begin(&w, out, 4, "job");
    msgpack_pack_int64(&w.pk, ref);
    msgpack_pack_map(&w.pk, 10);
    put_number(&w, "id", job->id);
    put_pair(&w, "kind", job->kind);
    put_pair(&w, "queue", job->queue);
    put_number(&w, "attempt", job->attempt);
    put_number(&w, "max_attempts", job->max_attempts);
    put_pair(&w, "batch_id", job->batch_id);
    put_pair(&w, "user_id", job->user_id);
    put_number(&w, "token", job->token);
    put_number(&w, "timeout_ms", timeout_ms);
    put_pair(&w, "traceparent", traceparent);
    put_text(&w, job->payload, job->payload_len);
    end(&w);
}

void
serve_put_cancel(struct buf *out, int64_t ref, const char *why)
{
    struct writing w;

    begin(&w, out, 3, "cancel");
    msgpack_pack_int64(&w.pk, ref);
    put(&w, why);
    end(&w);
}

void
serve_put_heartbeat(struct buf *out, int64_t number)
{
    struct writing w;

    begin(&w, out, 2, "heartbeat");
    msgpack_pack_int64(&w.pk, number);
    end(&w);
}

void
serve_put_drain(struct buf *out)
{
    struct writing w;

    begin(&w, out, 1, "drain");
    end(&w);
}
