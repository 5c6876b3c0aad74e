/* The log: whatever is in a text, a line stays one line of the process that wrote it. */
#include "fuzz.h"

#include "base/log.h"

void __sanitizer_set_report_fd(void *fd); /* of the sanitizer's runtime */

static int said = -1, kept = -1;

static void
start(void)
{
    said = memfd_create("log", MFD_CLOEXEC);
    kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    must(said >= 0 && kept >= 0);
    __sanitizer_set_report_fd((void *)(intptr_t)kept);
    log_set_process("worker 3");
    unsetenv("JOURNAL_STREAM");
}

static void
must_be_line(size_t len)
{
    char line[16384];

    must(len > 0 && len < sizeof(line));
    must(pread(said, line, sizeof(line), 0) == (ssize_t)len);
    must(line[len - 1] == '\n');
    line[len - 1] = '\0';
    must(strlen(line) == len - 1 && is_clean(line));
    must(strncmp(line, "worker 3: ", 10) == 0);
}

static void
fuzz(const char *data, size_t len)
{
    struct input in = {data, len};
    char *kind, *text;
    off_t size;

    if (said < 0)
        start();
    kind = take_line(&in);
    text = take_text(&in);
    must(ftruncate(said, 0) == 0 && lseek(said, 0, SEEK_SET) == 0);
    must(dup2(said, STDERR_FILENO) == STDERR_FILENO);
    if (len % 2 == 0)
        log_job(LOG_LEVEL_INFO, 4711, kind, "%s", text);
    else
        log_at(LOG_LEVEL_WARN, "%s: %s", kind, text);
    must(dup2(kept, STDERR_FILENO) == STDERR_FILENO);
    size = lseek(said, 0, SEEK_END);
    must_be_line((size_t)size);
    free(kind);
    free(text);
}
