#include "handler/limits.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/text.h"

/* "512 MiB", "10 min": as the configuration writes it, with the space that people expect. */
static const char *
spaced(struct arena *a, const char *text)
{
    size_t digits = strspn(text, "0123456789");

    return arena_printf(a, "%.*s %s", (int)digits, text, text + digits);
}

static const char *
bytes(struct arena *a, size_t n)
{
    char text[32];

    return spaced(a, text_from_bytes(text, (int64_t)n));
}

static const char *
duration(struct arena *a, int64_t ms)
{
    char text[32];

    return spaced(a, text_from_ms(text, ms));
}

size_t
limits_file_size(const struct handler_conf *h)
{
    if (h->tmp_size > 0 && (h->file_size == 0 || h->tmp_size < h->file_size))
        return h->tmp_size;
    return h->file_size;
}

/* The signal that ended it, or the process that a shell waited for: that says 128 and the signal. */
static int
signal_of(int wait_status)
{
    if (WIFSIGNALED(wait_status))
        return WTERMSIG(wait_status);
    return WIFEXITED(wait_status) && WEXITSTATUS(wait_status) > 128 ? WEXITSTATUS(wait_status) - 128
                                                                    : 0;
}

static bool
is_out_of_cpu_time(const struct guard_report *report, const struct handler_conf *h)
{
    int sig = signal_of(report->wait_status);
    int64_t used_ms = report->user_ms + report->system_ms;

    /* KILL comes from the kernel, too, when it was deaf to the first signal. */
    return h->cpu_time_ms > 0 && (sig == SIGXCPU || (sig == SIGKILL && used_ms >= h->cpu_time_ms));
}

static char *
limit_text(const struct guard_report *report, const struct handler_conf *h, struct arena *a)
{
    bool failed = report->wait_status != 0;

    if (report->limit == GUARD_MEMORY)
        return arena_printf(a, "was killed for its memory: reached %s", bytes(a, h->memory));
    if (report->limit == GUARD_TMP_SIZE)
        return arena_printf(a, "its temporary folder holds more than %s", bytes(a, h->tmp_size));
    if (report->limit == GUARD_PROCESSES && failed)
        return arena_printf(a, "wanted more than %d processes", h->processes);
    if (is_out_of_cpu_time(report, h))
        return arena_printf(a, "used more than %s of CPU time", duration(a, h->cpu_time_ms));
    if (limits_file_size(h) > 0 && signal_of(report->wait_status) == SIGXFSZ)
        return arena_printf(a, "wrote a file of more than %s", bytes(a, limits_file_size(h)));
    return NULL;
}

bool
limits_hit(const struct guard_report *report, const struct handler_conf *h, struct arena *a,
           enum run_cause *ret_cause, char **ret_text)
{
    char *text = limit_text(report, h, a);

    if (text == NULL)
        return false;
    *ret_cause = report->limit == GUARD_MEMORY ? RUN_OOM : RUN_LIMIT;
    *ret_text = text;
    return true;
}
