#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
starts(const char *text, const char *with, const char **ret_rest)
{
    size_t len = strlen(with);

    *ret_rest = text + len;
    return strncmp(text, with, len) == 0;
}

/* One byte more than allowed is read, to see that there is more.  Never waits: no FIFOs. */
static bool
read_file(const char *path, struct buf *ret, struct err *err)
{
    AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    ssize_t n;

    if (fd < 0 || fstat(fd, &st) < 0)
        return err_errno(err, ERR_CONFIG, "cannot read it");
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_CONFIG, "it is not a file");
    do {
        n = read(fd, buf_reserve(ret, SECRET_MAX + 1), SECRET_MAX + 1 - ret->len);
        if (n < 0)
            return err_errno(err, ERR_CONFIG, "cannot read it");
        ret->len += (size_t)n;
    } while (n > 0 && ret->len <= SECRET_MAX);
    return true;
}

static bool
read_credential(const char *name, struct buf *ret, struct err *err)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    AUTO(mem) char *path = NULL;

    if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL)
        return err_set(err, ERR_CONFIG, "that is no name of a credential");
    if (folder == NULL || folder[0] == '\0')
        return err_set(err, ERR_CONFIG, "CREDENTIALS_DIRECTORY is not set");
    path = xasprintf("%s/%s", folder, name);
    return read_file(path, ret, err);
}

static bool
look_up(const char *reference, struct buf *ret, struct err *err)
{
    const char *name, *value;

    if (starts(reference, "env:", &name)) {
        value = getenv(name);
        if (value == NULL)
            return err_set(err, ERR_CONFIG, "it is not set");
        buf_add_text(ret, value);
        return true;
    }
    if (starts(reference, "credential:", &name))
        return read_credential(name, ret, err);
    if (starts(reference, "file:", &name) && name[0] == '/')
        return read_file(name, ret, err);
    return err_set(err, ERR_CONFIG, "it must be env:NAME, file:/PATH or credential:NAME");
}

bool
secret_is_reference(const char *text)
{
    const char *rest;

    return starts(text, "credential:", &rest) || starts(text, "file:/", &rest) ||
           starts(text, "env:", &rest);
}

static bool
read_whole(const char *reference, struct buf *ret, struct err *err)
{
    if (!look_up(reference, ret, err))
        return false;
    if (ret->len > SECRET_MAX)
        return err_set(err, ERR_CONFIG, "it is longer than 16 KiB");
    while (ret->len > 0 && (ret->data[ret->len - 1] == '\n' || ret->data[ret->len - 1] == '\r'))
        ret->len--;
    buf_add(ret, NULL, 0); /* the NUL after it */
    if (ret->len == 0)
        return err_set(err, ERR_CONFIG, "it is empty");
    return true;
}

bool
secret_read(const char *reference, struct buf *ret, struct err *err)
{
    return read_whole(reference, ret, err) || err_before(err, "no secret '%s'", reference);
}
