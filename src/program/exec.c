/*
 * A program per job, on the loop of the worker: nothing here waits.
 *
 * The start makes the pipes and forks a guard (guard.h), which does the rest.
 * While it runs, what comes through the pipes goes to result.h, complaint.h and
 * progress.h.  The end is the guard's: by then nothing of the handler lives, so
 * the pipes are read once more and are empty.  How an attempt ended is decided
 * in verdict.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "config/conf.h"
#include "handler/complaint.h"
#include "handler/lines.h"
#include "handler/progress.h"
#include "handler/result.h"
#include "handler/way.h"
#include "program/env.h"
#include "program/guarded.h"
#include "program/lean.h"
#include "program/places.h"
#include "program/users.h"
#include "program/verdict.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

/* The largest pipe an ordinary process can make: more than this cannot lie in one at the end. */
#define PIPE_BYTES_MAX (1024 * 1024)

/* In the order of the descriptors 1, 2 and 3 of the handler. */
enum pipe_id { PIPE_OUT, PIPE_ERR, PIPE_PROGRESS, N_PIPES };

struct exec;

struct stream {
    struct exec *exec;
    enum pipe_id id;
    ev_io io;
    int fd; /* -1 after its end */
};

struct exec {
    struct run *run;
    const char *name; /* for the log */
    struct guarded guarded;
    int64_t started_mono;
    struct stream streams[N_PIPES];
    ev_timer deadline;
    struct verdict verdict;
    struct result result;
    struct complaint complaint;
    struct lines progress;
    bool said_bad_progress;
};

/* --- pipes --------------------------------------------------------------------------- */

struct plumbing {
    int payload_fd;
    int ours[N_PIPES];   /* the ends we read */
    int theirs[N_PIPES]; /* the ends that are written */
};

static void
auto_plumbing(struct plumbing *p)
{
    auto_fd(&p->payload_fd);
    for (int i = 0; i < N_PIPES; i++) {
        auto_fd(&p->ours[i]);
        auto_fd(&p->theirs[i]);
    }
}

