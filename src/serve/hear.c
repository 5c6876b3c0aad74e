/*
 * What a program says: frames on its socket, lines on stdout and stderr.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "handler/progress.h"
#include "handler/result.h"
#include "serve/serve.h"

#define READ_BYTES (64 * 1024)
/* Heard in one go, when all is to be heard: a program that never stops must not hold us up. */
#define READS_MAX 16
/* Of a frame, besides the result. */
#define FRAME_ROOM (64 * 1024)
/* More than this is not kept between frames. */
#define KEPT_BYTES ((size_t)1024 * 1024)
/* An error is one line for people. */
#define ERROR_MAX 1000

/* --- stdout, stderr ---------------------------------------------------------------------- */

/* Whose line it is is known when there is only one job. */
static void
on_line(void *owner, const char *text, size_t len, bool cut)
{
    struct serve_program *p = ((struct serve_stream *)owner)->program;

    (void)cut; /* a complaint cuts and says so */
    if (p->n_jobs == 1) {
        struct complaint *its = serve_job_complaint(TAILQ_FIRST(&p->jobs));

        complaint_add(its, text, len);
        complaint_add(its, "\n", 1);
        complaint_keep(&p->complaint, text, len);
        complaint_keep(&p->complaint, "\n", 1);
    } else {
        complaint_add(&p->complaint, text, len);
        complaint_add(&p->complaint, "\n", 1);
    }
}

static void
close_stream(struct serve_stream *s)
{
    if (s->fd < 0)
        return;
    ev_io_stop(s->program->pool->loop, &s->io);
    close(s->fd);
    s->fd = -1;
}

static char read_data[READ_BYTES]; /* every read of this process is over before the next */

static bool
read_stream(struct serve_stream *s)
{
    ssize_t len = s->fd >= 0 ? read(s->fd, read_data, sizeof(read_data)) : 0;

    if (len > 0)
        lines_feed(&s->lines, read_data, (size_t)len);
    else if (len == 0 || (errno != EAGAIN && errno != EINTR))
        close_stream(s);
    return len > 0;
}

static void
on_stream_readable(struct ev_loop *loop, ev_io *w, int events)
{
    (void)loop;
    (void)events;
    read_stream(w->data);
}

void
serve_hear_stream(struct serve_program *p, size_t i, int fd)
{
    struct serve_stream *s = &p->streams[i];
    size_t line_max = p->pool->conf->log_line_max;

    s->program = p;
    s->fd = fd;
    /* A byte more than a line of the log may have: it shows that the line was longer. */
    s->lines = (struct lines){.max = line_max + 1, .line = on_line, .owner = s};
    s->lines.text = arena_alloc(&p->arena, line_max + 2);
    loop_io_init(&s->io, on_stream_readable, fd, EV_READ);
    LOOP_START(p->pool->loop, io, &s->io, s);
}

/* What lies in the pipes. */
static void
hear_streams(struct serve_program *p)
{
    for (size_t i = 0; i < LENGTH(p->streams); i++) {
        for (int n = 0; n < READS_MAX && read_stream(&p->streams[i]); n++)
            ;
    }
}

void
serve_hear_printed(struct serve_program *p, int in_hand)
{
    if (p->n_jobs == 1 || in_hand == 1)
        hear_streams(p);
}

/* --- frames ------------------------------------------------------------------------------ */

static void
on_hello(struct serve_program *p, const struct serve_frame *f)
{
    const struct handler_conf *handler = p->pool->handler;
    char name[100];

    p->ready_mono = clock_mono_ms();
    if (p->state == SERVE_STARTING)
        p->state = SERVE_READY;
    p->room = f->in_flight < handler->in_flight ? (int)f->in_flight : handler->in_flight;
    p->heartbeat = f->heartbeat;
    p->pool->room = p->room;
    p->pool->proven = true;
    p->pool->broken[0] = '\0';
    text_printable(name, sizeof(name), f->text.data != NULL ? f->text.data : "", f->text.len);
    log_info("%s: is ready%s%s, jobs at once: %d", p->name, name[0] != '\0' ? ": " : "", name,
             p->room);
    serve_program_said_hello(p);
}

static void
on_progress(struct serve_program *p, struct serve_job *job, const struct serve_frame *f)
{
    struct progress said;

    (void)p;
    progress_note(&said, f->text.data != NULL ? f->text.data : "", f->text.len);
    job->run->events->progress(job->run, f->percent, said.note[0] != '\0' ? said.note : NULL);
}

static void
on_log(struct serve_program *p, struct serve_job *job, const struct serve_frame *f)
{
    struct complaint *whose = job != NULL ? serve_job_complaint(job) : &p->complaint;

    complaint_add(whose, f->text.data, f->text.len);
    complaint_add(whose, "\n", 1);
}

static void
on_heartbeat(struct serve_program *p, const struct serve_frame *f)
{
    if (f->number == p->beat_number && p->beat_asked)
        serve_program_answered(p);
}

static char *
result_of(struct run *run, const struct serve_text *text)
{
    static struct result result; /* its memory is used again */
    char *json;

    if (text->data == NULL)
        return NULL;
    buf_clear(&result.kept);
    result = (struct result){.kept = result.kept, .max_bytes = run->conf->result_max};
    result_add(&result, text->data, text->len);
    json = result_json(&result, &run->arena);
    if (result.kept.room > KEPT_BYTES)
        result_release(&result);
    return json;
}

