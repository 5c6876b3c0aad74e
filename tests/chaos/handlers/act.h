/*
 * What the handlers of the chaos test do, and the ledger in which they say so: one line of
 * JSON an event, written by one write() with O_APPEND, so that lines of many processes
 * never mix and what was written stays written whoever dies next.
 *
 * CHAOS_LEDGER names the file, CHAOS_DAEMON the daemon; CHAOS_MUTANT=early makes handlers
 * that say success before their effect, CHAOS_MUTANT=litter such that leave files behind.
 */
#ifndef TESTS_CHAOS_ACT_H
#define TESTS_CHAOS_ACT_H

#include <stdint.h>

enum act_end { ACT_DONE, ACT_FAILED, ACT_LATER, ACT_NEVER };

struct act_job {
    int64_t id, token;
    int attempt;
    const char *kind; /* decides what is done: the table in act.c */
    void (*progress)(const struct act_job *job, int percent); /* may be NULL */
};

/* Do the job.  May not return: some kinds crash. */
enum act_end act(const struct act_job *job);

#endif
