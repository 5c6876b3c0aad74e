#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define LINE_MAX_BYTES 8192

static enum log_level wanted = LOG_LEVEL_INFO;
static char process[64] = "pgcrewd";

/* Level prefixes of sd-daemon(3). */
static const char *const journal_prefixes[] = {
    [LOG_LEVEL_ERROR] = "<3>",
    [LOG_LEVEL_WARN] = "<4>",
    [LOG_LEVEL_INFO] = "<6>",
    [LOG_LEVEL_DEBUG] = "<7>",
};

void
log_set_level(enum log_level level)
{
    wanted = level;
}

void
log_set_process(const char *name)
{
    snprintf(process, sizeof(process), "%s", name);
}

bool
log_wanted(enum log_level level)
{
    return level <= wanted;
}

void
log_at(enum log_level level, const char *format, ...)
{
    char text[LINE_MAX_BYTES / 2], clean[LINE_MAX_BYTES], line[LINE_MAX_BYTES + 128];
    bool journal = getenv("JOURNAL_STREAM") != NULL;
    va_list args;
    ssize_t ignored;
    int len;

    if (!log_wanted(level))
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    text_printable(clean, sizeof(clean), text, strlen(text));
    len = snprintf(line, sizeof(line), "%s%s: %s%s\n", journal ? journal_prefixes[level] : "",
                   process, level == LOG_LEVEL_ERROR && !journal ? "error: " : "", clean);
    /* One write a line, so that lines of several processes do not mix. */
    ignored = write(STDERR_FILENO, line, (size_t)len);
    (void)ignored;
}
