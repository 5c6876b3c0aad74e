/* Sockets by their text: opened, kept over a reload, passed by systemd, refused. */
#include "ipc/listen.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tap.h"

static char dir[] = "/tmp/test_listen.XXXXXX";
static char path[64], other_path[64];

static bool
opens(struct listen_set *set, const char *a, const char *b, struct err *err)
{
    const char *texts[] = {a, b};

    *err = (struct err){0};
    return listen_open(set, texts, b != NULL ? 2 : 1, "gateway", err);
}

static void
refuses(const char *text, const char *why)
{
    struct listen_set set = {0};
    struct err err;

    ok(!opens(&set, text, NULL, &err), "'%s' is refused", text);
    ok(err.class == ERR_CONFIG, "a person has to act");
    has_str(err.text, why, "it says why");
    has_str(err.text, text, "and which");
    is_int(set.n, 0, "nothing is open");
}

static bool
is_answered(int listening)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof(at);
    int fd;
    bool answered;

    getsockname(listening, (struct sockaddr *)&at, &len);
    fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    answered = connect(fd, (struct sockaddr *)&at, len) == 0;
    close(fd);
    return answered;
}

static void
test_tcp(void)
{
    struct listen_set set = {0};
    struct err err;
    char where[128], again[128];

    ok(opens(&set, "127.0.0.1:0", "[::1]:0", &err), "two addresses: %s", err.text);
    is_int(set.n, 2, "are two sockets");
    ok(is_answered(set.sockets[0].fd) && is_answered(set.sockets[1].fd), "that answer");
    ok((fcntl(set.sockets[0].fd, F_GETFD) & FD_CLOEXEC) != 0, "closed on exec");
    ok((fcntl(set.sockets[0].fd, F_GETFL) & O_NONBLOCK) != 0, "and never waited for");
    has_str(listen_bound_to(set.sockets[0].fd, where), "127.0.0.1:", "the first has a name");
    has_str(listen_bound_to(set.sockets[1].fd, again), "[::1]:", "so has the second");
    refuses(where, "cannot take this address: Address already in use");
    listen_release(&set);
    ok(opens(&set, where, where, &err), "free again: %s", err.text);
    is_int(set.n, 1, "what is said twice is one socket");
    listen_release(&set);
}

static void
test_file(void)
{
    struct listen_set set = {0};
    struct stat st;
    struct err err;
    char where[128];

    ok(opens(&set, path, NULL, &err), "a Unix socket: %s", err.text);
    ok(stat(path, &st) == 0 && (st.st_mode & 07777) == 0660, "of mode 0660");
    ok(is_answered(set.sockets[0].fd), "it answers");
    is_str(listen_bound_to(set.sockets[0].fd, where), path, "its path is known");
    refuses(path, "another pgcrewd answers");
    listen_release(&set);
    ok(access(path, F_OK) < 0, "its file is gone with it");
}

/* As one that was killed leaves it. */
static void
test_stale_file(void)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct listen_set set = {0};
    struct err err;

    strcpy(addr.sun_path, path);
    ok(bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0, "a file is there");
    close(fd);
    ok(opens(&set, path, NULL, &err), "it is replaced: %s", err.text);
    ok(is_answered(set.sockets[0].fd), "and answers");
    listen_release(&set);
    fd = open(path, O_CREAT | O_WRONLY, 0600);
    close(fd);
    refuses(path, "is no socket");
    ok(access(path, F_OK) == 0, "what is no socket stays");
    unlink(path);
}

static void
test_reload(void)
{
    struct listen_set set = {0};
    struct err err;
    int kept;

    ok(opens(&set, path, "127.0.0.1:0", &err), "two: %s", err.text);
    kept = set.sockets[0].fd;
    ok(!opens(&set, other_path, "nonsense", &err), "a new list has an error");
    ok(set.n == 2 && set.sockets[0].fd == kept && is_answered(kept), "all is as it was");
    ok(access(other_path, F_OK) < 0, "what was opened of it is closed");
    ok(opens(&set, other_path, path, &err), "a new list without one: %s", err.text);
    is_int(set.n, 2, "has two");
    ok(is_answered(kept) && access(path, F_OK) == 0, "the socket that stays was not touched");
    ok(access(other_path, F_OK) == 0, "the new one is there");
    ok(listen_open(&set, NULL, 0, "gateway", &err), "no list");
    ok(set.n == 0 && access(path, F_OK) < 0 && access(other_path, F_OK) < 0, "has none");
    listen_release(&set);
}

/* As systemd passes them: descriptors from 3 on, and their names. */
static void
pass(int n, const char *names)
{
    char text[32];

    for (int i = 0; i < n; i++) {
        struct sockaddr_un addr = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);

        snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/passed%d", dir, i);
        if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 1) < 0)
            abort();
        dup2(fd, 3 + i);
        if (fd != 3 + i)
            close(fd);
    }
    snprintf(text, sizeof(text), "%d", (int)getpid());
    setenv("LISTEN_PID", text, 1);
    snprintf(text, sizeof(text), "%d", n);
    setenv("LISTEN_FDS", text, 1);
    setenv("LISTEN_FDNAMES", names, 1);
}

static void
test_systemd(void)
{
    struct listen_set set = {0};
    struct err err;

    refuses("systemd", "no socket of the name 'gateway'");
    pass(3, "gateway:dashboard:gateway");
    ok(opens(&set, "systemd", NULL, &err), "sockets of systemd: %s", err.text);
    is_int(set.n, 2, "those of the name");
    ok(is_answered(set.sockets[0].fd) && is_answered(set.sockets[1].fd), "answer");
    ok(opens(&set, "systemd", "127.0.0.1:0", &err), "they stay over a reload");
    is_int(set.n, 3, "with another one");
    listen_release(&set);
    ok(opens(&set, "systemd", NULL, &err), "and are there again after they were not wanted");
    is_int(set.n, 2, "both");
    listen_release(&set);
    dup2(open("/dev/null", O_RDONLY), 3);
    refuses("systemd", "descriptor 3 is no listening stream socket");
}

int
main(void)
{
    char long_path[200] = "/tmp/";

    if (mkdtemp(dir) == NULL)
        return skip_all("no folder");
    snprintf(path, sizeof(path), "%s/a.sock", dir);
    snprintf(other_path, sizeof(other_path), "%s/b.sock", dir);
    memset(long_path + 5, 'x', 150);

    test_systemd();
    test_tcp();
    test_file();
    test_stale_file();
    test_reload();
    refuses("", "no address like");
    refuses("8480", "no address like");
    refuses(":8480", "no address like");
    refuses("127.0.0.1:", "no address like");
    refuses("127.0.0.1:x", "no address like");
    refuses("127.0.0.1:65536", "no address like");
    refuses("127.0.0.1:-1", "no address like");
    refuses("::1:8480", "no address like");
    refuses("[127.0.0.1]:8480", "no address like");
    refuses("localhost:8480", "no address like");
    refuses("192.0.2.1:8480", "cannot take this address");
    refuses("/nowhere/at/all.sock", "cannot open");
    refuses(long_path, "too long");
    if (chdir(dir) == 0 && system("rm -rf -- *") == 0)
        rmdir(dir);
    return done_testing();
}
