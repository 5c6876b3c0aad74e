/*
 * How many workers there are.  Those with the highest numbers go first, and
 * drain: nobody waits for them.
 */
#include "base/fault.h"
#include "base/log.h"
#include "supervisor/internal.h"

bool
scale_to(struct supervisor *sup, int workers, struct err *err)
{
    if (workers < 0 || workers > WORKERS_MAX)
        return err_set(err, ERR_PERMANENT, "there can be 0 to %d workers, not %d", WORKERS_MAX,
                       workers);
    if (sup->ending != ENDING_NOT)
        return err_set(err, ERR_PERMANENT, "pgcrewd is ending");
    fault_here("scale.begins");
    sup->workers_wanted = workers;
    fault_here("scale.noted");
    for (; sup->workers_made < workers; sup->workers_made++)
        slot_init(&sup->workers[sup->workers_made], sup, BOARD_WORKER, sup->workers_made + 1);
    for (int i = 0; i < sup->workers_made; i++)
        slot_event(&sup->workers[i], i < workers ? SLOT_EV_START : SLOT_EV_RETIRE);
    fault_here("scale.over");
    return true;
}
