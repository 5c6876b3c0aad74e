/* Files of /proc and of control groups; a worker hands over descriptors of its own. */
#include "fuzz.h"

#include "base/cgroup.h"
#include "base/proc.h"

static void
fuzz(const char *data, size_t len)
{
    const char *path;
    int fd = file_of(data, len, &path);

    must(proc_read_bytes(fd, "Pss:") >= 0);
    must(proc_read_bytes(fd, "VmRSS:") >= 0);
    must(proc_read_bytes(-1, "VmRSS:") == 0);
    (void)cgroup_read(AT_FDCWD, path);
    (void)cgroup_read_word(AT_FDCWD, path, "oom_kill");
    must(cgroup_read_word(AT_FDCWD, "/nowhere", "oom_kill") == -1);
}
