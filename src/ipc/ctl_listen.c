/*
 * Where the daemon listens.  Three things can be there already: nothing, the
 * file of a dead daemon, a living daemon.  The lock decides between two that
 * start at the same moment; asking the socket finds one whose lock file was
 * deleted.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ipc/ctl.h"

static bool
is_answered(const struct sockaddr_un *addr)
{
    AUTO(fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    /* EAGAIN: somebody listens and has too much to do. */
    return fd >= 0 && (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 ||
                       errno == EAGAIN || errno == EINPROGRESS);
}

static bool
take_lock(const char *path, int *ret_fd, struct err *err)
{
    AUTO(mem) char *lock = xasprintf("%s.lock", path);
    AUTO(fd) int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return err_errno(err, ERR_CONFIG, "cannot open '%s'", lock);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno == EWOULDBLOCK)
            return err_set(err, ERR_CONFIG, "another pgcrewd answers on '%s'", path);
        return err_errno(err, ERR_CONFIG, "cannot lock '%s'", lock);
    }
    *ret_fd = TAKE_FD(fd);
    return true;
}

/*
 * The file is named once and checked: in a folder that others may write, they could have
 * put something else there meanwhile.
 */
static bool
open_for_group(const char *path, const char *group, struct err *err)
{
    AUTO(fd) int file = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    const struct group *entry;
    char by_number[32];
    struct stat st;

    if (file < 0 || fstat(file, &st) < 0)
        return err_errno(err, ERR_CONFIG, "cannot find '%s' again", path);
    if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid())
        return err_set(err, ERR_CONFIG, "somebody else writes in the folder of '%s'", path);
    if (group != NULL) {
        errno = 0;
        entry = getgrnam(group);
        if (entry == NULL)
            return err_set(err, ERR_CONFIG, "there is no group '%s' for '%s'", group, path);
        if (fchownat(file, "", (uid_t)-1, entry->gr_gid, AT_EMPTY_PATH) < 0)
            return err_errno(err, ERR_CONFIG, "cannot give '%s' to the group '%s'", path, group);
    }
    snprintf(by_number, sizeof(by_number), "/proc/self/fd/%d", file);
    if (chmod(by_number, 0660) < 0)
        return err_errno(err, ERR_CONFIG, "cannot set the mode of '%s'", path);
    return true;
}

static bool
make_socket(const struct sockaddr_un *addr, const char *group, int *ret_fd, struct err *err)
{
    AUTO(fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t old_mask;
    int bound;

    if (fd < 0)
        return err_errno(err, ERR_RETRY, "cannot make a socket");
    old_mask = umask(0177); /* nobody else until the group is right */
    bound = bind(fd, (const struct sockaddr *)addr, sizeof(*addr));
    umask(old_mask);
    if (bound < 0)
        return err_errno(err, ERR_CONFIG, "cannot listen on '%s'", addr->sun_path);
    if (!open_for_group(addr->sun_path, group, err)) {
        unlink(addr->sun_path);
        return false;
    }
    if (listen(fd, CTL_CLIENTS) < 0)
        return err_errno(err, ERR_CONFIG, "cannot listen on '%s'", addr->sun_path);
    *ret_fd = TAKE_FD(fd);
    return true;
}

bool
ctl_listen(const char *path, const char *group, struct ctl_place *ret, struct err *err)
{
    AUTO(fd) int lock_fd = -1;
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    struct stat old;
    int fd = -1;

    if (len >= sizeof(addr.sun_path))
        return err_set(err, ERR_CONFIG, "the path '%s' is too long for a socket", path);
    memcpy(addr.sun_path, path, len + 1);

    if (!take_lock(path, &lock_fd, err))
        return false;
    if (is_answered(&addr))
        return err_set(err, ERR_CONFIG, "another pgcrewd answers on '%s'", path);
    if (lstat(path, &old) == 0 && !S_ISSOCK(old.st_mode))
        return err_set(err, ERR_CONFIG, "'%s' is there and is no socket", path);
    if (unlink(path) < 0 && errno != ENOENT)
        return err_errno(err, ERR_CONFIG, "cannot replace '%s'", path);
    if (!make_socket(&addr, group, &fd, err))
        return false;

    *ret = (struct ctl_place){.fd = fd, .lock_fd = TAKE_FD(lock_fd), .path = xstrdup(path)};
    return true;
}

void
ctl_place_release(struct ctl_place *place)
{
    if (place->path != NULL)
        unlink(place->path);
    if (place->fd >= 0)
        close(place->fd);
    if (place->lock_fd >= 0)
        close(place->lock_fd); /* last: whoever waits for the lock finds no file of ours */
    free(place->path);
    *place = CTL_NOWHERE;
}
