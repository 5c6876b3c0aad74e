#include "base/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Groups within groups that we look into; a handler of our user may make some of its own. */
#define DEPTH_MAX 16

int
cgroup_open(int parent, const char *name)
{
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int
cgroup_make(int parent, const char *name)
{
    return mkdirat(parent, name, 0755) < 0 ? -1 : cgroup_open(parent, name);
}

bool
cgroup_write(int group, const char *file, const char *value)
{
    AUTO(fd) int fd = openat(group, file, O_WRONLY | O_CLOEXEC);
    size_t len = strlen(value);

    return fd >= 0 && write(fd, value, len) == (ssize_t)len;
}

bool
cgroup_write_number(int group, const char *file, int64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRId64, value);
    return cgroup_write(group, file, text);
}

/* The first bytes of a file as text; false when it cannot be read. */
static bool
read_text(int group, const char *file, char *ret, size_t size)
{
    AUTO(fd) int fd = openat(group, file, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, ret, size - 1) : -1;

    ret[len > 0 ? len : 0] = '\0';
    return len > 0;
}

static int64_t
number_at(const char *text)
{
    int64_t n;

    return sscanf(text, "%" SCNd64, &n) == 1 ? n : -1;
}

int64_t
cgroup_read(int group, const char *file)
{
    char text[64];

    return read_text(group, file, text, sizeof(text)) ? number_at(text) : -1;
}

int64_t
cgroup_read_word(int group, const char *file, const char *word)
{
    size_t len = strlen(word);
    char text[2048];

    if (!read_text(group, file, text, sizeof(text)))
        return -1;
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += line[0] == '\n';
        if (strncmp(line, word, len) == 0 && line[len] == ' ')
            return number_at(line + len);
    }
    return -1;
}

bool
cgroup_kill(int group)
{
    return cgroup_write(group, "cgroup.kill", "1");
}

static bool
remove_with_all(int parent, const char *name, int depth)
{
    AUTO(dir) DIR *dir = NULL;
    const struct dirent *entry;
    int fd;

    if (unlinkat(parent, name, AT_REMOVEDIR) == 0)
        return true;
    if (errno != EBUSY || depth == DEPTH_MAX)
        return false;
    /* Something lives in it, or there are groups below it. */
    fd = cgroup_open(parent, name);
    dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (dir == NULL)
        return false;
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            remove_with_all(fd, entry->d_name, depth + 1);
    }
    return unlinkat(parent, name, AT_REMOVEDIR) == 0;
}

bool
cgroup_remove(int parent, const char *name)
{
    return remove_with_all(parent, name, 0);
}
