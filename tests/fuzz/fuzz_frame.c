/* What a program of `serve` says: frames, and what is inside of them. */
#include "fuzz.h"

#include "base/pack.h"
#include "serve/frame.h"

#define BODY_MAX 4096
#define WAIT_MAX_MS ((int64_t)30 * 24 * 3600 * 1000)

static void
look(const struct serve_frame *f, const char *body, size_t len)
{
    must(f->type <= SERVE_FAILURE && f->job >= -1 && f->again <= SERVE_SNOOZE);
    must(f->percent >= -1 && f->percent <= 100);
    must(f->wait_ms >= -1 && f->wait_ms <= WAIT_MAX_MS);
    must(f->type != SERVE_HELLO || (f->version == SERVE_VERSION && f->in_flight > 0));
    must(f->text.data == NULL ||
         (f->text.data >= body && f->text.len <= len - (size_t)(f->text.data - body)));
}

static void
read_body(const char *data, size_t len)
{
    char *body = xmalloc(len);
    struct serve_frame frame;
    struct err err = {0};

    memcpy(body, data, len);
    if (serve_read(body, len, &frame, &err)) {
        look(&frame, body, len);
    } else {
        must_say(&err);
        must(err.class == ERR_PERMANENT);
    }
    free(body);
}

static void
read_stream(const char *data, size_t len)
{
    size_t at = 0, body = 0;
    enum serve_cut cut;

    while ((cut = serve_cut(data + at, len - at, BODY_MAX, &body)) == SERVE_WHOLE) {
        must(body > 0 && body <= BODY_MAX && SERVE_HEAD + body <= len - at);
        read_body(data + at + SERVE_HEAD, body);
        at += SERVE_HEAD + body;
    }
    must(cut != SERVE_BAD || body == 0 || body > BODY_MAX);
}

/* What we tell a program is one frame of one value, whatever a job is called. */
static void
put(const char *text, size_t len)
{
    struct job job = {.id = 1, .kind = text, .queue = text, .batch_id = "", .user_id = ""};
    AUTO(buf) struct buf out = {0};
    struct pack_reader r;
    size_t body = 0;

    job.payload = text;
    job.payload_len = len;
    serve_put_job(&out, 1, &job, 1000, "00-");
    must(serve_cut(out.data, out.len, out.len, &body) == SERVE_WHOLE);
    must(body + SERVE_HEAD == out.len);
    r = (struct pack_reader){out.data + SERVE_HEAD, out.data + out.len};
    must(pack_skip(&r, 1) == PACK_WHOLE && r.at == r.end);
    buf_clear(&out);
    serve_put_cancel(&out, 1, text);
    must(serve_cut(out.data, out.len, out.len, &body) == SERVE_WHOLE);
    must(body + SERVE_HEAD == out.len);
}

static void
fuzz(const char *data, size_t len)
{
    struct input in = {data, len};
    char *text;

    if (len > 0) {
        read_stream(data, len);
        read_body(data, len);
    }
    text = take_text(&in);
    put(text, len);
    free(text);
}
