#include "base/fault.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef PGCREW_FAULTS

static const char *const names[] = {
    "sql.begins",   /* the worker has a job for a SQL function and has not asked yet */
    "sql.sent",     /* it has asked */
    "sql.answered", /* the answer of the committed transaction has come */
    "sql.settled",  /* and the worker has forgotten the job */
};

static bool
is_known(const char *name, size_t len)
{
    for (size_t i = 0; i < LENGTH(names); i++) {
        if (strlen(names[i]) == len && strncmp(names[i], name, len) == 0)
            return true;
    }
    return false;
}

void
fault_here(const char *name)
{
    const char *wanted = getenv("PGCREW_FAULT"), *at;

    if (wanted == NULL)
        return;
    at = strchr(wanted, '@');
    if (at == NULL || !is_known(wanted, (size_t)(at - wanted)) || !is_known(name, strlen(name))) {
        fprintf(stderr, "PGCREW_FAULT: '%s' or '%s' is no failure point\n", wanted, name);
        abort();
    }
    if (strlen(name) == (size_t)(at - wanted) && strncmp(name, wanted, strlen(name)) == 0 &&
        unlink(at + 1) == 0)
        raise(SIGKILL);
}

#endif
