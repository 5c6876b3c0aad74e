/* Frames from pgcrew to a program. */
#define _GNU_SOURCE 1
#include "pgcrew_handler.h"

#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static struct pgcrew_job *in_hand;
static bool draining;

static bool
is(const msgpack_object *o, const char *text)
{
    return o->type == MSGPACK_OBJECT_STR && o->via.str.size == strlen(text) &&
           memcmp(o->via.str.ptr, text, o->via.str.size) == 0;
}

msgpack_object
pgcrew_fact(const struct pgcrew_job *job, const char *name)
{
    for (uint32_t i = 0; i < job->facts->size; i++) {
        if (is(&job->facts->ptr[i].key, name))
            return job->facts->ptr[i].val;
    }
    return (msgpack_object){.type = MSGPACK_OBJECT_NIL};
}

static void
hear(void *data, size_t size)
{
    if (recv(3, data, size, MSG_WAITALL) != (ssize_t)size)
        exit(0); /* pgcrew is gone */
}

static void
run(const msgpack_object *part, void (*work)(struct pgcrew_job *job))
{
    char *payload = strndup(part[3].via.str.ptr, part[3].via.str.size);
    struct pgcrew_job job = {payload, &part[2].via.map, part[1].via.i64, false, false};

    in_hand = &job;
    work(&job);
    if (!job.answered)
        pgcrew_result(&job, NULL);
    in_hand = NULL;
    free(payload);
}

/* Act on the next frame; in a job that is none to begin one. */
static void
take(void (*work)(struct pgcrew_job *job))
{
    msgpack_unpacked frame;
    const msgpack_object *part;
    uint32_t size;
    char *body;

    hear(&size, 4);
    body = malloc(ntohl(size));
    hear(body, ntohl(size));
    msgpack_unpacked_init(&frame);
    msgpack_unpack_next(&frame, body, ntohl(size), NULL);
    part = frame.data.via.array.ptr;
    if (is(part, "job"))
        run(part, work);
    else if (is(part, "cancel") && in_hand != NULL && in_hand->number == part[1].via.i64)
        in_hand->cancelled = true;
    else if (is(part, "quit"))
        exit(0);
    draining |= is(part, "drain");
    msgpack_unpacked_destroy(&frame);
    free(body);
}

bool
pgcrew_cancelled(struct pgcrew_job *job)
{
    while (poll(&(struct pollfd){.fd = 3, .events = POLLIN}, 1, 0) > 0)
        take(NULL);
    return job->cancelled;
}

void
pgcrew_serve(const char *name, void (*work)(struct pgcrew_job *job))
{
    if (getenv("PGCREW_HANDLER_FD") == NULL)
        errx(64, "%s is to be started by pgcrew, see pgcrew-handler(7)", name);
    fcntl(3, F_SETFD, FD_CLOEXEC);
    setvbuf(stdout, NULL, _IOLBF, 0); /* it is our log */
    pgcrew_say(2, "s3sisssi", "hello", "version", (int64_t)1, "name", name, "in_flight",
               (int64_t)1);
    while (!draining)
        take(work);
}
