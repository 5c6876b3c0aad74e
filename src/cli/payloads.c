#include "cli/payloads.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/values.h"

struct payloads {
    enum payload_next (*next)(struct payloads *p, struct buf *ret, struct err *err);
    const char *text; /* the one payload */
    bool is_over;
    const char *const *files; /* names on the command line */
    size_t n_files, at;
    const char *path; /* of a list or of lines */
    FILE *stream;     /* opened at the first look */
    char separator;
    int64_t line;
    char *read; /* getdelim's */
    size_t read_room;
};

/* --- streams ------------------------------------------------------------------------ */

static bool
open_stream(struct payloads *p, struct err *err)
{
    if (p->stream != NULL)
        return true;
    p->stream = strcmp(p->path, "-") == 0 ? stdin : fopen(p->path, "re");
    if (p->stream == NULL)
        return err_errno(err, ERR_PERMANENT, "cannot read '%s'", p->path);
    return true;
}

/* The next line without its end; PAYLOAD_GOT means that it is in p->read. */
static enum payload_next
next_line(struct payloads *p, size_t *ret_len, struct err *err)
{
    ssize_t len;

    if (!open_stream(p, err))
        return PAYLOAD_BROKEN;
    errno = 0;
    len = getdelim(&p->read, &p->read_room, p->separator, p->stream);
    if (len < 0 && (ferror(p->stream) != 0 || errno != 0)) {
        err_errno(err, ERR_PERMANENT, "cannot read '%s'", p->path);
        return PAYLOAD_BROKEN;
    }
    if (len < 0)
        return PAYLOAD_END;
    if (len > 0 && p->read[len - 1] == p->separator)
        p->read[--len] = '\0';
    p->line++;
    *ret_len = (size_t)len;
    return PAYLOAD_GOT;
}

/* --- one payload -------------------------------------------------------------------- */

static bool
read_all(FILE *stream, struct buf *ret, struct err *err)
{
    size_t n;

    do {
        n = fread(buf_reserve(ret, 65536), 1, 65536, stream);
        ret->len += n;
    } while (n > 0);
    buf_add(ret, "", 0);
    if (ferror(stream) != 0)
        return err_errno(err, ERR_PERMANENT, "cannot read standard input");
    return true;
}

static enum payload_next
text_next(struct payloads *p, struct buf *ret, struct err *err)
{
    bool is_stdin = p->text != NULL && strcmp(p->text, "-") == 0;

    if (p->is_over)
        return PAYLOAD_END;
    p->is_over = true;
    if (is_stdin && !read_all(stdin, ret, err))
        return PAYLOAD_BROKEN;
    if (!is_stdin)
        buf_add_text(ret, p->text != NULL ? p->text : "{}");
    if (value_parse(buf_text(ret), ret->len, NULL, err))
        return PAYLOAD_GOT;
    err_before(err, "the payload is not JSON");
    return PAYLOAD_BAD;
}

struct payloads *
payloads_of_text(const char *json)
{
    struct payloads *p = xcalloc(1, sizeof(*p));

    p->next = text_next;
    p->text = json;
    return p;
}

/* --- files -------------------------------------------------------------------------- */

static bool
check_file(const char *path, struct stat *ret, struct err *err)
{
    /* Without O_NONBLOCK a FIFO would hold us until somebody writes to it. */
    AUTO(fd) int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, ret) < 0)
        return err_errno(err, ERR_PERMANENT, "cannot read '%s'", path);
    if (S_ISDIR(ret->st_mode))
        return err_set(err, ERR_PERMANENT, "'%s' is a folder, not a file", path);
    if (!S_ISREG(ret->st_mode))
        return err_set(err, ERR_PERMANENT, "'%s' is not a regular file", path);
    return true;
}

bool
payload_of_file(const char *path, struct buf *ret, struct err *err)
{
    AUTO(mem) char *absolute = NULL, *json = NULL;
    const char *slash = strrchr(path, '/');
    struct stat st;
    json_t *payload;

    if (!check_file(path, &st, err))
        return false;
    absolute = realpath(path, NULL);
    if (absolute == NULL)
        return err_errno(err, ERR_PERMANENT, "cannot find '%s'", path);
    payload = json_pack("{s:s, s:I, s:s}", "path", absolute, "size", (json_int_t)st.st_size, "name",
                        slash != NULL ? slash + 1 : path);
    if (payload == NULL)
        return err_set(err, ERR_PERMANENT, "the name '%s' is not UTF-8: JSON cannot hold it", path);
    json = json_dumps(payload, JSON_COMPACT);
    json_decref(payload);
    buf_add_text(ret, json);
    return true;
}

static enum payload_next
files_next(struct payloads *p, struct buf *ret, struct err *err)
{
    const char *path;
    size_t len;

    do {
        if (p->at < p->n_files) {
            path = p->files[p->at++];
            break;
        }
        enum payload_next got = p->path != NULL ? next_line(p, &len, err) : PAYLOAD_END;

        if (got != PAYLOAD_GOT)
            return got;
        path = p->read;
    } while (path[0] == '\0');
    return payload_of_file(path, ret, err) ? PAYLOAD_GOT : PAYLOAD_BAD;
}

struct payloads *
payloads_of_files(const char *const *files, size_t n, const char *list, char separator)
{
    struct payloads *p = xcalloc(1, sizeof(*p));

    p->next = files_next;
    p->files = files;
    p->n_files = n;
    p->path = list;
    p->separator = separator;
    return p;
}

/* --- lines of JSON -------------------------------------------------------------------- */

static bool
is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '\0';
}

static enum payload_next
lines_next(struct payloads *p, struct buf *ret, struct err *err)
{
    struct err why;
    size_t len;

    do {
        enum payload_next got = next_line(p, &len, err);

        if (got != PAYLOAD_GOT)
            return got;
    } while (is_blank(p->read) && strlen(p->read) == len);
    if (!value_parse(p->read, len, NULL, &why)) {
        /* jansson counts from the start of this line. */
        const char *column = strstr(why.text, "column");

        err_set(err, ERR_PERMANENT, "line %lld, %s", (long long)p->line,
                column != NULL ? column : why.text);
        return PAYLOAD_BAD;
    }
    buf_add(ret, p->read, len);
    return PAYLOAD_GOT;
}

struct payloads *
payloads_of_lines(const char *path)
{
    struct payloads *p = xcalloc(1, sizeof(*p));

    p->next = lines_next;
    p->path = path;
    p->separator = '\n';
    return p;
}

/* --- all of them ------------------------------------------------------------------------ */

enum payload_next
payloads_next(struct payloads *p, struct buf *ret, struct err *err)
{
    buf_clear(ret);
    return p->next(p, ret, err);
}

void
payloads_free(struct payloads *p)
{
    if (p == NULL)
        return;
    if (p->stream != NULL && p->stream != stdin)
        fclose(p->stream);
    free(p->read);
    free(p);
}
