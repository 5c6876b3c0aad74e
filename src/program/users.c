#include "program/users.h"

#include <linux/capability.h>
#include <pwd.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

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
users_check(const struct handler_conf *h, struct err *err)
{
    const struct passwd *user = h->user != NULL ? getpwnam(h->user) : NULL;

    if (user == NULL || user->pw_uid == geteuid() || may_switch())
        return true;
    return err_set(err, ERR_CONFIG,
                   "user '%s': pgcrewd may not switch users when it runs as user %d without "
                   "CAP_SETUID, CAP_SETGID, CAP_CHOWN, CAP_KILL and CAP_DAC_OVERRIDE",
                   h->user, (int)geteuid());
}
