/* The tool's side of the control socket: a daemon that answers with these bytes. */
#include "fuzz.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "ipc/ctl_client.h"
#include "metrics/facts.h"

static char dir[] = "/tmp/pgcrew-fuzz.XXXXXX", path[64];
static int listener = -1;

struct says {
    const char *data;
    size_t len;
};

static void
clean_up(void)
{
    unlink(path);
    rmdir(dir);
}

static void
start(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    must(mkdtemp(dir) != NULL);
    snprintf(path, sizeof(path), "%s/socket", dir);
    atexit(clean_up);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(bind(listener, (const struct sockaddr *)&address, sizeof(address)) == 0);
    must(listen(listener, 1) == 0);
}

static void *
answer(void *arg)
{
    const struct says *says = arg;
    int fd = accept(listener, NULL, NULL);
    size_t at = 0;
    char request[256];

    must(fd >= 0 && recv(fd, request, sizeof(request), 0) > 0);
    while (at < says->len) {
        ssize_t n = send(fd, says->data + at, says->len - at, MSG_NOSIGNAL);

        if (n < 0)
            break;
        at += (size_t)n;
    }
    close(fd);
    return NULL;
}

static void
look(const struct ctl_answer *answer)
{
    char text[64], *dumped;
    json_t *json = facts_from_msgpack(&answer->result);

    must(json != NULL);
    dumped = json_dumps(json, JSON_ENCODE_ANY);
    must(dumped != NULL);
    free(dumped);
    json_decref(json);
    rpc_text(rpc_get(&answer->result, "state"), text, sizeof(text));
}

static void
fuzz(const char *data, size_t len)
{
    struct says says = {data, len};
    AUTO(ctl_answer) struct ctl_answer got = {0};
    struct err err = {0};
    pthread_t thread;

    if (listener < 0)
        start();
    must(pthread_create(&thread, NULL, answer, &says) == 0);
    if (ctl_call(path, "ping", NULL, &got, &err))
        look(&got);
    else
        must(err.class == ERR_RETRY || err.class == ERR_PERMANENT);
    must(pthread_join(thread, NULL) == 0);
}
