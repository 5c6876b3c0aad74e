/* Log lines as they are written to standard error; in the journal: tests/system/9010-service.sh. */
#include "base/log.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

static int pipe_fds[2];

/* What was logged since the last look. */
static const char *
logged(void)
{
    static char text[20000];
    ssize_t n = read(pipe_fds[0], text, sizeof(text) - 1);

    text[n > 0 ? n : 0] = '\0';
    return text;
}

/* As systemd would name our standard error, or the file next to it. */
static void
name_stream(int beside)
{
    struct stat st;
    char text[64];

    fstat(STDERR_FILENO, &st);
    snprintf(text, sizeof(text), "%ju:%ju", (uintmax_t)st.st_dev,
             (uintmax_t)st.st_ino + (uintmax_t)beside);
    setenv("JOURNAL_STREAM", text, 1);
}

static void
test_lines(void)
{
    log_info("ready, %d of %d", 2, 3);
    is_str(logged(), "worker 3: ready, 2 of 3\n", "a line has its process");
    log_error("no disk");
    is_str(logged(), "worker 3: error: no disk\n", "an error says so");
    log_job(LOG_LEVEL_WARN, 4711, "mail", "status %d", 1);
    is_str(logged(), "worker 3: job 4711 (mail): status 1\n", "a line of a job has job and kind");
    log_job(LOG_LEVEL_DEBUG, 1, "mail", "all is well");
    is_str(logged(), "", "what is not wanted is not written");
    log_job(LOG_LEVEL_INFO, 1, "a\nPRIORITY=0", "b\nPGCREW_JOB_ID=2\x1b[2J");
    is_str(logged(), "worker 3: job 1 (a\\x0aPRIORITY=0): b\\x0aPGCREW_JOB_ID=2\\x1b[2J\n",
           "kind and text cannot make lines or fields");
}

static void
test_long(void)
{
    static char text[10000];
    const char *line;

    memset(text, '\n', sizeof(text) - 1);
    log_job(LOG_LEVEL_INFO, INT64_MIN, text, "%s", text);
    line = logged();
    ok(strlen(line) > 4000 && strlen(line) < 8400, "a line is cut");
    ok(line[strlen(line) - 1] == '\n' && strchr(line, '\n') == line + strlen(line) - 1,
       "and still one line");
}

static void
test_stream(void)
{
    name_stream(1);
    log_warn("elsewhere");
    is_str(logged(), "worker 3: elsewhere\n",
           "the journal was meant, but standard error is a pipe");
    setenv("JOURNAL_STREAM", "nonsense", 1);
    log_warn("elsewhere");
    is_str(logged(), "worker 3: elsewhere\n", "a variable that says nothing");
    name_stream(0);
    log_error("no disk");
    is_str(logged(), "<3>worker 3: no disk\n", "the journal: a line has its level");
    if (access(JOURNAL_SOCKET, F_OK) == 0) {
        ok(true, "# SKIP a journal runs here");
        return;
    }
    log_job(LOG_LEVEL_INFO, 4711, "mail", "sent");
    is_str(logged(), "<6>worker 3: job 4711 (mail): sent\n",
           "the journal does not take fields: the line is written all the same");
}

int
main(void)
{
    if (pipe2(pipe_fds, O_CLOEXEC) < 0 || dup2(pipe_fds[1], STDERR_FILENO) < 0 ||
        fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK) < 0)
        return 1;
    unsetenv("JOURNAL_STREAM");
    log_set_process("worker 3");
    test_lines();
    test_long();
    test_stream();
    return done_testing();
}
