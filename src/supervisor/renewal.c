/*
 * Reload: a whole new configuration, checked before anything is touched, then
 * the children one after the other.  The next one is replaced when the new one
 * before it is ready, so a configuration that starts nowhere costs one worker.
 */
#include "base/fault.h"
#include "base/log.h"
#include "supervisor/internal.h"

static void
swap(struct supervisor *sup, struct conf *fresh)
{
    conf_keep_fixed(fresh, sup->conf);
    conf_free(sup->conf); /* children have their own copy since they were forked */
    sup->conf = fresh;
    log_set_level(fresh->log_level);
    wake_set_poll(&sup->wake, fresh->poll_ms);
}

/* Nothing changed in the file, but perhaps in the world: who is held or waits may try again. */
static void
try_again(struct supervisor *sup)
{
    struct slot *slot;

    for (slot = next_slot(sup, NULL); slot != NULL; slot = next_slot(sup, slot)) {
        if (slot->state == SLOT_HELD || slot->state == SLOT_BACKOFF)
            slot_event(slot, SLOT_EV_RENEW);
    }
}

bool
reload(struct supervisor *sup, struct buf *ret_changed, struct err *err)
{
    struct conf *fresh = NULL;
    bool is_changed;

    if (sup->ending != ENDING_NOT)
        return err_set(err, ERR_PERMANENT, "pgcrewd is ending");
    fault_here("reload.begins");
    if (!conf_load(&sup->plan->source, &fresh, err)) {
        sup->tallying.reloads_refused++;
        return false;
    }
    if (!fronts_prepare(sup, fresh, err)) {
        sup->tallying.reloads_refused++;
        fronts_trim(sup);
        conf_free(fresh);
        return false;
    }
    sup->tallying.reloads++;
    notify_reloading(sup);
    is_changed = conf_diff(sup->conf, fresh, ret_changed);
    swap(sup, fresh);
    fault_here("reload.swapped");
    if (sup->conf->doubt != NULL)
        log_warn("reload: %s", sup->conf->doubt);
    log_info("reload: %s", is_changed ? buf_text(ret_changed) : "nothing has changed");
    if (is_changed) {
        sup->generation++;
        sup->is_renewing = true;
        sup->renewed = NULL;
    }
    fronts_trim(sup);
    fronts_follow(sup);
    if (!scale_to(sup, sup->conf->workers, err))
        return false;
    if (!is_changed)
        try_again(sup);
    renewal_go_on(sup);
    if (!sup->is_renewing)
        notify_reloaded(sup);
    return true;
}

/* The janitor comes first: it is one moment without heartbeats, far from a lease. */
static struct slot *
next_old_one(struct supervisor *sup)
{
    struct slot *slot;

    for (slot = next_slot(sup, NULL); slot != NULL; slot = next_slot(sup, slot)) {
        if (!slot->is_leaving && slot->state != SLOT_EMPTY && slot->generation != sup->generation)
            return slot;
    }
    return NULL;
}

/* Workers do not depend on who serves HTTP: it is not waited for when it cannot start. */
static bool
is_waited_for(struct slot *slot)
{
    if (slot != NULL && front_of(slot) != NULL)
        return slot->state == SLOT_STARTING;
    return slot != NULL && (slot->state == SLOT_STARTING || slot->state == SLOT_BACKOFF ||
                            slot->state == SLOT_HELD);
}

void
renewal_go_on(struct supervisor *sup)
{
    if (!sup->is_renewing || sup->ending != ENDING_NOT)
        return;
    if (is_waited_for(sup->renewed)) {
        /* The operator should not wait with us for what may never start. */
        if (sup->renewed->state != SLOT_STARTING)
            notify_reloaded(sup);
        return;
    }
    sup->renewed = next_old_one(sup);
    if (sup->renewed != NULL) {
        slot_event(sup->renewed, SLOT_EV_RENEW);
        return;
    }
    sup->is_renewing = false;
    fault_here("reload.over");
    log_info("reload: all children work with the new configuration");
    notify_reloaded(sup);
}
