#include "base/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A descriptor for each level is open; what is deeper is moved up first. */
#define REMOVE_DEPTH 32
#define COUNT_DEPTH 100
#define ASK_EVERY 256
/* Names that are tried for a folder that is moved up. */
#define NAMES_MAX 10000

static bool
is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Give its owner all rights; by its descriptor, so that it cannot be something else meanwhile. */
static void
unlock(int parent, const char *name)
{
    AUTO(fd) int fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (fd >= 0)
        chmod(path, 0700);
}

static int
open_folder(int parent, const char *name)
{
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* NULL with errno; the descriptor goes with the DIR. */
static DIR *
open_listing(int parent, const char *name)
{
    int fd = open_folder(parent, name);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

    if (fd >= 0 && dir == NULL)
        close(fd);
    return dir;
}

/* --- the end of one ------------------------------------------------------------------- */

/* The folder to be removed, and how many were moved up into it. */
struct removal {
    int top;
    unsigned moved;
};

static bool
move_up(struct removal *r, int parent, const char *name)
{
    char fresh[32];

    while (r->moved < NAMES_MAX) {
        snprintf(fresh, sizeof(fresh), ".deep-%u", r->moved++);
        if (renameat(parent, name, r->top, fresh) == 0)
            return true;
        if (errno != EEXIST && errno != ENOTEMPTY && errno != ENOTDIR)
            return false;
    }
    return false;
}

static void empty(struct removal *r, int parent, const char *name, int depth);

static void
remove_entry(struct removal *r, int parent, const char *name, int depth)
{
    if (unlinkat(parent, name, 0) == 0 || unlinkat(parent, name, AT_REMOVEDIR) == 0)
        return;
    if (errno != ENOTEMPTY && errno != EEXIST)
        return;
    if (depth == REMOVE_DEPTH) {
        unlock(parent, name); /* its entry '..' changes */
        move_up(r, parent, name);
        return;
    }
    empty(r, parent, name, depth + 1);
    unlinkat(parent, name, AT_REMOVEDIR);
}

static void
empty(struct removal *r, int parent, const char *name, int depth)
{
    AUTO(dir) DIR *dir = NULL;
    const struct dirent *entry;

    unlock(parent, name);
    dir = open_listing(parent, name);
    if (dir != NULL && depth == 0)
        r->top = dirfd(dir);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (!is_dots(entry->d_name))
            remove_entry(r, dirfd(dir), entry->d_name, depth);
    }
}

/* Is there nothing in it, or no such folder? */
static bool
is_empty(int parent, const char *name)
{
    AUTO(dir) DIR *dir = open_listing(parent, name);
    const struct dirent *entry;

    if (dir == NULL)
        return errno == ENOENT;
    while ((entry = readdir(dir)) != NULL) {
        if (!is_dots(entry->d_name))
            return false;
    }
    return true;
}

bool
folder_empty(int parent, const char *name)
{
    struct removal r = {.top = -1};

    /* Each round takes away 32 levels of what was moved up in the last one. */
    for (unsigned moved = NAMES_MAX + 1; !is_empty(parent, name);) {
        if (moved == r.moved)
            return false;
        moved = r.moved;
        empty(&r, parent, name, 0);
    }
    return true;
}

bool
folder_remove(int parent, const char *name)
{
    if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return true;
    if (errno == ENOTDIR)
        return unlinkat(parent, name, 0) == 0;
    return folder_empty(parent, name) &&
           (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT);
}

/* --- what is in it ---------------------------------------------------------------------- */

struct count {
    int64_t bytes, enough;
    unsigned entries;
    bool (*is_over)(void);
    bool stop;
};

static void count_folder(struct count *c, int parent, const char *name, int depth);

static void
count_entry(struct count *c, int parent, const char *name, int depth)
{
    struct stat st;

    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    c->bytes += (int64_t)st.st_blocks * 512;
    c->stop = c->bytes > c->enough ||
              (++c->entries % ASK_EVERY == 0 && c->is_over != NULL && c->is_over());
    if (S_ISDIR(st.st_mode) && depth < COUNT_DEPTH && !c->stop)
        count_folder(c, parent, name, depth + 1);
}

static void
count_folder(struct count *c, int parent, const char *name, int depth)
{
    AUTO(dir) DIR *dir = open_listing(parent, name);
    const struct dirent *entry;

    while (dir != NULL && !c->stop && (entry = readdir(dir)) != NULL) {
        if (!is_dots(entry->d_name))
            count_entry(c, dirfd(dir), entry->d_name, depth);
    }
}

int64_t
folder_bytes(int parent, const char *name, int64_t enough, bool (*is_over)(void))
{
    struct count c = {.enough = enough, .is_over = is_over};

    count_folder(&c, parent, name, 0);
    return c.bytes;
}
