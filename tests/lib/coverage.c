/*
 * For `make coverage` only: the counters of a process that leaves with _exit().  Only exit()
 * writes them by itself; the linker sends each _exit() of ours here (--wrap).  All users of a
 * test write to the same files.
 */
#include <stdlib.h>
#include <sys/stat.h>

void __gcov_dump(void);
_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);

static void
let_all_write(void)
{
    umask(0);
}

__attribute__((constructor)) static void
begin(void)
{
    atexit(let_all_write);
}

void
__wrap__exit(int status)
{
    let_all_write();
    __gcov_dump();
    __real__exit(status);
}
