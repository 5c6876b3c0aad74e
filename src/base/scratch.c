#include "base/scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/folder.h"
#include "base/log.h"

#define PREFIX "pgcrewd-"

static char path[PATH_MAX]; /* "": none was made */
static int lock_fd = -1;

static const char *
folder_of_all(void)
{
    const char *dir = getenv("TMPDIR");

    return dir != NULL && dir[0] == '/' ? dir : "/tmp";
}

/* The lock of a folder of ours that nobody holds; -1 when it is another one, or in use. */
static int
lock_left_over(int parent, const char *name)
{
    AUTO(fd) int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != geteuid() || flock(fd, LOCK_EX | LOCK_NB) < 0)
        return -1;
    return TAKE_FD(fd);
}

static void
remove_left_over(int parent, const char *name)
{
    AUTO(fd) int lock = lock_left_over(parent, name); /* kept until it is gone */

    if (lock < 0)
        return;
    log_info("removing the temporary folder '%s' of a daemon that was killed", name);
    if (!folder_remove(parent, name))
        log_warn("not all of the temporary folder '%s/%s' can be removed", folder_of_all(), name);
}

static void
remove_left_overs(void)
{
    AUTO(dir) DIR *dir = opendir(folder_of_all());
    const struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0)
            remove_left_over(dirfd(dir), entry->d_name);
    }
}

/* Locked at birth but for a moment in which a daemon that begins too may remove it: again then. */
static bool
make_locked(void)
{
    struct stat now, opened;

    snprintf(path, sizeof(path), "%.*s/" PREFIX "XXXXXX", PATH_MAX - 32, folder_of_all());
    if (mkdtemp(path) == NULL)
        return false;
    lock_fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return lock_fd >= 0 && flock(lock_fd, LOCK_EX | LOCK_NB) == 0 && stat(path, &now) == 0 &&
           fstat(lock_fd, &opened) == 0 && now.st_ino == opened.st_ino &&
           fchmod(lock_fd, 0711) == 0;
}

bool
scratch_begin(struct err *err)
{
    remove_left_overs();
    for (int tries = 0; tries < 3; tries++) {
        if (make_locked()) {
            fault_here("scratch.made");
            return true;
        }
        path[0] = '\0';
        if (lock_fd >= 0)
            close(lock_fd);
        lock_fd = -1;
    }
    return err_errno(err, ERR_CONFIG, "cannot make a folder for temporary files in '%s'",
                     folder_of_all());
}

void
scratch_end(void)
{
    if (path[0] == '\0')
        return;
    folder_remove(AT_FDCWD, path);
    path[0] = '\0';
    close(lock_fd);
    lock_fd = -1;
}

const char *
scratch_path(void)
{
    return path[0] != '\0' ? path : folder_of_all();
}
