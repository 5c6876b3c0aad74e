/*
 * How many workers do what, by their own word on the board.
 */
#include <string.h>

#include "supervisor/internal.h"

static void
count_state(const struct board_score *score, struct counts *c)
{
    switch (score->state) {
    case BOARD_IDLE:
        c->idle++;
        break;
    case BOARD_BUSY:
        c->busy++;
        break;
    case BOARD_STARTING:
    case BOARD_CONNECTING:
        c->connecting++;
        break;
    case BOARD_HELD:
        c->held++;
        memcpy(c->held_text, score->text, sizeof(c->held_text));
        break;
    case BOARD_DRAINING:
        break;
    }
}

void
count_workers(struct supervisor *sup, struct counts *ret)
{
    struct board_score sum = sup->past, score;
    struct board_roster who;
    struct slot *slot;

    *ret = (struct counts){0};
    for (slot = next_slot(sup, NULL); slot != NULL; slot = next_slot(sup, slot)) {
        if (slot->role != BOARD_WORKER)
            continue;
        ret->ready += slot->state == SLOT_READY;
        ret->leaving += slot->is_leaving;
        ret->held += slot->state == SLOT_HELD;
        if (slot->member == NULL || !board_read(sup->board, slot->member->place, &who, &score))
            continue;
        ret->running += score.n_running;
        report_add_score(&sum, &score);
        if (!slot->is_leaving)
            count_state(&score, ret);
    }
    ret->claimed = sum.claimed;
    ret->ended = sum.succeeded + sum.failed + sum.cancelled;
}
