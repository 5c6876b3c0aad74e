/*
 * Removes folders that a killed guard left behind, in a process of its own: a
 * large one takes longer than the loop may wait.
 */
#ifndef PGCREW_HANDLER_BROOM_H
#define PGCREW_HANDLER_BROOM_H

struct ev_loop;

/* Never waits.  What cannot be removed now goes with the daemon's folder. */
void broom_remove(const char *path, struct ev_loop *loop);

#endif
