/*
 * For `make coverage` only: the counters of a process that leaves with _exit().  Only exit()
 * writes them by itself; the linker sends each _exit() of ours here (--wrap).
 */
void __gcov_dump(void);
_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);

void
__wrap__exit(int status)
{
    __gcov_dump();
    __real__exit(status);
}
