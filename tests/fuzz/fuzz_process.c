/* A process is found below its parent, whatever it calls itself. */
#include "fuzz.h"

#include <sys/prctl.h>

#include "base/proc.h"

static void
fuzz(const char *data, size_t len)
{
    struct input in = {data, len < 16 ? len : 16};
    static char title[64] = "a title with room";
    char *argv[] = {title}, *name = take_text(&in);
    pid_t children[4096];
    size_t n;
    bool found = false;

    proc_title_init(1, argv);
    proc_title_set(name);
    prctl(PR_SET_NAME, name);
    n = proc_children(getppid(), children, LENGTH(children));
    for (size_t i = 0; i < n; i++)
        found = found || children[i] == getpid();
    must(found);
    must(proc_rss_bytes(getpid()) > 0);
    free(name);
}
