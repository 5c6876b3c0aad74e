#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void fill(struct err *err, enum err_class class, const char *format, va_list args)
    PRINTF_LIKE(3, 0);

static void
fill(struct err *err, enum err_class class, const char *format, va_list args)
{
    err->class = class;
    err->sqlstate[0] = '\0';
    vsnprintf(err->text, sizeof(err->text), format, args);
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
    size_t len;
    va_list args;

    if (err == NULL)
        return false;
    va_start(args, format);
    fill(err, class, format, args);
    va_end(args);
    len = strlen(err->text);
    snprintf(err->text + len, sizeof(err->text) - len, ": %s", why ? why : "unknown error");
    return false;
}

bool
err_before(struct err *err, const char *format, ...)
{
    char old[sizeof(err->text)];
    size_t len;
    va_list args;

    if (err == NULL)
        return false;
    memcpy(old, err->text, sizeof(old));
    va_start(args, format);
    vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    len = strlen(err->text);
    snprintf(err->text + len, sizeof(err->text) - len, ": %s", old);
    return false;
}

void
err_clear(struct err *err)
{
    *err = (struct err){.class = ERR_NONE};
}
