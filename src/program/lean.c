#include "program/lean.h"

#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/base.h"
#include "config/conf.h"

static bool is_lean;

/* How the names of what is left out begin.  By name: what somebody preloads may be needed. */
static const char *const left_out[] = {
    "libcap.",     "libcom_err.", "libcrypto.", "libffi.",     "libgcrypt.", "libgmp.",
    "libgnutls.",  "libgpg-",     "libgssapi",  "libhogweed.", "libidn2.",   "libjansson.",
    "libk5crypto", "libkeyutils", "libkrb5",    "liblber",     "libldap",    "liblz4.",
    "liblzma.",    "libmsgpack",  "libnettle.", "libp11-",     "libpq.",     "libresolv.",
    "libsasl2.",   "libseccomp.", "libssl.",    "libsystemd.", "libtasn1.",  "libunistring.",
    "libyaml-",    "libzstd.",
};

static bool
is_left_out(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;

    for (size_t i = 0; i < LENGTH(left_out); i++) {
        if (strncmp(name, left_out[i], strlen(left_out[i])) == 0)
            return true;
    }
    return false;
}

static int
leave_out(struct dl_phdr_info *library, size_t size, void *unused)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

    (void)size;
    (void)unused;
    if (!is_left_out(library->dlpi_name))
        return 0;
    for (int i = 0; i < library->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &library->dlpi_phdr[i];
        uintptr_t start = library->dlpi_addr + part->p_vaddr;
        uintptr_t end = (start + part->p_memsz + page - 1) & ~(page - 1);

        start &= ~(page - 1);
        if (part->p_type == PT_LOAD)
            madvise((void *)start, end - start, MADV_DONTFORK); /* refused: then it is copied */
    }
    return 0;
}

/* Or the first call of a function in the child would look for it in all libraries. */
static bool
is_bound(void)
{
    for (const ElfW(Dyn) *d = _DYNAMIC; d->d_tag != DT_NULL; d++) {
        if ((d->d_tag == DT_FLAGS && (d->d_un.d_val & DF_BIND_NOW) != 0) ||
            (d->d_tag == DT_FLAGS_1 && (d->d_un.d_val & DF_1_NOW) != 0))
            return true;
    }
    return false;
}

static bool
has_way(const struct conf *conf, enum conf_way way)
{
    for (size_t i = 0; i < conf->n_handlers; i++) {
        if (conf->handlers[i].way == way)
            return true;
    }
    return false;
}

static bool
may_be_lean(const struct conf *conf)
{
    return is_bound() && (has_way(conf, CONF_EXEC) || has_way(conf, CONF_SERVE)) &&
           !has_way(conf, CONF_MODULE) && !has_way(conf, CONF_HTTP);
}

void
lean_init(const struct conf *conf)
{
    is_lean = may_be_lean(conf);
    if (is_lean)
        dl_iterate_phdr(leave_out, NULL);
}

pid_t
lean_fork(void)
{
    return is_lean ? _Fork() : fork();
}
