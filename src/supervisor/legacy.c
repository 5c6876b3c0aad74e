/*
 * What a supervisor before us left when it was killed: jobs of workers that nobody has reaped.
 *
 * Its children end with it, but not at once, and one that is stopped does not.  So each is
 * looked at until nothing of it lives, then the janitor is told; nobody has seen what ran in
 * it.  When that takes as long as a lease, the lease brings them back.
 *
 * A guard that is killed lets go of its lock a moment before the kernel kills its handler:
 * therefore each has to be found gone at two looks.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "supervisor/internal.h"

#define LOOK_AGAIN_MS 50

struct left {
    struct uuid process;
    bool was_gone; /* at the last look */
};

static void
give_up(struct supervisor *sup)
{
    struct legacy *legacy = &sup->legacy;

    log_warn("%zu workers of a daemon that was killed still live: their jobs are left to the lease",
             legacy->n);
    for (size_t i = 0; i < legacy->n; i++)
        kin_remove(sup->kin, &legacy->left[i].process);
    legacy_free(sup);
}

static void
look(struct supervisor *sup)
{
    struct legacy *legacy = &sup->legacy;
    size_t n = 0;

    for (size_t i = 0; i < legacy->n; i++) {
        struct left left = legacy->left[i];
        bool is_gone = !kin_lives(sup->kin, &left.process);

        if (is_gone && left.was_gone) {
            fault_here("legacy.gone");
            reap_add_unseen(sup, &left.process);
            continue;
        }
        left.was_gone = is_gone;
        legacy->left[n++] = left;
    }
    legacy->n = n;
    reap_tell_janitor(sup);
    if (n == 0)
        legacy_free(sup);
    else if (clock_mono_ms() > legacy->until_mono_ms)
        give_up(sup);
    else
        loop_timer_in(sup->loop, &legacy->again, LOOK_AGAIN_MS);
}

static void
on_again(UNUSED struct ev_loop *loop, ev_timer *timer, UNUSED int events)
{
    look(timer->data);
}

void
legacy_begin(struct supervisor *sup)
{
    struct legacy *legacy = &sup->legacy;
    AUTO(mem) struct uuid *processes = NULL;

    loop_timer_init(&legacy->again, on_again);
    legacy->again.data = sup;
    legacy->until_mono_ms = clock_mono_ms() + sup->conf->lease_ms;
    legacy->n = kin_list(sup->kin, &processes);
    if (legacy->n == 0)
        return;
    log_warn("a daemon was killed here: what its %zu workers held is given back", legacy->n);
    legacy->left = xcalloc(legacy->n, sizeof(*legacy->left));
    for (size_t i = 0; i < legacy->n; i++)
        legacy->left[i].process = processes[i];
    look(sup);
}

void
legacy_free(struct supervisor *sup)
{
    ev_timer_stop(sup->loop, &sup->legacy.again);
    free(sup->legacy.left);
    sup->legacy.left = NULL;
    sup->legacy.n = 0;
}
