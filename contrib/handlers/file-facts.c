/*
 * file-facts: a handler that says what a file is.
 *
 * Payload, as `pgcrew enqueue KIND --file F` makes it: {"path": "/srv/in/a.pdf"}; other keys
 * are ignored.  Result: {"type": "application/pdf", "size": 52311, "sha256": "9f86...",
 * "gzip_size": 48110}, and for text "lines".  The file is read once, in pieces, so its size
 * does not matter.  It is an example too: see pgcrew-exec(7).
 *
 * Exit status: 0; 65 when there is no such file or the payload names none (never again);
 * 77 when it may not be read; 74 when reading failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>
#include <zlib.h>

#define HEAD_BYTES 4096 /* what the type is guessed from */

struct facts {
    uint64_t size, gzip_size, lines;
    bool is_text; /* no control characters but those of text */
    unsigned char last;
    unsigned char head[HEAD_BYTES];
    size_t head_len;
    unsigned char sha256[EVP_MAX_MD_SIZE];
    unsigned sha256_len;
    char type[128];
};

static _Noreturn void
give_up(int status, const char *what, const char *path, const char *why)
{
    fprintf(stderr, "file-facts: %s%s%s%s%s\n", what, path ? " " : "", path ? path : "",
            why ? ": " : "", why ? why : "");
    exit(status);
}

/* --- progress ------------------------------------------------------------------------ */

/* "42 reading" on the descriptor that pgcrew names; nobody listens when run by hand. */
static void
say_progress(uint64_t done, uint64_t total)
{
    static int said = -1;
    const char *fd = getenv("PGCREW_PROGRESS_FD");
    int percent = total > 0 ? (int)(done * 100 / total) : 100;

    if (fd == NULL || percent <= said || percent > 100)
        return;
    said = percent;
    dprintf(atoi(fd), "%d reading\n", percent);
}

/* --- one piece of the file ------------------------------------------------------------ */

static bool
is_text_byte(unsigned char c)
{
    return c >= ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == 033;
}

static void
look_at(struct facts *f, const unsigned char *data, size_t len)
{
    size_t fits = sizeof(f->head) - f->head_len;

    if (fits > len)
        fits = len;
    memcpy(f->head + f->head_len, data, fits);
    f->head_len += fits;
    for (size_t i = 0; i < len; i++) {
        f->is_text &= is_text_byte(data[i]);
        f->lines += data[i] == '\n';
    }
    f->size += len;
    f->last = data[len - 1];
}

static void
compress_some(struct facts *f, z_stream *z, unsigned char *data, size_t len, int flush)
{
    unsigned char out[16 * 1024];

    z->next_in = data;
    z->avail_in = (unsigned)len;
    do {
        z->next_out = out;
        z->avail_out = sizeof(out);
        deflate(z, flush);
        f->gzip_size += sizeof(out) - z->avail_out;
    } while (z->avail_out == 0);
}

