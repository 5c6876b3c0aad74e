/*
 * Users that handlers run as.  Switching is done between fork and exec, see
 * program/confine.c; here a person is told before a job is.
 */
#include <linux/capability.h>
#include <pwd.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "config/conf.h"

/* To become another user, to give a folder away and take it back, to end what runs as that user. */
#define NEEDED                                                                                     \
    (1U << CAP_SETUID | 1U << CAP_SETGID | 1U << CAP_CHOWN | 1U << CAP_KILL |                      \
     1U << CAP_DAC_OVERRIDE)

static bool
may_switch(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3] = {{0}};

    return syscall(SYS_capget, &head, caps) == 0 && (caps[0].effective & NEEDED) == NEEDED;
}

bool
conf_is_allowed(const struct conf *conf, struct err *err)
{
    for (size_t i = 0; i < conf->n_handlers; i++) {
        const struct handler_conf *h = &conf->handlers[i];
        const struct passwd *user = h->user != NULL ? getpwnam(h->user) : NULL;

        if (user != NULL && user->pw_uid != geteuid() && !may_switch())
            return err_set(err, ERR_CONFIG,
                           "%s:%d: handler '%s': user '%s': pgcrewd may not switch users when it "
                           "runs as user %d without CAP_SETUID, CAP_SETGID, CAP_CHOWN, CAP_KILL "
                           "and CAP_DAC_OVERRIDE",
                           conf->path, h->line, h->kind, h->user, (int)geteuid());
    }
    return true;
}
