#include "program/filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void
auto_filter(scmp_filter_ctx *ctx)
{
    if (*ctx != NULL)
        seccomp_release(*ctx);
}

/* What cannot be done is no way out: a kernel without a call has none to forbid. */
static bool
forbid(scmp_filter_ctx ctx)
{
    const struct scmp_arg_cmp other_family = {.arg = 0, .op = SCMP_CMP_NE, .datum_a = AF_UNIX};

    return seccomp_rule_add_array(ctx, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socket), 1,
                                  &other_family) == 0 &&
           seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(io_uring_setup), 0) == 0;
}

/* The kernel's form of the rules; it goes through a file because the library writes to one. */
static bool
compile(scmp_filter_ctx ctx, struct sock_fprog *ret)
{
    AUTO(fd) int fd = memfd_create("filter", MFD_CLOEXEC);
    struct stat st;

    if (fd < 0 || seccomp_export_bpf(ctx, fd) < 0 || fstat(fd, &st) < 0)
        return false;
    ret->filter = xmalloc((size_t)st.st_size);
    if (pread(fd, ret->filter, (size_t)st.st_size, 0) != st.st_size)
        return false;
    /* Not before: with a length it counts as made. */
    ret->len = (unsigned short)((size_t)st.st_size / sizeof(*ret->filter));
    return true;
}

bool
filter_without_network(const struct sock_fprog **ret, struct err *err)
{
    static struct sock_fprog made;
    AUTO(filter) scmp_filter_ctx ctx = NULL;

    if (made.len == 0) {
        ctx = seccomp_init(SCMP_ACT_ALLOW);
        if (ctx == NULL ||
            seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(EPERM)) < 0 ||
            !forbid(ctx) || !compile(ctx, &made))
            return err_set(err, ERR_CONFIG, "this host has no filter that forbids the network");
    }
    *ret = &made;
    return true;
}
