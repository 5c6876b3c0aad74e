#include "module/load.h"

#include <dlfcn.h>
#include <string.h>

#include "base/buf.h"

/* dlerror() begins with the path, which our message has already. */
static const char *
why_not(const char *path)
{
    const char *said = dlerror();
    size_t len = strlen(path);

    if (said == NULL)
        return "unknown error";
    return strncmp(said, path, len) == 0 && said[len] == ':' ? said + len + 2 : said;
}

static bool
check_version(const char *path, const struct pgcrew_module *m, struct err *err)
{
    if (m->abi != PGCREW_MODULE_ABI)
        return err_set(err, ERR_CONFIG,
                       "module '%s' is made for version %u of pgcrew/handler.h, this program for "
                       "version %d: build it anew",
                       path, m->abi, PGCREW_MODULE_ABI);
    if (m->size < sizeof(*m) || m->functions == NULL)
        return err_set(err, ERR_CONFIG, "module '%s': its pgcrew_module is not complete", path);
    return true;
}

static void
list_functions(const struct pgcrew_module *m, struct buf *ret)
{
    for (const struct pgcrew_function *f = m->functions; f->name != NULL; f++)
        buf_printf(ret, "%s%s", f == m->functions ? "" : ", ", f->name);
}

static bool
find_function(const struct handler_conf *h, const struct pgcrew_module *m, pgcrew_run **ret,
              struct err *err)
{
    const char *name = h->function != NULL ? h->function : h->kind;
    AUTO(buf) struct buf there = {.data = NULL};

    for (const struct pgcrew_function *f = m->functions; f->name != NULL; f++) {
        if (strcmp(f->name, name) == 0 && f->run != NULL) {
            *ret = f->run;
            return true;
        }
    }
    list_functions(m, &there);
    return err_set(err, ERR_CONFIG, "module '%s' has no function '%s'; it has: %s", h->module, name,
                   there.len > 0 ? there.data : "none");
}

bool
module_load(const struct handler_conf *h, const struct pgcrew_module **ret_module,
            pgcrew_run **ret_run, struct err *err)
{
    const struct pgcrew_module *m;
    void *handle;

    /* All of its symbols now: a missing one must not be found out by a job. */
    handle = dlopen(h->module, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL)
        return err_set(err, ERR_CONFIG, "module '%s' cannot be loaded: %s", h->module,
                       why_not(h->module));
    m = dlsym(handle, "pgcrew_module");
    if (m == NULL)
        return err_set(err, ERR_CONFIG, "module '%s' exports no pgcrew_module: it is none of ours",
                       h->module);
    if (!check_version(h->module, m, err) || !find_function(h, m, ret_run, err))
        return false;
    *ret_module = m;
    return true;
}
