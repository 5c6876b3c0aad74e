#include "program/strays.h"

#include <signal.h>

#include "base/tree.h"

static pid_t *spared;
static size_t n_spared, room;

void
strays_spare(pid_t child)
{
    if (n_spared == room) {
        room = room > 0 ? room * 2 : 16;
        spared = xrealloc(spared, room * sizeof(*spared));
    }
    spared[n_spared++] = child;
}

void
strays_unspare(pid_t child)
{
    for (size_t i = 0; i < n_spared; i++) {
        if (spared[i] == child) {
            spared[i] = spared[--n_spared];
            return;
        }
    }
}

size_t
strays_kill(void)
{
    return tree_signal(SIGKILL, spared, n_spared);
}
