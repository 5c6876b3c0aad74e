/*
 * One attempt of a shell script as handler, run by the real handler room on the
 * real loop: real guards, real processes.
 */
#ifndef PGCREW_TESTS_TRIAL_H
#define PGCREW_TESTS_TRIAL_H

#include "config/conf.h"
#include "handler/handler.h"

struct trial {
    struct run run;
    struct conf conf;
    struct handler_conf handler;
    const char *argv[8], *envp[8];
    bool ended;
    struct run_end end; /* lives as long as the trial */
    int n_ended, n_progress;
    float percent; /* the last said */
    char note[256];
};

/* Once, first: a folder of our own, the log into a file, this process a subreaper. */
void trials_begin(void);
void trials_end(void);
/* A path in that folder; a new text at each call, freed by trials_end(). */
const char *trial_path(const char *name);
const char *trial_log(void); /* what was logged since trials_begin() */

/* A job 4711 of kind mail with payload {"a": 1} and a script; change what you like, then start. */
void trial_init(struct trial *t, const char *script);
void trial_start(struct trial *t);
/* The loop, until the condition holds or ms (times $PGCREW_PATIENCE) are over; returns whether it holds. */
bool trial_until(bool (*condition)(void *), void *what, int64_t ms);
void trial_wait(struct trial *t); /* for the end, at most 30 s */
void trial_release(struct trial *t);
/* All at once. */
void trial_run(struct trial *t, const char *script);

/* $PIDS of every trial: a file into which scripts write the pids of what they start. */
void pids_forget(void);
size_t pids_written(void);
size_t pids_alive(void);               /* those of them that live */
bool are_pids_written(void *at_least); /* size_t: a condition for trial_until */
bool are_pids_dead(void *unused);      /* the same */

size_t open_descriptors(void);
size_t child_processes(void); /* zombies too */

#endif
