/*
 * What every fuzz target has.  A target is one file: it includes this and defines
 *
 *     static void fuzz(const char *data, size_t len);
 *
 * which calls the real functions with these bytes and must() what they promise.  data
 * ends where its memory ends: the sanitizer sees a read beyond.
 */
#ifndef PGCREW_TESTS_FUZZ_H
#define PGCREW_TESTS_FUZZ_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/base.h"
#include "base/err.h"

static void fuzz(const char *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz((const char *)data, size);
    return 0;
}

/* A promise: the program ends where it is broken, and the input is kept. */
#define must(promise)                                                                              \
    do {                                                                                           \
        if (!(promise)) {                                                                          \
            fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #promise);                  \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* An error of a parser has a class and says something, within its room. */
UNUSED static void
must_say(const struct err *err)
{
    must(err->class != ERR_NONE);
    must(err->text[0] != '\0' && memchr(err->text, '\0', sizeof(err->text)) != NULL);
}

/* --- the input in parts ------------------------------------------------------------------ */

struct input {
    const char *at;
    size_t left;
};

UNUSED static uint8_t
take_byte(struct input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return (uint8_t)*in->at++;
}

/* Up to the next line end; NULs become '?'.  The caller frees it. */
UNUSED static char *
take_line(struct input *in)
{
    const char *end = in->left > 0 ? memchr(in->at, '\n', in->left) : NULL;
    size_t len = end != NULL ? (size_t)(end - in->at) : in->left;
    char *line = xmalloc(len + 1);

    if (len > 0)
        memcpy(line, in->at, len);
    line[len] = '\0';
    for (size_t i = 0; i < len; i++) {
        if (line[i] == '\0')
            line[i] = '?';
    }
    in->at += len + (end != NULL);
    in->left -= len + (end != NULL);
    return line;
}

/* All that is left, as one text. */
UNUSED static char *
take_text(struct input *in)
{
    char *text = xmalloc(in->left + 1);

    if (in->left > 0)
        memcpy(text, in->at, in->left);
    text[in->left] = '\0';
    for (size_t i = 0; i < in->left; i++) {
        if (text[i] == '\0')
            text[i] = '?';
    }
    in->left = 0;
    return text;
}

/* --- what texts must be ------------------------------------------------------------------ */

/* Bytes of the UTF-8 character at p, 0 when it is none. */
UNUSED static size_t
utf8_size(const unsigned char *p, size_t len)
{
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = p[0] < 0x80 ? 1 : p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3 : p[0] >> 3 == 30 ? 4 : 0;
    unsigned c = n > 1 ? p[0] & (0x7fU >> n) : p[0];

    if (n == 0 || n > len)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if (p[i] >> 6 != 2)
            return 0;
        c = c << 6 | (p[i] & 0x3fU);
    }
    return c >= least[n] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff) ? n : 0;
}

UNUSED static bool
is_utf8(const char *text, size_t len)
{
    size_t n;

    for (size_t i = 0; i < len; i += n) {
        n = utf8_size((const unsigned char *)text + i, len - i);
        if (n == 0)
            return false;
    }
    return true;
}

/* UTF-8 without anything that drives a terminal or begins a line, but the bytes of allowed. */
UNUSED static bool
is_clean_but(const char *text, const char *allowed)
{
    const unsigned char *p = (const unsigned char *)text;

    for (; *p != '\0'; p++) {
        if ((*p < 0x20 && strchr(allowed, *p) == NULL) || *p == 0x7f)
            return false;
        if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
            return false;
    }
    return is_utf8(text, strlen(text));
}

UNUSED static bool
is_clean(const char *text)
{
    return is_clean_but(text, "");
}

/* --- files ------------------------------------------------------------------------------- */

/* A file in memory with these bytes, always the same one; *ret_path names it. */
UNUSED static int
file_of(const char *data, size_t len, const char **ret_path)
{
    static char path[40];
    static int fd = -1;

    if (fd < 0) {
        fd = memfd_create("fuzz", MFD_CLOEXEC);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    }
    must(fd >= 0 && ftruncate(fd, 0) == 0);
    must(len == 0 || pwrite(fd, data, len, 0) == (ssize_t)len);
    must(lseek(fd, 0, SEEK_SET) == 0);
    *ret_path = path;
    return fd;
}

#endif
