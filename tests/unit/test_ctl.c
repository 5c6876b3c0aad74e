/* The control socket: who gets it, who is cut, and that nothing sent to it does harm. */
#include "ipc/ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl_calls.h"
#include "ipc/ctl_client.h"
#include "tap.h"

static char dir[] = "/tmp/test_ctl.XXXXXX";
static char path[64], lock[80];

/* --- a server in a process of its own --------------------------------------------- */

static bool
call_change(void *owner, const msgpack_object_array *params, msgpack_packer *ret, struct err *err)
{
    (void)owner, (void)params, (void)err;
    msgpack_pack_nil(ret);
    return true;
}

static const struct ctl_method methods[] = {
    {"twice", false, 1, call_twice},
    {"big", false, 0, call_big},
    {"change", true, 0, call_change},
};

static pid_t
start_server(struct rlimit most_fds)
{
    int ready[2];
    struct ctl_place place = CTL_NOWHERE;
    struct err err;
    char c = 'n';
    pid_t pid;

    if (pipe(ready) < 0)
        abort();
    pid = fork();
    if (pid < 0)
        abort();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (!ctl_listen(path, NULL, &place, &err))
            _exit(1);
        ctl_new(loop_get(), &place, methods, LENGTH(methods), NULL);
        if (most_fds.rlim_cur > 0 && setrlimit(RLIMIT_NOFILE, &most_fds) < 0)
            _exit(1);
        if (write(ready[1], "y", 1) != 1)
            _exit(1);
        ev_run(loop_get(), 0);
        _exit(0);
    }
    close(ready[1]);
    ok(read(ready[0], &c, 1) == 1 && c == 'y', "a server listens");
    close(ready[0]);
    return pid;
}

static void
stop_server(pid_t pid)
{
    int status;

    kill(pid, SIGTERM);
    waitpid(pid, &status, 0);
    ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "the server lived until it was told");
}

static int
raw_client(void)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = 10};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(addr.sun_path, path);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
        return -1;
    return fd;
}

/* All that comes until the end; false when the end does not come within 10 s. */
static bool
read_to_end(int fd, struct buf *ret)
{
    ssize_t n;

    while ((n = recv(fd, buf_reserve(ret, 65536), 65536, 0)) > 0)
        ret->len += (size_t)n;
    return n == 0 || errno == ECONNRESET;
}

static int64_t
twice(int64_t n, struct err *err)
{
    AUTO(ctl_answer) struct ctl_answer answer = {0};
    AUTO(buf) struct buf params = {0};
    msgpack_packer pk;

    rpc_packer(&pk, &params);
    msgpack_pack_array(&pk, 1);
    msgpack_pack_int64(&pk, n);
    return ctl_call(path, "twice", &params, &answer, err) ? rpc_int(&answer.result, -1) : -1;
}

/* --- tests ------------------------------------------------------------------------- */

static void
test_calls(void)
{
    AUTO(ctl_answer) struct ctl_answer answer = {0};
    struct err err = {0};

    is_int(twice(21, &err), 42, "a call is answered");
    is_int(twice(-5, &err), -1, "a method can say no");
    is_str(err.text, "twice what?", "and why");
    is_int(err.class, ERR_PERMANENT, "which is not worth trying again");
    ok(!ctl_call(path, "nonsense", NULL, &answer, &err), "an unknown method is refused");
    has_str(err.text, "no method 'nonsense'", "by its name");
    ok(ctl_call(path, "big", NULL, &answer, &err) && answer.result.via.str.size == 4 << 20,
       "an answer may be larger than any socket buffer");
    ctl_answer_release(&answer);
    ok(ctl_call(path, "change", NULL, &answer, &err), "our own user may change things");
    ok(!ctl_call("/tmp/there/is/none", "twice", NULL, &answer, &err) && err.class == ERR_RETRY,
       "where nobody is: %s", err.text);
}

/* Another user, when we are root; the socket's mode is lifted for that. */
static void
test_rights(void)
{
    pid_t pid;
    int status;

    if (getuid() != 0) {
        ok(true, "another user may not change things # SKIP not root");
        return;
    }
    chmod(dir, 0755);
    chmod(path, 0666);
    pid = fork();
    if (pid == 0) {
        struct ctl_answer answer = {0};
        struct err err = {0};

        if (setgid(65534) < 0 || setuid(65534) < 0)
            _exit(1);
        if (ctl_call(path, "change", NULL, &answer, &err) || strstr(err.text, "only root") == NULL)
            _exit(2);
        _exit(twice(2, &err) == 4 ? 0 : 3);
    }
    waitpid(pid, &status, 0);
    is_int(status, 0, "another user may ask, but not change things");
    chmod(path, 0660);
}