/* The payload as a file without a name: reading it slowly or not at all holds up nobody. */
static bool
make_payload(const struct job *job, int *ret_fd, struct err *err)
{
    AUTO(fd) int fd = memfd_create("payload", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    size_t done = 0;

    if (fd < 0 && errno == EINVAL)
        fd = memfd_create("payload", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || fault_fails("payload.made", ENOMEM))
        return err_errno(err, ERR_RETRY, "cannot make a file for the payload");
    while (done < job->payload_len) {
        ssize_t n = write(fd, job->payload + done, job->payload_len - done);

        if (n < 0)
            return err_errno(err, ERR_RETRY, "cannot write the payload");
        done += (size_t)n;
    }
    if (fault_fails("payload.written", ENOSPC))
        return err_errno(err, ERR_RETRY, "cannot write the payload");
    if (lseek(fd, 0, SEEK_SET) < 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
        return err_errno(err, ERR_RETRY, "cannot seal the payload");
    *ret_fd = TAKE_FD(fd);
    return true;
}

static bool
make_plumbing(const struct job *job, struct plumbing *ret, struct err *err)
{
    for (int i = 0; i < N_PIPES; i++) {
        int ends[2];

        if (fault_fails("pipe.made", EMFILE) || pipe2(ends, O_CLOEXEC) < 0)
            return err_errno(err, ERR_RETRY, "cannot make a pipe");
        ret->ours[i] = ends[0];
        ret->theirs[i] = ends[1];
        /* Only our end: the handler shall not meet EAGAIN. */
        if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
            return err_errno(err, ERR_RETRY, "cannot set up a pipe");
    }
    return make_payload(job, &ret->payload_fd, err);
}

/* --- what the handler says ----------------------------------------------------------- */

static void
on_progress_line(void *owner, const char *text, size_t len, bool cut)
{
    struct exec *x = owner;
    const struct job *job = &x->run->job;
    struct progress said;

    (void)cut; /* only the note can be that long, and it is cut anyway */
    if (progress_parse(text, len, &said)) {
        x->run->events->progress(x->run, said.percent, said.note[0] != '\0' ? said.note : NULL);
    } else if (!x->said_bad_progress) {
        x->said_bad_progress = true;
        log_debug("job %" PRId64 " (%s): ignored a line of progress that is not '42 note': %s",
                  job->id, job->kind, text);
    }
}

static void
take_in(struct exec *x, enum pipe_id id, const char *data, size_t len)
{
    if (id == PIPE_OUT)
        result_add(&x->result, data, len);
    else if (id == PIPE_ERR)
        complaint_add(&x->complaint, data, len);
    else
        lines_feed(&x->progress, data, len);
}

static void
close_stream(struct stream *s)
{
    if (s->fd < 0)
        return;
    ev_io_stop(s->exec->run->loop, &s->io);
    close(s->fd);
    s->fd = -1;
}

/* One read; false when there is nothing more for now. */
static bool
read_some(struct stream *s, size_t *ret_len)
{
    static char data[64 * 1024]; /* every read of this process is over before the next */
    ssize_t len = s->fd >= 0 ? read(s->fd, data, sizeof(data)) : 0;

    if (len > 0) {
        fault_here("output.read");
        take_in(s->exec, s->id, data, (size_t)len);
        fault_here("output.taken");
        *ret_len = (size_t)len;
        return true;
    }
    if (len == 0 || (errno != EAGAIN && errno != EINTR))
        close_stream(s);
    return false;
}

static void
on_readable(struct ev_loop *loop, ev_io *w, int events)
{
    size_t ignored;

    (void)loop;
    (void)events;
    read_some(w->data, &ignored);
}

/* What still lies in the pipes.  A stray may hold the other end and write on: so much, no more. */
static void
drain(struct exec *x)
{
    for (int i = 0; i < N_PIPES; i++) {
        size_t len, sum = 0;

        while (sum < PIPE_BYTES_MAX && read_some(&x->streams[i], &len))
            sum += len;
        close_stream(&x->streams[i]);
    }
    complaint_end(&x->complaint);
    lines_end(&x->progress);
}

/* --- the end ------------------------------------------------------------------------- */

static void
finish(struct exec *x)
{
    struct run *run = x->run;
    struct run_end end = RUN_END(RUN_OK);

    end.ran_ms = clock_mono_ms() - x->started_mono;
    drain(x);
    x->verdict.guarded = &x->guarded;
    x->verdict.last_line = complaint_last_line(&x->complaint, &run->arena);
    verdict_fill(&x->verdict, run, &end);
    end.stderr_tail = complaint_tail(&x->complaint, &run->arena);
    if (end.cause == RUN_OK)
        end.result = result_json(&x->result, &run->arena);
    result_release(&x->result);
    complaint_release(&x->complaint);
    run->events->ended(run, &end); /* the run may be gone now */
}

/* By then nothing of the handler lives. */
static void
on_gone(struct guarded *g)
{
    struct exec *x = g->owner;

    ev_timer_stop(x->run->loop, &x->deadline);
    finish(x);
}

/* --- ending it early ----------------------------------------------------------------- */

static void
ask(struct exec *x, enum run_cause cause)
{
    if (x->verdict.asked)
        return;
    x->verdict.asked = true;
    x->verdict.asked_cause = cause;
}

static void
exec_stop(struct run *run, enum run_cause cause)
{
    struct exec *x = run->way;

    if (x->guarded.guard == 0 || x->guarded.rung != GUARDED_RUNS)
        return;
    ask(x, cause);
    guarded_term(&x->guarded);
}

static void
exec_kill(struct run *run, enum run_cause cause)
{
    struct exec *x = run->way;

    if (x->guarded.guard == 0 || x->guarded.rung >= GUARDED_KILL)
        return;
    ask(x, cause);
    guarded_kill(&x->guarded);
}

static void
on_deadline(struct ev_loop *loop, ev_timer *w, int events)
{
    struct exec *x = w->data;

    (void)loop;
    (void)events;
    exec_stop(x->run, RUN_TIMEOUT);
}

/* --- the start ----------------------------------------------------------------------- */

static void
watch(struct exec *x, struct plumbing *pipes)
{
    struct ev_loop *loop = x->run->loop;

    for (int i = 0; i < N_PIPES; i++) {
        struct stream *s = &x->streams[i];

        s->exec = x;
        s->id = (enum pipe_id)i;
        s->fd = TAKE_FD(pipes->ours[i]);
        loop_io_init(&s->io, on_readable, s->fd, EV_READ);
        LOOP_START(loop, io, &s->io, s);
    }
    loop_timer_init(&x->deadline, on_deadline);
    x->deadline.data = x;
    loop_timer_in(loop, &x->deadline, x->run->handler->timeout_ms);
}

static void
prepare(struct exec *x)
{
    struct run *run = x->run;
    const struct conf *conf = run->conf;

    x->result.max_bytes = conf->result_max;
    complaint_init(&x->complaint, &run->job, NULL, conf->log_line_max, conf->stderr_tail,
                   &run->arena);
    x->progress = (struct lines){.max = PROGRESS_LINE_MAX, .line = on_progress_line, .owner = x};
    x->progress.text = arena_alloc(&run->arena, PROGRESS_LINE_MAX + 1);
}

static bool
exec_start(struct run *run, struct err *err)
{
    AUTO(plumbing) struct plumbing pipes = {-1, {-1, -1, -1}, {-1, -1, -1}};
    struct exec *x = arena_alloc(&run->arena, sizeof(*x));
    struct guarded_order order = {
        .handler = run->handler, .job_id = run->job.id, .envp = env_of(run), .arena = &run->arena};

    if (!make_plumbing(&run->job, &pipes, err))
        return false;
    order.fds[0] = pipes.payload_fd;
    for (int i = 0; i < N_PIPES; i++)
        order.fds[i + 1] = pipes.theirs[i];
    x->run = run;
    x->name = arena_printf(&run->arena, "job %" PRId64 " (%s)", run->job.id, run->job.kind);
    x->started_mono = clock_mono_ms();
    x->guarded = (struct guarded){.loop = run->loop,
                                  .grace_ms = run->conf->grace_ms,
                                  .name = x->name,
                                  .gone = on_gone,
                                  .owner = x};
    if (!guarded_start(&x->guarded, &order, err))
        return false;
    run->way = x;
    prepare(x);
    watch(x, &pipes);
    return true;
}

static void
exec_forget(struct run *run)
{
    run->way = NULL; /* all of it is in the run's arena */
}

/* For the programs of `serve`, too: this is the way that every worker has. */
static void
exec_init(struct ev_loop *loop, const struct conf *conf)
{
    (void)loop;
    confine_init(conf);
    lean_init(conf);
}

static void
exec_end(void)
{
    places_end();
}

const struct way way_exec = {
    .init = exec_init,
    .end = exec_end,
    .check = users_check,
    .start = exec_start,
    .stop = exec_stop,
    .kill = exec_kill,
    .forget = exec_forget,
};
