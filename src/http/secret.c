#include "http/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

#define MASKED_FROM 6

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
        n = read(fd, buf_reserve(ret, HTTP_SECRET_MAX + 1), HTTP_SECRET_MAX + 1 - ret->len);
        if (n < 0)
            return err_errno(err, ERR_CONFIG, "cannot read it");
        ret->len += (size_t)n;
    } while (n > 0 && ret->len <= HTTP_SECRET_MAX);
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

static bool
read_secret(const char *reference, struct buf *ret, struct err *err)
{
    if (!look_up(reference, ret, err))
        return false;
    if (ret->len > HTTP_SECRET_MAX)
        return err_set(err, ERR_CONFIG, "it is longer than 16 KiB");
    while (ret->len > 0 && (ret->data[ret->len - 1] == '\n' || ret->data[ret->len - 1] == '\r'))
        ret->len--;
    if (ret->len == 0)
        return err_set(err, ERR_CONFIG, "it is empty");
    return true;
}

bool
http_secret_get(const char *reference, struct arena *a, struct http_secrets *known,
                const struct http_secret **ret, struct err *err)
{
    AUTO(buf) struct buf text = {.data = NULL};
    struct http_secret *secret;

    if (!read_secret(reference, &text, err))
        return err_before(err, "no secret '%s'", reference);
    secret = arena_alloc(a, sizeof(*secret));
    secret->data = arena_memdup(a, text.data, text.len);
    secret->len = text.len;
    secret->next = known->first;
    known->first = secret;
    *ret = secret;
    return true;
}

static bool
has_control(const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)data[i] < 0x20 || data[i] == 0x7f)
            return true;
    }
    return false;
}

/* One ${reference}; p is just behind "${". */
static bool
expand_one(const char *p, const char *end, struct arena *a, struct http_secrets *known,
           struct buf *ret, struct err *err)
{
    const char *reference = arena_memdup(a, p, (size_t)(end - p));
    const struct http_secret *secret;

    if (!http_secret_get(reference, a, known, &secret, err))
        return false;
    if (has_control(secret->data, secret->len))
        return err_set(err, ERR_CONFIG, "secret '%s' has control characters in it", reference);
    buf_add(ret, secret->data, secret->len);
    return true;
}

bool
http_secret_expand(const char *value, struct arena *a, struct http_secrets *known, const char **ret,
                   struct err *err)
{
    AUTO(buf) struct buf text = {.data = NULL};
    const char *p = value, *dollar;

    while ((dollar = strstr(p, "${")) != NULL) {
        const char *end = strchr(dollar, '}');

        if (end == NULL)
            return err_set(err, ERR_CONFIG, "a '${' has no '}'");
        buf_add(&text, p, (size_t)(dollar - p));
        if (!expand_one(dollar + 2, end, a, known, &text, err))
            return false;
        p = end + 1;
    }
    buf_add_text(&text, p);
    if (has_control(buf_text(&text), text.len))
        return err_set(err, ERR_CONFIG, "a header has control characters in it");
    *ret = arena_memdup(a, buf_text(&text), text.len);
    return true;
}

void
http_secrets_mask(const struct http_secrets *known, char *data, size_t len)
{
    for (const struct http_secret *s = known->first; s != NULL; s = s->next) {
        char *p = data, *found;

        if (s->len < MASKED_FROM || len == 0)
            continue;
        while ((found = memmem(p, len - (size_t)(p - data), s->data, s->len)) != NULL) {
            memset(found, '*', s->len);
            p = found + s->len;
        }
    }
}