static void
test_listen(void)
{
    struct ctl_place place = CTL_NOWHERE;
    struct err err = {0};
    struct stat st;

    ok(!ctl_listen(path, NULL, &place, &err) && err.class == ERR_CONFIG, "a second one cannot");
    has_str(err.text, "another pgcrewd answers on", "it says why");
    ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0660, "the socket is for user and group");
    unlink(lock);
    ok(!ctl_listen(path, NULL, &place, &err), "nor when the lock file was deleted");
    has_str(err.text, "another pgcrewd answers on", "it says why");
    ok(twice(4, &err) == 8, "the first one was not disturbed");
}

static void
test_listen_alone(void)
{
    struct ctl_place place = CTL_NOWHERE, second = CTL_NOWHERE;
    struct err err = {0};
    char file[64], longer[200];

    ok(access(path, F_OK) == 0, "a killed server leaves its socket file");
    ok(ctl_listen(path, NULL, &place, &err), "which is replaced: %s", err.text);
    ok(!ctl_listen(path, NULL, &second, &err), "the lock alone keeps a second one away");
    ctl_place_release(&place);
    ok(access(path, F_OK) < 0, "a planned end leaves none");
    ok(!ctl_listen(path, "no-such-group-here", &place, &err) && err.class == ERR_CONFIG,
       "a group that is not there: %s", err.text);
    ok(access(path, F_OK) < 0, "leaves no socket");
    snprintf(file, sizeof(file), "%s/file", dir);
    close(open(file, O_CREAT | O_WRONLY, 0600));
    ok(!ctl_listen(file, NULL, &place, &err) && access(file, F_OK) == 0,
       "a file that is no socket stays: %s", err.text);
    memset(longer, 'x', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    ok(!ctl_listen(longer, NULL, &place, &err) && err.class == ERR_CONFIG, "too long a path");
}

static void
test_garbage(void)
{
    int refused = 0, ended = 0;
    struct err err;

    srand(17);
    for (int round = 0; round < 300; round++) {
        AUTO(fd) int fd = raw_client();
        AUTO(buf) struct buf said = {0};
        char bytes[2000];
        size_t len = (size_t)(1 + rand() % (int)sizeof(bytes));

        for (size_t i = 0; i < len; i++)
            bytes[i] = (char)rand();
        bytes[0] = (char)(0xc1 + rand() % 2 * 0x1c); /* never used, or an endless array */
        if (send(fd, bytes, len, MSG_NOSIGNAL) < 0)
            continue;
        shutdown(fd, SHUT_WR);
        ended += read_to_end(fd, &said);
        refused += said.len > 4 && said.data[0] == '\x94' && said.data[1] == '\x01';
    }
    is_int(ended, 300, "random bytes end the connection");
    ok(refused > 250, "with an error (%d of 300 sent more than a header)", refused);
    is_int(twice(3, &err), 6, "and others are served");
}

static void
test_pieces(void)
{
    AUTO(fd) int fd = raw_client();
    AUTO(buf) struct buf ask = {0};
    AUTO(buf) struct buf said = {0};
    ssize_t sent = 0;
    int answers = 0;

    for (uint64_t id = 1; id <= 200; id++)
        rpc_pack_request(&ask, id, "nonsense", NULL);
    for (size_t i = 0; i < 100; i++)
        sent += send(fd, ask.data + i, 1, 0);
    sent += send(fd, ask.data + 100, ask.len - 100, 0);
    is_int(sent, ask.len, "200 requests, byte by byte and all at once");
    shutdown(fd, SHUT_WR);
    ok(read_to_end(fd, &said), "the end comes");
    for (size_t i = 0; i + 1 < said.len; i++)
        answers += memcmp(said.data + i, "\x94\x01", 2) == 0;
    is_int(answers, 200, "after 200 answers");
}

static void
test_deep(void)
{
    AUTO(fd) int fd = raw_client();
    AUTO(buf) struct buf said = {0};
    char deep[5000];

    memset(deep, '\x91', sizeof(deep));
    deep[sizeof(deep) - 1] = '\x01';
    ok(send(fd, deep, sizeof(deep), 0) == sizeof(deep), "5000 arrays in each other");
    ok(read_to_end(fd, &said) && said.len > 10, "are refused");
}

static void
test_too_large(void)
{
    AUTO(fd) int fd = raw_client();
    AUTO(buf) struct buf said = {0};
    static char large[70000];

    memcpy(large, "\x94\x00\x01\xdb\x00\x01\x10\x00", 8);
    (void)!send(fd, large, sizeof(large), MSG_NOSIGNAL);
    ok(read_to_end(fd, &said), "a request of 70 kB ends the connection");
    ok(memmem(said.data, said.len, "64 KiB", 6) != NULL, "it says what the limit is");
}

static void
test_too_many(void)
{
    enum { MOST = CTL_CLIENTS + CTL_RESERVED };
    int fds[MOST], reached = 0;
    AUTO(buf) struct buf said = {0};
    struct err err;
    int more;

    for (int i = 0; i < MOST; i++) {
        fds[i] = raw_client();
        reached += fds[i] >= 0;
    }
    usleep(50000);
    more = raw_client();
    ok(reached == MOST && more >= 0 && read_to_end(more, &said), "one client too many");
    ok(memmem(said.data, said.len, "too many clients", 16) != NULL, "is told so");
    close(more);
    for (int i = 0; i < MOST; i++)
        close(fds[i]);
    usleep(50000);
    is_int(twice(5, &err), 10, "when they have gone others are served");
}

/* Who may only ask fills all places; we, who may command, are served all the same. */
static void
test_reserved(void)
{
    int ready[2];
    struct err err;
    char c = 'n';
    pid_t pid;

    if (getuid() != 0) {
        ok(true, "others cannot keep out root # SKIP not root");
        return;
    }
    if (pipe(ready) < 0)
        abort();
    chmod(dir, 0755);
    chmod(path, 0666);
    pid = fork();
    if (pid == 0) {
        int last = 0;

        if (setgid(65534) < 0 || setuid(65534) < 0)
            _exit(1);
        for (int i = 0; i <= CTL_CLIENTS && last >= 0; i++)
            last = raw_client();
        /* The last one is told that there are too many: all places are taken. */
        c = last >= 0 && recv(last, &c, 1, 0) == 1 ? 'y' : 'n';
        (void)!write(ready[1], &c, 1);
        pause();
    }
    ok(read(ready[0], &c, 1) == 1 && c == 'y', "others take all places");
    is_int(twice(8, &err), 16, "root is served all the same");
    chmod(path, 0660);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(ready[0]);
    close(ready[1]);
    usleep(50000);
}

/* Both patience tests at once: they take five seconds each. */
static void
test_slow(void)
{
    AUTO(fd) int slow_writer = raw_client();
    AUTO(fd) int slow_reader = raw_client();
    AUTO(buf) struct buf ask = {0};
    AUTO(buf) struct buf said = {0};
    int64_t begin = clock_mono_ms(), took;
    ssize_t got;
    bool is_cut = false;
    struct err err;

    rpc_pack_request(&ask, 1, "big", NULL);
    ok(send(slow_reader, ask.data, ask.len, 0) == (ssize_t)ask.len, "a client that will not read");
    ok(send(slow_writer, "\xda\x7f\xff", 3, 0) == 3, "one that takes its time for a long text");
    while (!is_cut && clock_mono_ms() < begin + 60000) {
        is_cut = send(slow_writer, "x", 1, MSG_NOSIGNAL) < 0;
        usleep(50000);
    }
    took = clock_mono_ms() - begin;
    ok(is_cut && took > 4000, "a byte now and then is cut after 5 s (%d ms)", (int)took);
    while ((got = recv(slow_reader, buf_reserve(&said, 65536), 65536, 0)) > 0)
        ;
    is_int(got, 0, "and so is who does not take the answer");
    is_int(twice(6, &err), 12, "others are served");
}

static void
test_no_descriptors(void)
{
    pid_t pid = start_server((struct rlimit){.rlim_cur = 16, .rlim_max = 16});
    int fds[30];
    struct err err;

    for (size_t i = 0; i < LENGTH(fds); i++)
        fds[i] = raw_client();
    usleep(300000);
    for (size_t i = 0; i < LENGTH(fds); i++)
        close(fds[i]);
    is_int(twice(7, &err), 14, "a server that ran out of descriptors goes on when it has some");
    stop_server(pid);
}

int
main(void)
{
    pid_t pid;

    if (mkdtemp(dir) == NULL)
        return 1;
    snprintf(path, sizeof(path), "%s/ctl.sock", dir);
    snprintf(lock, sizeof(lock), "%s.lock", path);
    pid = start_server((struct rlimit){0});
    test_calls();
    test_rights();
    test_garbage();
    test_pieces();
    test_deep();
    test_too_large();
    test_too_many();
    test_reserved();
    test_slow();
    test_listen();
    stop_server(pid);
    test_listen_alone();
    test_no_descriptors();
    unlink(path);
    unlink(lock);
    snprintf(lock, sizeof(lock), "%s/file", dir);
    unlink(lock);
    snprintf(lock, sizeof(lock), "%s/file.lock", dir);
    unlink(lock);
    rmdir(dir);
    return done_testing();
}
