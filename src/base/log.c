#include "base/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "base/text.h"

#define LINE_MAX_BYTES 8192
#define KIND_MAX_BYTES 512
#define JOB_FIELDS 6
#define JOURNAL_SOCKET "/run/systemd/journal/socket"

static enum log_level wanted = LOG_LEVEL_INFO;
static char process[64] = "pgcrewd";

/* syslog(3) */
static const int priorities[] = {
    [LOG_LEVEL_ERROR] = 3,
    [LOG_LEVEL_WARN] = 4,
    [LOG_LEVEL_INFO] = 6,
    [LOG_LEVEL_DEBUG] = 7,
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

/* The variable alone says nothing: standard error may have been sent elsewhere. */
static bool
is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    uintmax_t device, inode;
    struct stat st;

    return stream != NULL && sscanf(stream, "%ju:%ju", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

static void
to_stderr(enum log_level level, const char *text, bool journal)
{
    char line[LINE_MAX_BYTES + 128], prefix[8] = "";
    ssize_t ignored;
    int len;

    if (journal)
        snprintf(prefix, sizeof(prefix), "<%d>", priorities[level]);
    len = snprintf(line, sizeof(line), "%s%s: %s%s\n", prefix, process,
                   level == LOG_LEVEL_ERROR && !journal ? "error: " : "", text);
    /* One write a line, so that lines of several processes do not mix. */
    ignored = write(STDERR_FILENO, line, (size_t)len);
    (void)ignored;
}

/* False: the journal does not take it this way. */
static bool
to_journal(enum log_level level, int64_t job_id, const char *kind, const char *text)
{
    char message[LINE_MAX_BYTES + 128], priority[16], job[48], kind_of[KIND_MAX_BYTES + 16],
        process_of[96], clean[KIND_MAX_BYTES];
    char syslog_name[] = "SYSLOG_IDENTIFIER=pgcrewd";
    char *all[JOB_FIELDS] = {message, priority, syslog_name, job, kind_of, process_of};
    struct iovec fields[JOB_FIELDS];

    /* Without a socket libsystemd drops the line and says nothing; a sandbox may hide it. */
    if (access(JOURNAL_SOCKET, W_OK) < 0)
        return false;
    text_printable(clean, sizeof(clean), kind, strlen(kind));
    snprintf(message, sizeof(message), "MESSAGE=%s: %s", process, text);
    snprintf(priority, sizeof(priority), "PRIORITY=%d", priorities[level]);
    snprintf(job, sizeof(job), "PGCREW_JOB_ID=%" PRId64, job_id);
    snprintf(kind_of, sizeof(kind_of), "PGCREW_KIND=%s", clean);
    snprintf(process_of, sizeof(process_of), "PGCREW_PROCESS=%s", process);
    for (size_t i = 0; i < JOB_FIELDS; i++)
        fields[i] = (struct iovec){.iov_base = all[i], .iov_len = strlen(all[i])};
    return sd_journal_sendv(fields, JOB_FIELDS) == 0;
}

void
log_at(enum log_level level, const char *format, ...)
{
    char text[LINE_MAX_BYTES / 2], clean[LINE_MAX_BYTES];
    va_list args;

    if (!log_wanted(level))
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    text_printable(clean, sizeof(clean), text, strlen(text));
    to_stderr(level, clean, is_journal());
}

void
log_job(enum log_level level, int64_t job_id, const char *kind, const char *format, ...)
{
    char text[LINE_MAX_BYTES / 2], clean[LINE_MAX_BYTES];
    va_list args;
    bool journal;
    int len;

    if (!log_wanted(level))
        return;
    journal = is_journal();
    len = snprintf(text, sizeof(text), "job %" PRId64 " (%.*s): ", job_id, KIND_MAX_BYTES, kind);
    va_start(args, format);
    vsnprintf(text + len, sizeof(text) - (size_t)len, format, args);
    va_end(args);
    text_printable(clean, sizeof(clean), text, strlen(text));
    if (!journal || !to_journal(level, job_id, kind, clean))
        to_stderr(level, clean, journal);
}
