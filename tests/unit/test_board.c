/* The scoreboard: whole copies whatever the writer does, in range whatever it wrote. */
#include "ipc/board.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tap.h"

static struct board_roster
worker(int slot)
{
    return (struct board_roster){.role = BOARD_WORKER,
                                 .slot = slot,
                                 .process = uuid_random(),
                                 .forked_mono_ms = clock_mono_ms()};
}

static void
test_places(void)
{
    struct board *b = board_new();
    struct board_roster who = worker(1), read_who;
    struct board_score score;
    int first, second;

    ok(!board_read(b, 0, &read_who, &score), "nobody has a place at first");
    first = board_take(b, &who);
    is_int(first, 0, "the first place is taken first");
    who = worker(2);
    second = board_take(b, &who);
    is_int(second, 1, "the next child gets the next place");
    board_set_pid(b, second, 4711);
    ok(board_read(b, second, &read_who, &score), "a taken place can be read");
    is_int(read_who.pid, 4711, "the pid is known after the fork");
    is_int(read_who.slot, 2, "the rest of the roster stays");
    ok(uuid_equal(&read_who.process, &who.process), "the process, too");
    is_int(score.state, BOARD_STARTING, "a fresh child is starting");
    board_clear(b, first);
    ok(!board_read(b, first, &read_who, &score), "a cleared place is free");
    who = worker(3);
    is_int(board_take(b, &who), first, "a free place is given away again");
    ok(!board_read(b, -1, &read_who, &score) && !board_read(b, BOARD_PLACES, &read_who, &score),
       "there is nothing outside the board");
}

static void
test_all_taken(void)
{
    struct board *b = board_new();
    struct board_roster who = worker(1);
    int taken = 0;

    while (board_take(b, &who) >= 0)
        taken++;
    is_int(taken, BOARD_PLACES, "every place can be taken");
    board_clear(b, 1000);
    is_int(board_take(b, &who), 1000, "one that becomes free is found");
}

static void
test_old_score_goes(void)
{
    struct board *b = board_new();
    struct board_roster who = worker(1), read_who;
    struct board_score score = {.state = BOARD_BUSY, .claims = 7, .n_running = 1};
    int place = board_take(b, &who);

    board_publish(b, place, &score);
    ok(board_read(b, place, &read_who, &score) && score.claims == 7, "what is published is read");
    board_clear(b, place);
    is_int(board_take(b, &who), place, "the place goes to the next child");
    ok(board_read(b, place, &read_who, &score) && score.claims == 0 && score.n_running == 0,
       "which does not inherit the counters of the one before");
}

static void
test_range(void)
{
    struct board *b = board_new();
    struct board_roster who = worker(1), read_who;
    struct board_score score = {.n_running = 1000000};
    int place = board_take(b, &who), wild = 77;

    memcpy(&score.state, &wild, sizeof(wild));
    memset(score.text, 'x', sizeof(score.text));
    memset(score.running[0].kind, 'y', sizeof(score.running[0].kind));
    board_publish(b, place, &score);
    ok(board_read(b, place, &read_who, &score), "nonsense can be read");
    is_int(score.n_running, BOARD_RUNNING, "but lengths are in range");
    is_int(score.state, BOARD_STARTING, "and states are");
    is_int(strlen(score.text), sizeof(score.text) - 1, "and texts end");
    is_int(strlen(score.running[0].kind), sizeof(score.running[0].kind) - 1, "all of them");
    is_str(board_state_name((enum board_state)wild), "unknown", "a wild state has a name");
}

/* Every field of a version has the same number: a mixture is seen. */
static struct board_score
version(uint64_t n)
{
    struct board_score s = {.claims = n, .claimed = n, .connects = n, .busy_ms = (int64_t)n};

    s.n_running = BOARD_RUNNING;
    for (int i = 0; i < BOARD_RUNNING; i++)
        s.running[i].job_id = (int64_t)n;
    return s;
}

static bool
is_one_version(const struct board_score *s)
{
    for (int i = 0; i < BOARD_RUNNING; i++) {
        if (s->running[i].job_id != (int64_t)s->claims)
            return false;
    }
    return s->claims == s->claimed && s->claims == s->connects;
}

static pid_t
start_writer(struct board *b, int place)
{
    pid_t pid = fork();

    if (pid < 0)
        abort();
    if (pid != 0)
        return pid;
    for (uint64_t n = 1;; n++) {
        struct board_score s = version(n);

        board_publish(b, place, &s);
    }
}

/* Writers that are killed at any moment leave something whole. */
static void
test_killed_writers(void)
{
    struct board *b = board_new();
    struct board_roster who = worker(1), read_who;
    struct board_score score;
    int place = board_take(b, &who), mixed = 0, unreadable = 0, unread_when_dead = 0;
    int64_t reads = 0;

    for (int round = 0; round < 200; round++) {
        pid_t pid = start_writer(b, place);
        int64_t until = clock_mono_ns() + 1000000 + rand() % 3000000;

        while (clock_mono_ns() < until) {
            reads++;
            if (!board_read(b, place, &read_who, &score))
                unreadable++;
            else
                mixed += !is_one_version(&score);
        }
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        if (!board_read(b, place, &read_who, &score))
            unread_when_dead++;
        else
            mixed += !is_one_version(&score);
    }
    is_int(mixed, 0, "%" PRId64 " reads beside a writer, none of them mixed", reads);
    is_int(unread_when_dead, 0, "after 200 killed writers the last whole version can be read");
    ok(unreadable * 10 <= reads, "a busy writer hardly ever keeps a reader out (%d times)",
       unreadable);
}

static void
test_stall(void)
{
    struct board *b = board_new();
    struct board_stall stall = {.jobs = 7, .is_ours = true, .queues = "default"}, seen;

    ok(!board_read_stall(b, &seen), "nothing has stalled at first");
    memset(stall.text, 'x', sizeof(stall.text));
    board_set_stall(b, &stall);
    ok(board_read_stall(b, &seen), "a stall can be read");
    ok(seen.jobs == 7 && seen.is_ours, "as it was written");
    is_str(seen.queues, "default", "with its queues");
    is_int((int64_t)strlen(seen.text), sizeof(seen.text) - 1, "a text without an end has one");
}

int
main(void)
{
    struct board *b = board_new();

    test_places();
    test_all_taken();
    test_old_score_goes();
    test_range();
    test_killed_writers();
    test_stall();
    is_int(board_lease_ok(b), 0, "no lease was renewed at first");
    board_set_lease_ok(b, 123456);
    is_int(board_lease_ok(b), 123456, "the time of the last renewal is kept");
    return done_testing();
}