static void
read_all(struct facts *f, int fd, const char *path, uint64_t expected)
{
    static unsigned char data[64 * 1024];
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    z_stream z = {.zalloc = NULL};
    ssize_t len;

    /* 15 bits of window, and 16 for the header of gzip instead of that of zlib. */
    if (hash == NULL || EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1 ||
        deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        give_up(EX_TEMPFAIL, "cannot begin: no memory", NULL, NULL);
    while ((len = read(fd, data, sizeof(data))) > 0) {
        look_at(f, data, (size_t)len);
        EVP_DigestUpdate(hash, data, (size_t)len);
        compress_some(f, &z, data, (size_t)len, Z_NO_FLUSH);
        say_progress(f->size, expected);
    }
    if (len < 0)
        give_up(EX_IOERR, "cannot read", path, strerror(errno));
    compress_some(f, &z, data, 0, Z_FINISH);
    EVP_DigestFinal_ex(hash, f->sha256, &f->sha256_len);
    EVP_MD_CTX_free(hash);
    deflateEnd(&z);
}

/* --- its type --------------------------------------------------------------------------- */

/* By file(1), which knows thousands.  False when it is not installed. */
static bool
ask_file(const char *path, char *ret, size_t size)
{
    char name[] = "file", brief[] = "--brief", mime[] = "--mime-type", end[] = "--";
    char *copy = strdup(path), *argv[] = {name, brief, mime, end, copy, NULL};
    posix_spawn_file_actions_t actions;
    int ends[2], status = 1;
    ssize_t len = 0;
    pid_t pid;

    if (copy == NULL || pipe2(ends, O_CLOEXEC) < 0)
        give_up(EX_TEMPFAIL, "cannot make a pipe", NULL, strerror(errno));
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    if (posix_spawnp(&pid, name, &actions, NULL, argv, environ) == 0) {
        close(ends[1]);
        ends[1] = -1;
        len = read(ends[0], ret, size - 1);
        waitpid(pid, &status, 0);
    }
    posix_spawn_file_actions_destroy(&actions);
    free(copy);
    close(ends[0]);
    if (ends[1] >= 0)
        close(ends[1]);
    ret[len > 0 ? len : 0] = '\0';
    ret[strcspn(ret, "\n")] = '\0';
    return status == 0 && strchr(ret, '/') != NULL;
}

/* By what it begins with: the files that people upload. */
static const char *
guess_type(const struct facts *f)
{
    /* clang-format off */
    static const struct {
        size_t at, len;
        const char *bytes, *type;
    } rows[] = {
        {0, 8, "\x89PNG\r\n\x1a\n", "image/png"},
        {0, 3, "\xff\xd8\xff",      "image/jpeg"},
        {0, 4, "GIF8",              "image/gif"},
        {8, 4, "WEBP",              "image/webp"},
        {4, 4, "ftyp",              "video/mp4"},
        {0, 5, "%PDF-",             "application/pdf"},
        {0, 4, "PK\x03\x04",        "application/zip"},
        {0, 2, "\x1f\x8b",          "application/gzip"},
        {0, 4, "OggS",              "audio/ogg"},
        {0, 3, "ID3",               "audio/mpeg"},
        {0, 4, "fLaC",              "audio/flac"},
    };
    /* clang-format on */

    if (f->size == 0)
        return "inode/x-empty";
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (f->head_len >= rows[i].at + rows[i].len &&
            memcmp(f->head + rows[i].at, rows[i].bytes, rows[i].len) == 0)
            return rows[i].type;
    }
    return f->is_text ? "text/plain" : "application/octet-stream";
}

/* --- in and out --------------------------------------------------------------------------- */

static json_t *
read_payload(const char **ret_path)
{
    json_error_t error;
    json_t *payload = json_loadf(stdin, 0, &error);
    const char *path = json_string_value(json_object_get(payload, "path"));

    if (payload == NULL)
        give_up(EX_DATAERR, "the payload is no JSON", NULL, error.text);
    if (path == NULL || path[0] == '\0')
        give_up(EX_DATAERR, "the payload has no \"path\"", NULL, NULL);
    *ret_path = path;
    return payload;
}

static int
open_file(const char *path, uint64_t *ret_size)
{
    /* Not to hang in a pipe that nobody writes to. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;

    if (fd < 0 && (errno == EACCES || errno == EPERM))
        give_up(EX_NOPERM, "cannot open", path, strerror(errno));
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
        give_up(EX_TEMPFAIL, "cannot open", path, strerror(errno));
    if (fd < 0)
        give_up(EX_DATAERR, "cannot open", path, strerror(errno));
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        give_up(EX_DATAERR, "no regular file:", path, NULL);
    *ret_size = (uint64_t)st.st_size;
    return fd;
}

static void
print_facts(const struct facts *f)
{
    char hex[2 * EVP_MAX_MD_SIZE + 1] = "";
    json_t *all;

    for (unsigned i = 0; i < f->sha256_len; i++)
        snprintf(hex + (size_t)2 * i, 3, "%02x", f->sha256[i]);
    all = json_pack("{s:s, s:I, s:s, s:I}", "type", f->type, "size", (json_int_t)f->size, "sha256",
                    hex, "gzip_size", (json_int_t)f->gzip_size);
    if (f->is_text && f->size > 0)
        json_object_set_new(all, "lines", json_integer((json_int_t)(f->lines + (f->last != '\n'))));
    if (json_dumpf(all, stdout, 0) < 0 || putchar('\n') == EOF || fflush(stdout) == EOF)
        give_up(EX_IOERR, "cannot write the result", NULL, strerror(errno));
    json_decref(all);
}

int
main(void)
{
    static struct facts f = {.is_text = true};
    const char *path;
    json_t *payload = read_payload(&path);
    uint64_t expected;
    int fd = open_file(path, &expected);

    read_all(&f, fd, path, expected);
    close(fd);
    if (!ask_file(path, f.type, sizeof(f.type)))
        snprintf(f.type, sizeof(f.type), "%s", guess_type(&f));
    print_facts(&f);
    json_decref(payload);
    return 0;
}
