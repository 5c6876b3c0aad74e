/*
 * Words that every file uses: attributes, cleanup, allocation.
 *
 * Allocation does not fail: when there is no memory the process ends with a
 * message, and the lease brings its jobs back.
 */
#ifndef PGCREW_BASE_BASE_H
#define PGCREW_BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))
#define CACHE_LINE 64

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* AUTO(fd) int fd = -1;  AUTO(mem) char *text = NULL;  AUTO(file) FILE *f = NULL; */
#define AUTO(kind) __attribute__((cleanup(auto_##kind)))

void auto_fd(int *fd);
void auto_mem(void *pointer_to_pointer);
void auto_file(void *pointer_to_file);
void auto_dir(void *pointer_to_dir);

/* Give the value away, so that AUTO leaves it alone. */
#define TAKE_FD(fd) take_fd(&(fd))
#define TAKE(pointer) ((__typeof__(pointer))take_pointer(&(pointer)))

int take_fd(int *fd);
void *take_pointer(void *pointer_to_pointer);

void *xmalloc(size_t size) MUST_CHECK;
void *xcalloc(size_t count, size_t size) MUST_CHECK;
void *xrealloc(void *old, size_t size) MUST_CHECK;
char *xstrdup(const char *text) MUST_CHECK;
char *xstrndup(const char *text, size_t max) MUST_CHECK;
char *xasprintf(const char *format, ...) PRINTF_LIKE(1, 2) MUST_CHECK;

#endif
