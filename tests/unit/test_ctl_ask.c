/* Asking over the control socket without blocking: answers, errors, and those who say nothing. */
#include "ipc/ctl_ask.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl_calls.h"
#include "tap.h"

static char dir[] = "/tmp/test_ctl_ask.XXXXXX";
static char path[64];

static const struct ctl_method methods[] = {
    {"twice", false, 1, call_twice},
    {"big", false, 0, call_big},
};

static int
bare_listener(int backlog)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(addr.sun_path, path);
    unlink(path);
    if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, backlog) < 0)
        abort();
    return fd;
}

/* --- what came ---------------------------------------------------------------------- */

struct heard {
    int n;
    int64_t number;
    size_t text_len;
    struct err err;
};

static void
on_answer(void *arg, const msgpack_object *result, const struct err *err)
{
    struct heard *heard = arg;

    heard->n++;
    if (result != NULL) {
        heard->number = rpc_int(result, -1);
        heard->text_len = result->type == MSGPACK_OBJECT_STR ? result->via.str.size : 0;
    } else {
        heard->err = *err;
    }
    ev_break(loop_get(), EVBREAK_ALL);
}

static struct heard
ask(const char *method, const struct buf *params, int64_t timeout_ms)
{
    struct heard heard = {.n = 0};

    ctl_ask(loop_get(), path, method, params, timeout_ms, on_answer, &heard);
    is_int(heard.n, 0, "the answer comes from the loop");
    ev_run(loop_get(), 0);
    is_int(heard.n, 1, "once");
    return heard;
}

/* --- tests ---------------------------------------------------------------------------- */

static void
test_served(void)
{
    AUTO(buf) struct buf params = {0};
    struct ctl_place place = CTL_NOWHERE;
    struct heard heard, forgotten = {.n = 0};
    struct ctl *ctl;
    struct err err;
    msgpack_packer pk;

    if (!ctl_listen(path, NULL, &place, &err))
        abort();
    ctl = ctl_new(loop_get(), &place, methods, LENGTH(methods), NULL);
    rpc_packer(&pk, &params);
    msgpack_pack_array(&pk, 1);
    msgpack_pack_int64(&pk, 21);
    /* Server and client share a loop: whoever blocked would wait for ever. */
    heard = ask("twice", &params, 10000);
    is_int(heard.number, 42, "the answer is the right one");
    heard = ask("big", NULL, 10000);
    is_int((int64_t)heard.text_len, 4 << 20, "a long answer comes whole");
    heard = ask("twice", NULL, 10000);
    ok(heard.err.class == ERR_PERMANENT, "an error is permanent");
    is_str(heard.err.text, "twice what?", "and what it says");
    heard = ask("nothing", NULL, 10000);
    ok(heard.err.class == ERR_PERMANENT, "a method that is not there, too");
    ctl_ask_forget(ctl_ask(loop_get(), path, "big", NULL, 1, on_answer, &forgotten));
    heard = ask("big", NULL, 10000);
    is_int(forgotten.n, 0, "a question that was forgotten is not answered");
    ctl_free(ctl);
    ctl_place_release(&place);
}

static void
test_nobody(void)
{
    char long_path[300];
    struct heard heard = ask("twice", NULL, 10000);
    int fd;

    ok(heard.err.class == ERR_RETRY, "no socket: later perhaps");
    fd = bare_listener(1);
    heard = ask("twice", NULL, 50);
    ok(heard.err.class == ERR_RETRY && strstr(heard.err.text, "within 50 ms") != NULL,
       "who does not answer in time is not waited for");
    close(fd);
    heard = ask("twice", NULL, 10000);
    ok(heard.err.class == ERR_RETRY, "a socket that nobody listens on");
    memset(long_path, 'x', sizeof(long_path));
    long_path[sizeof(long_path) - 1] = '\0';
    heard = (struct heard){.n = 0};
    ctl_ask(loop_get(), long_path, "twice", NULL, 10000, on_answer, &heard);
    ev_run(loop_get(), 0);
    ok(heard.err.class == ERR_CONFIG, "a path that is too long");
}

/* The queue of connections is full: it is tried again until the time is over. */
static void
test_full(void)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = bare_listener(0), other[3];
    struct heard heard;

    strcpy(addr.sun_path, path);
    for (size_t i = 0; i < LENGTH(other); i++) {
        other[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (connect(other[i], (struct sockaddr *)&addr, sizeof(addr)) < 0)
            break;
    }
    heard = ask("twice", NULL, 100);
    ok(strstr(heard.err.text, "within 100 ms") != NULL, "a full queue is waited for, in time");
    close(fd);
}

static void
test_garbage(const char *bytes, size_t len, const char *what)
{
    int fd = bare_listener(4), client;
    struct heard heard;
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        client = accept(fd, NULL, NULL);
        if (write(client, bytes, len) != (ssize_t)len)
            _exit(1);
        _exit(0);
    }
    heard = ask("twice", NULL, 10000);
    ok(heard.err.class == ERR_RETRY, "%s", what);
    waitpid(pid, NULL, 0);
    close(fd);
}

int
main(void)
{
    signal(SIGPIPE, SIG_IGN);
    if (mkdtemp(dir) == NULL)
        abort();
    snprintf(path, sizeof(path), "%s/control.sock", dir);
    test_nobody();
    test_full();
    test_garbage("\xc1", 1, "no msgpack is no answer");
    test_garbage("\x01", 1, "a number is no answer");
    test_garbage("\x94\x01", 2, "nor is half of one");
    test_garbage("", 0, "nor is silence");
    unlink(path);
    test_served();
    unlink(path);
    strcat(path, ".lock");
    unlink(path);
    ok(rmdir(dir) == 0, "nothing is left behind");
    return done_testing();
}
