/* The list of workers outlives whoever wrote it; a record has a lock while somebody lives. */
#include "ipc/kin.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/lifeline.h"
#include "tap.h"

#define RECORD 64

static char path[] = "/tmp/pgcrew-test-kin-XXXXXX";

/* As a new supervisor opens it; the number of those it finds is returned. */
static size_t
found(struct uuid *ret_first)
{
    AUTO(fd) int fd = open(path, O_RDWR | O_CLOEXEC);
    struct kin *kin = kin_new(fd, NULL);
    AUTO(mem) struct uuid *list = NULL;
    size_t n = kin_list(kin, &list);

    if (n > 0 && ret_first != NULL)
        *ret_first = list[0];
    kin_free(kin);
    return n;
}

static void
overwrite(off_t at, const char *text, size_t size)
{
    AUTO(fd) int fd = open(path, O_RDWR | O_CLOEXEC);

    if (pwrite(fd, text, size, at) != (ssize_t)size)
        abort();
}

static void
test_list(struct kin *kin)
{
    struct uuid a = uuid_random(), b = uuid_random(), first = {{0}};
    struct stat st;
    struct err err;
    int fd_a, fd_b;

    is_int(found(NULL), 0, "at first nobody is in it");
    fd_a = kin_add(kin, &a, &err);
    fd_b = kin_add(kin, &b, &err);
    ok(fd_a >= LIFELINE_LEAST && fd_b >= LIFELINE_LEAST, "two are added, each has a lifeline");
    is_int(found(&first), 2, "the next supervisor finds both");
    ok(uuid_equal(&first, &a), "as they were written");
    ok(kin_lives(kin, &a) && kin_lives(kin, &b), "they live");
    close(fd_a);
    ok(!kin_lives(kin, &a), "a lifeline is gone: so is who had it");
    ok(kin_lives(kin, &b), "and nobody else");
    kin_remove(kin, &b);
    is_int(found(NULL), 1, "who is removed is not found");
    fd_a = kin_add(kin, &b, &err);
    ok(kin_lives(kin, &b), "a record that somebody still has a lock of is not given to another");
    is_int(found(NULL), 2, "another one is");
    close(fd_a);
    ok(!kin_lives(kin, &b), "which has a lock of its own");
    close(fd_b);
    kin_remove(kin, &a);
    kin_remove(kin, &b);
    is_int(found(NULL), 0, "nobody is left in the end");
    ok(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600, "the file is ours alone");
}

static void
test_forked(struct kin *kin)
{
    struct uuid u = uuid_random();
    struct err err;
    int fd = kin_add(kin, &u, &err);
    pid_t pid = fork();

    if (pid == 0) {
        for (;;)
            pause();
    }
    close(fd);
    ok(kin_lives(kin, &u), "a child has inherited the lifeline");
    kill(pid, SIGSTOP);
    ok(kin_lives(kin, &u), "one that is stopped lives, too");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    ok(!kin_lives(kin, &u), "until it is dead");
    kin_remove(kin, &u);
}

static void
test_full(struct kin *kin)
{
    struct uuid u;
    struct err err = {0};
    int n = 0, fd;

    for (; n <= KIN_MAX; n++) {
        u = uuid_random();
        fd = kin_add(kin, &u, &err);
        if (fd < 0)
            break;
        close(fd); /* a record stays taken until it is removed */
    }
    is_int(n, KIN_MAX, "so many can be in it, and no more");
    is_int(found(NULL), KIN_MAX, "and are found");
}

/* Whatever is in the file: what is no list of ours is thrown away, the rest is read. */
static void
test_garbage(void)
{
    struct uuid u = uuid_random(), first;
    AUTO(fd) int fd = open(path, O_RDWR | O_CLOEXEC);
    struct kin *kin;
    struct err err;
    char zeros[RECORD] = "", other[UUID_TEXT_SIZE];

    is_int(ftruncate(fd, 0), 0, "an empty file");
    kin = kin_new(fd, &err);
    for (int i = 0; i < 3; i++)
        close(kin_add(kin, &u, &err));
    overwrite(RECORD, "not a uuid", 10);
    overwrite((off_t)2 * RECORD, zeros, sizeof(zeros));
    overwrite((off_t)4 * RECORD, "half a reco", 11);
    is_int(found(&first), 1, "records that are nonsense are not heeded");
    ok(uuid_equal(&first, &u), "the others are");
    overwrite((off_t)3 * RECORD + 40, "x", 1);
    is_int(found(NULL), 0, "nor one with more in it than a UUID");
    kin_free(kin);

    kin = kin_new(fd, &err);
    close(kin_add(kin, &u, &err));
    is_int(chmod(path, 0660), 0, "others may write to it:");
    is_int(found(NULL), 0, "what is there may be theirs and is thrown away");
    close(kin_add(kin, &u, &err));
    kin_free(kin);
    overwrite(0, uuid_text(other, &u), UUID_TEXT_SIZE - 1);
    is_int(found(NULL), 0, "so is what another boot has left");
    overwrite(0, "\xff\xfe garbage", 10);
    is_int(found(NULL), 0, "and what is no list");
}

static void
test_not_ours(void)
{
    AUTO(mem) char *link_path = xasprintf("%s.link", path);
    AUTO(fd) int fd = open(path, O_RDWR | O_CLOEXEC);
    AUTO(fd) int zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
    struct err err = {0};
    struct uuid u = uuid_random();

    is_int(link(path, link_path), 0, "the file has another name:");
    ok(kin_new(fd, &err) == NULL, "it may be somebody's, and is not touched");
    unlink(link_path);
    ok(kin_new(zero, &err) == NULL, "nor is a device");
    is_int(kin_add(NULL, &u, &err), -1, "without a list nobody is added");
    ok(!kin_lives(NULL, &u), "nor found");
    kin_remove(NULL, &u);
}

int
main(void)
{
    AUTO(fd) int fd = mkstemp(path);
    struct err err = {0};
    struct kin *kin = kin_new(fd, &err);

    ok(kin != NULL, "a list begins in an empty file");
    test_list(kin);
    test_forked(kin);
    test_full(kin);
    kin_free(kin);
    test_garbage();
    test_not_ours();
    unlink(path);
    return done_testing();
}
