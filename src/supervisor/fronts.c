/*
 * Who serves HTTP: whether they are wanted, and their listening sockets.
 *
 * The sockets are opened once and kept while one child follows the other: clients wait in
 * the kernel's queue for a moment, and none is refused.
 */
#include <stdlib.h>

#include "base/log.h"
#include "supervisor/internal.h"

static const enum board_role roles[FRONTS] = {
    [FRONT_GATEWAY] = BOARD_GATEWAY,
    [FRONT_DASHBOARD] = BOARD_DASHBOARD,
};

void
fronts_init(struct supervisor *sup)
{
    for (int i = 0; i < FRONTS; i++)
        slot_init(&sup->fronts[i].slot, sup, roles[i], 0);
}

struct front *
front_of(const struct slot *slot)
{
    for (int i = 0; i < FRONTS; i++) {
        if (slot->role == roles[i])
            return &slot->sup->fronts[i];
    }
    return NULL;
}

static const struct conf_list *
addresses_of(const struct conf *conf, const struct front *front)
{
    return front->slot.role == BOARD_GATEWAY ? &conf->gateway.listen : &conf->dashboard.listen;
}

static bool
is_wanted(const struct front *front)
{
    const struct supervisor *sup = front->slot.sup;
    bool has_main = front->slot.role == BOARD_GATEWAY ? sup->plan->gateway_main != NULL
                                                      : sup->plan->dashboard_main != NULL;

    return has_main && addresses_of(sup->conf, front)->n > 0;
}

void
fronts_follow(struct supervisor *sup)
{
    for (int i = 0; i < FRONTS; i++)
        slot_event(&sup->fronts[i].slot,
                   is_wanted(&sup->fronts[i]) ? SLOT_EV_START : SLOT_EV_RETIRE);
}

/* --- sockets ------------------------------------------------------------------------- */

static bool
open_list(struct front *front, const struct conf_list *addresses, struct err *err)
{
    const char *role = board_role_name(front->slot.role);

    return listen_open(&front->sockets, addresses->items, addresses->n, role, err) ||
           err_before(err, "%s.listen", role);
}

bool
front_listen(struct front *front, struct err *err)
{
    return open_list(front, addresses_of(front->slot.sup->conf, front), err);
}

/* What is wanted now and what was wanted before, so that there is a way back. */
static bool
open_more(struct front *front, const struct conf *fresh, struct err *err)
{
    const struct conf_list *more = addresses_of(fresh, front);
    size_t n = 0, room = front->sockets.n + more->n + 1;
    struct arena a;
    const char **items;
    bool good;

    arena_init(&a);
    items = arena_alloc(&a, room * sizeof(*items));
    for (size_t i = 0; i < front->sockets.n; i++)
        items[n++] = arena_strdup(&a, front->sockets.sockets[i].text);
    for (size_t i = 0; i < more->n; i++)
        items[n++] = more->items[i];
    good = open_list(front, &(struct conf_list){items, n}, err);
    arena_release(&a);
    return good;
}

bool
fronts_prepare(struct supervisor *sup, const struct conf *fresh, struct err *err)
{
    for (int i = 0; i < FRONTS; i++) {
        if (!open_more(&sup->fronts[i], fresh, err))
            return false;
    }
    return true;
}

void
fronts_trim(struct supervisor *sup)
{
    struct err err = {0};

    for (int i = 0; i < FRONTS; i++) {
        struct front *front = &sup->fronts[i];

        if (!is_wanted(front))
            listen_release(&front->sockets);
        else if (front->sockets.n > 0 && !front_listen(front, &err))
            log_warn("%s", err.text);
    }
}

void
front_close(struct front *front)
{
    listen_release(&front->sockets);
}

void
fronts_close(struct supervisor *sup)
{
    for (int i = 0; i < FRONTS; i++)
        front_close(&sup->fronts[i]);
}
