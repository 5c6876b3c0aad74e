#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static void print(char *ret, size_t size, const char *format, va_list args) PRINTF_LIKE(3, 0);
static void fill(struct err *err, enum err_class class, const char *format, va_list args)
    PRINTF_LIKE(3, 0);

/* PostgreSQL takes no half of a character. */
static void
print(char *ret, size_t size, const char *format, va_list args)
{
    char whole[sizeof(((struct err *)0)->text) + 8];
    int len = vsnprintf(whole, sizeof(whole), format, args);
    size_t had = len < (int)sizeof(whole) ? (size_t)len : sizeof(whole) - 1;
    size_t cut = text_utf8_cut(whole, had, size - 1);

    memcpy(ret, whole, cut);
    ret[cut] = '\0';
}

static void
fill(struct err *err, enum err_class class, const char *format, va_list args)
{
    err->class = class;
    err->sqlstate[0] = '\0';
    print(err->text, sizeof(err->text), format, args);
}

/* ": " and as much of more as there is room for. */
static void
append(struct err *err, const char *more)
{
    size_t len = strlen(err->text), room = sizeof(err->text) - len - 1;

    if (room > 2)
        snprintf(err->text + len, room + 1, ": %.*s",
                 (int)text_utf8_cut(more, strlen(more), room - 2), more);
}

bool
err_set(struct err *err, enum err_class class, const char *format, ...)
{
    va_list args;

    if (err == NULL)
        return false;
    va_start(args, format);
    fill(err, class, format, args);
    va_end(args);
    return false;
}

bool
err_errno(struct err *err, enum err_class class, const char *format, ...)
{
    const char *why = strerrordesc_np(errno);
    va_list args;

    if (err == NULL)
        return false;
    va_start(args, format);
    fill(err, class, format, args);
    va_end(args);
    append(err, why ? why : "unknown error");
    return false;
}

bool
err_before(struct err *err, const char *format, ...)
{
    char old[sizeof(err->text)];
    va_list args;

    if (err == NULL)
        return false;
    memcpy(old, err->text, sizeof(old));
    va_start(args, format);
    print(err->text, sizeof(err->text), format, args);
    va_end(args);
    append(err, old);
    return false;
}

void
err_clear(struct err *err)
{
    *err = (struct err){.class = ERR_NONE};
}
