#include "base/base.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
auto_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

void
auto_mem(void *pointer_to_pointer)
{
    free(*(void **)pointer_to_pointer);
}

void
auto_file(void *pointer_to_file)
{
    FILE *file = *(FILE **)pointer_to_file;

    if (file != NULL)
        fclose(file);
}

void
auto_dir(void *pointer_to_dir)
{
    DIR *dir = *(DIR **)pointer_to_dir;

    if (dir != NULL)
        closedir(dir);
}

int
take_fd(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}

void *
take_pointer(void *pointer_to_pointer)
{
    void *taken = *(void **)pointer_to_pointer;

    *(void **)pointer_to_pointer = NULL;
    return taken;
}

static void NORETURN
out_of_memory(void)
{
    static const char text[] = "pgcrew: out of memory\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof(text) - 1);

    (void)ignored;
    abort();
}

void *
xmalloc(size_t size)
{
    void *p = malloc(size > 0 ? size : 1);

    if (p == NULL)
        out_of_memory();
    return p;
}

void *
xcalloc(size_t count, size_t size)
{
    void *p = calloc(count > 0 ? count : 1, size > 0 ? size : 1);

    if (p == NULL)
        out_of_memory();
    return p;
}

void *
xrealloc(void *old, size_t size)
{
    void *p = realloc(old, size > 0 ? size : 1);

    if (p == NULL)
        out_of_memory();
    return p;
}

char *
xstrdup(const char *text)
{
    return xstrndup(text, strlen(text));
}

char *
xstrndup(const char *text, size_t max)
{
    char *p = strndup(text, max);

    if (p == NULL)
        out_of_memory();
    return p;
}

char *
xasprintf(const char *format, ...)
{
    va_list args;
    char *text = NULL;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        out_of_memory();
    va_end(args);
    return text;
}