static void
on_result(struct serve_program *p, struct serve_job *job, const struct serve_frame *f)
{
    struct run_end end = RUN_END(RUN_OK);

    serve_hear_printed(p, p->n_jobs - 1);
    end.result = result_of(job->run, &f->text);
    serve_job_end(job, &end);
    serve_program_look(p);
}

static char *
error_of(struct run *run, const struct serve_text *text)
{
    size_t size = text->len * 4 < ERROR_MAX ? text->len * 4 + 1 : ERROR_MAX;
    char *error;

    if (text->data == NULL || text->len == 0)
        return arena_strdup(&run->arena, "failed without an error text");
    error = arena_alloc(&run->arena, size);
    text_printable(error, size, text->data, text->len);
    return error;
}

static void
on_failure(struct serve_program *p, struct serve_job *job, const struct serve_frame *f)
{
    static const enum run_cause causes[] = {
        [SERVE_RETRY] = RUN_FAILED, [SERVE_NEVER] = RUN_PERMANENT, [SERVE_SNOOZE] = RUN_SNOOZED};
    struct run_end end = RUN_END(causes[f->again]);

    serve_hear_printed(p, p->n_jobs - 1);
    end.error = error_of(job->run, &f->text);
    end.wait_ms = f->again != SERVE_NEVER ? f->wait_ms : -1;
    serve_job_end(job, &end);
    serve_program_look(p);
}

/* --- who may say what -------------------------------------------------------------------- */

static void (*const about_jobs[])(struct serve_program *p, struct serve_job *job,
                                  const struct serve_frame *f) = {
    [SERVE_PROGRESS] = on_progress,
    [SERVE_LOG] = on_log,
    [SERVE_RESULT] = on_result,
    [SERVE_FAILURE] = on_failure,
};

static void
broke(struct serve_program *p, const char *how)
{
    serve_program_kill(p, SERVE_BROKE_PROTOCOL, "broke the protocol: %s", how);
}

static void
take_job_frame(struct serve_program *p, const struct serve_frame *f)
{
    struct serve_job *job = serve_job_find(p, f->job);
    char how[100];

    if (job != NULL || (f->type == SERVE_LOG && f->job < 0)) {
        about_jobs[f->type](p, job, f);
    } else if (f->job < 1 || f->job > p->last_ref) {
        snprintf(how, sizeof(how), "a frame is about job %" PRId64 ", which it was never given",
                 f->job);
        broke(p, how);
    } /* else the job has ended: too late */
}

static void
take_frame(struct serve_program *p, const char *body, size_t len)
{
    struct serve_frame f;
    struct err err;

    if (!serve_read(body, len, &f, &err))
        broke(p, err.text);
    else if (f.type != SERVE_HELLO && p->ready_mono == 0)
        broke(p, "its first frame is not 'hello'");
    else if (f.type == SERVE_HELLO && p->ready_mono != 0)
        broke(p, "it said 'hello' twice");
    else if (f.type == SERVE_HELLO)
        on_hello(p, &f);
    else if (f.type == SERVE_HEARTBEAT)
        on_heartbeat(p, &f);
    else
        take_job_frame(p, &f);
}

/* --- the socket -------------------------------------------------------------------------- */

static void
bad_length(struct serve_program *p, size_t body, size_t body_max)
{
    char how[100];

    snprintf(how, sizeof(how), "a frame of %zu bytes, from 1 to %zu are allowed", body, body_max);
    broke(p, how);
}

static void
take_frames(struct serve_program *p)
{
    size_t body_max = p->pool->conf->result_max + FRAME_ROOM, done = 0, body = 0;
    enum serve_cut cut = SERVE_MORE;

    while (p->fault != SERVE_BROKE_PROTOCOL &&
           (cut = serve_cut(p->in.data + done, p->in.len - done, body_max, &body)) == SERVE_WHOLE) {
        take_frame(p, p->in.data + done + SERVE_HEAD, body);
        done += SERVE_HEAD + body;
    }
    if (cut == SERVE_BAD)
        bad_length(p, body, body_max);
    buf_drop_front(&p->in, done);
    if (p->in.len == 0 && p->in.room > KEPT_BYTES)
        buf_release(&p->in);
}

static bool
read_socket(struct serve_program *p)
{
    ssize_t len;

    if (p->sock < 0 || p->fault == SERVE_BROKE_PROTOCOL)
        return false;
    len = read(p->sock, buf_reserve(&p->in, READ_BYTES), READ_BYTES);
    if (len > 0) {
        fault_here("serve.heard");
        p->in.len += (size_t)len;
        take_frames(p);
        serve_pool_turn_soon(p->pool);
    } else if (len == 0 || (errno != EAGAIN && errno != EINTR)) {
        serve_program_closed(p);
    }
    return len > 0;
}

void
serve_hear(struct serve_program *p)
{
    read_socket(p);
}

void
serve_hear_all(struct serve_program *p)
{
    for (int n = 0; n < READS_MAX && read_socket(p); n++)
        ;
}

void
serve_hear_last(struct serve_program *p)
{
    serve_hear_all(p);
    hear_streams(p);
    for (size_t i = 0; i < LENGTH(p->streams); i++) {
        lines_end(&p->streams[i].lines);
        close_stream(&p->streams[i]);
    }
    complaint_end(&p->complaint);
}
