/*
 * How a job is claimed, finished, given back and reaped, and what a lease is for.
 *
 * The database is a set of variables; each inline sql_... is a function of
 * migrations/005_queue_functions.sql and one step, because it is one transaction and locks
 * what it changes (that it does is what tests/race is for).  A worker asks it and hears the
 * answer; or the answer is lost with the session; or the session is lost and the statement
 * is still under way and comes at any later time, or never.  Workers are stopped and go on,
 * die, or are lost with their host, at any step; a host may be cut off, so that its leases
 * are not renewed and nothing can be asked.  Of all that happens no more than FAULTS in one run.
 *
 * Left out: what is not about who has a job.  Batches of jobs under one token (a part of a
 * claim that ends is a row that is rewritten under its lock), priorities and queues, NOTIFY,
 * reports of progress, attempts that are not charged, quarantine, SQL handlers, deletion.  A
 * worker has one slot.  Time is ticks: a lease is LEASE of them without a renewal, a worker
 * gives its handlers up after KILL_AT, and one that is not stopped is never late for that.
 * Of two registrations the later one counts: they queue for a lock.
 *
 * Each -D of model.sh takes away one thing that all depends on; then a run that
 * breaks a promise is found.
 */
#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef JOBS
#define JOBS 1
#endif
#ifndef FAULTS
#define FAULTS 2
#endif
#ifndef RESTARTS
#define RESTARTS 1
#endif
#define PROCESSES (WORKERS + RESTARTS) /* one that died comes back as another */
#define MAX_ATTEMPTS 2
#define LEASE 2
#define KILL_AT 1

/* What a task of a worker is at; the handler runs in RUNNING and KILLED. */
#define WAITS 0
#define RUNNING 1
#define KILLED 2 /* it was told to end */
#define DONE 3   /* the outcome is to be told */

/* Outcomes of pgcrew.finish() */
#define SUCCEEDED 1
#define RETRY 2
#define RELEASE 3
#define CANCELLED 4

/* Statements that may be under way when their session is lost */
#define CLAIM 1
#define FINISH 2
#define TELL 3
#define REGISTER 4

/* --- the database ------------------------------------------------------------------- */

byte ready[JOBS], scheduled[JOBS], claimed[JOBS]; /* rows there; a job is in one place */
bool ended[JOBS], cancelling[JOBS];               /* public.jobs, pgcrew.cancels */
byte attempts[JOBS];                              /* charged */
byte token[JOBS], owner[JOBS], owner_holder[JOBS]; /* pgcrew.claims: of whom; owner is a process */
byte lease_of[PROCESSES];                         /* pgcrew.workers: its holder, 0: no row */
byte age[PROCESSES];                              /* ticks since the lease was renewed */
byte last_token;

/* --- what the workers know ------------------------------------------------------------ */

bool alive[PROCESSES], stopped[PROCESSES], cut[PROCESSES];
byte holder[PROCESSES];  /* 0: to register */
byte holders[PROCESSES]; /* how many it has been */
byte seen_age[PROCESSES]; /* ticks since it knows that its lease was renewed */
bool tell[PROCESSES];    /* release_unknown is due */
byte job[PROCESSES], its_token[PROCESSES], task[PROCESSES], outcome[PROCESSES]; /* job: number + 1 */
byte dying[PROCESSES], dying_token[PROCESSES]; /* a lost attempt whose handler is being killed */
byte late[PROCESSES], late_holder[PROCESSES], late_job[PROCESSES], late_token[PROCESSES], late_outcome[PROCESSES],
     late_known[PROCESSES];

/* --- what only we know ---------------------------------------------------------------- */

byte faults = FAULTS;
byte to_start; /* processes that died and are to be replaced */
bool host_lost[PROCESSES], reaped[PROCESSES], was_stuck[PROCESSES];
int lease_was_lost; /* a bit a token: it was taken away because its lease was over */
int accepted;       /* a bit a token: an end of it was accepted */

#define LOST(t) ((lease_was_lost >> (t)) & 1)
#define IS_MINE(p, h, t, j) (claimed[j] > 0 && token[j] == (t) && owner[j] == (p) && owner_holder[j] == (h))
#define ACTS(p) (alive[p] && !stopped[p])
#define ASKS(p) (ACTS(p) && !cut[p])
#define ALL_ENDED (ended[0] && ended[JOBS - 1]) /* JOBS is 1 or 2 */

/* A job's id is in exactly one of ready, scheduled and claims until it ends. */
inline check_place(j)
{
    assert(ready[j] + scheduled[j] + claimed[j] == (ended[j] -> 0 : 1));
    assert(attempts[j] <= MAX_ATTEMPTS);
    assert(claimed[j] == 0 || owner_holder[j] == lease_of[owner[j]]); /* somebody's, with a lease */
}

/* pgcrew.put_back() */
inline put_back(j)
{
    if
    :: cancelling[j] -> ended[j] = true
    :: else -> ready[j]++
    fi;
    cancelling[j] = false;
}

/* pgcrew.claim(): got is the job + 1 or 0; refused (PC001) when the holder has no lease. */
inline sql_claim(p, h, j, got, refused)
{
    got = 0;
    refused = lease_of[p] != h;
    if
    :: !refused ->
        j = 0;
        do
        :: j < JOBS && ready[j] == 0 -> j++
        :: else -> break
        od;
        if
        :: j < JOBS -> ready[j] = 0; take(p, h, j, got)
        :: else
        fi
    :: else
    fi;
    j = 0;
}

inline take(p, h, j, got)
{
    last_token++;
    claimed[j]++;
    token[j] = last_token;
    owner[j] = p;
    owner_holder[j] = h;
    got = j + 1;
    assert(attempts[j] + 1 <= MAX_ATTEMPTS);
    check_place(j);
}

#ifdef RETRY_FOR_EVER
#define ENOUGH(n) false
#else
#define ENOUGH(n) ((n) >= MAX_ATTEMPTS)
#endif

/* pgcrew.finish() */
inline sql_finish(p, h, t, j, what, ours)
{
    ours = IS_MINE(p, h, t, j);
#ifdef UNFENCED
    ours = ours || (what != RELEASE && !ended[j]);
#endif
#ifdef RELEASE_WITHOUT_TOKEN
    ours = ours || (what == RELEASE && !ended[j]);
#endif
    if
    :: ours ->
        assert(t == token[j]); /* a stale attempt never ends anything */
        assert(((accepted >> t) & 1) == 0); /* one end an attempt */
        accepted = accepted | (1 << t);
        claimed[j] = (claimed[j] > 0 -> claimed[j] - 1 : 0);
        if
        :: what == SUCCEEDED -> attempts[j]++; ended[j] = true
        :: what == CANCELLED -> ended[j] = true
        :: what == RETRY ->
            attempts[j]++;
            if
            :: cancelling[j] || ENOUGH(attempts[j]) -> ended[j] = true
            :: else -> scheduled[j]++
            fi
        :: what == RELEASE -> put_back(j)
        fi;
        cancelling[j] = false;
        check_place(j)
    :: else
    fi;
}

/* pgcrew.register_worker(): claims of the earlier holder come along. */
inline sql_register(p, j)
{
    holders[p]++;
    for (j : 0 .. JOBS - 1) {
        if
        :: claimed[j] > 0 && owner[j] == p && owner_holder[j] == lease_of[p] && lease_of[p] != 0 ->
            owner_holder[j] = holders[p]
        :: else
        fi
    }
    j = 0;
    lease_of[p] = holders[p];
    age[p] = 0;
}

/* A registration waits for an earlier one of the same process that is under way. */
#ifdef REGISTER_BLIND
#define WAITS_FOR_REGISTER(p) false

/* It waited for a row, and did not see the one that the other made. */
inline register(p, j)
{
    if
    :: late[p] == REGISTER ->
        forget_late(p);
        sql_register(p, j);
        holders[p]++;
        lease_of[p] = holders[p]
    :: else -> sql_register(p, j)
    fi
}
#else
#define WAITS_FOR_REGISTER(p) (late[p] == REGISTER)

inline register(p, j)
{
    sql_register(p, j)
}
#endif

/* pgcrew.release_unknown() */
inline sql_release_unknown(p, h, known, known2, j)
{
#ifndef NO_RELEASE_UNKNOWN
    for (j : 0 .. JOBS - 1) {
        if
        :: claimed[j] > 0 && owner[j] == p && owner_holder[j] == h && known != j + 1 && known2 != j + 1 ->
            claimed[j]--;
            put_back(j);
            check_place(j)
        :: else
        fi
    }
    j = 0
#else
    skip
#endif
}

/* Take away what a process holds: pgcrew.reap_process(), and of reap_expired() the loop. */
inline sql_reap(p, j, is_over)
{
    for (j : 0 .. JOBS - 1) {
        if
        :: claimed[j] > 0 && owner[j] == p && owner_holder[j] == lease_of[p] && lease_of[p] != 0 ->
            claimed[j]--;
            lease_was_lost = (is_over -> lease_was_lost | (1 << token[j]) : lease_was_lost);
            put_back(j);
            check_place(j)
        :: else
        fi
    }
    j = 0;
    lease_of[p] = 0;
}

/* --- a worker (src/worker) -------------------------------------------------------------- */

/* running_lose(): what this attempt did is dropped; its handler is killed. */
inline lose(p)
{
    if
    :: job[p] != 0 && (task[p] == RUNNING || task[p] == KILLED) ->
        dying[p] = job[p];
        dying_token[p] = its_token[p]
    :: else
    fi;
    drop(p);
}

inline drop(p)
{
    job[p] = 0;
    its_token[p] = 0;
    task[p] = WAITS;
    outcome[p] = 0;
}

inline lose_session(p)
{
    holder[p] = 0;
    tell[p] = false;
}

inline go_late(p, what, known)
{
    faults--;
    late[p] = what;
    late_holder[p] = holder[p];
    late_job[p] = job[p];
    late_token[p] = its_token[p];
    late_outcome[p] = outcome[p];
    late_known[p] = known;
    lose_session(p);
}

inline forget_late(p)
{
    late[p] = 0;
    late_holder[p] = 0;
    late_job[p] = 0;
    late_token[p] = 0;
    late_outcome[p] = 0;
    late_known[p] = 0;
}

/* on_registered() of holding.c */
inline heard_register(p)
{
    holder[p] = holders[p];
    seen_age[p] = 0;
    if
    :: job[p] != 0 && !IS_MINE(p, holder[p], its_token[p], job[p] - 1) -> lose(p)
    :: else
    fi;
    tell[p] = true;
}

/*
 * No two handlers of a job at once; unless the lease of the older attempt was lost, and that
 * only because its process was stopped or dead: one that is just cut off kills it in time.
 */
#define EXCUSED(q, t) (LOST(t) && was_stuck[q])
#define OLDER_EXCUSED(p, q, t) (t < its_token[p] && EXCUSED(q, t) || t > its_token[p] && EXCUSED(p, its_token[p]))
#define OVERLAP(p, q) (q != p && job[q] == job[p] && (task[q] == RUNNING || task[q] == KILLED))

inline check_overlap(p, q)
{
    for (q : 0 .. PROCESSES - 1) {
        assert(!OVERLAP(p, q) || OLDER_EXCUSED(p, q, its_token[q]));
        assert(dying[q] != job[p] || OLDER_EXCUSED(p, q, dying_token[q]))
    }
    q = 0
}

#ifdef FORGET_DYING
#define KNOWN2(p) 0 /* jobs whose handler still dies are not said to be known */
#else
#define KNOWN2(p) dying[p]
#endif

#define IS_TOLD(p) (cancelling[job[p] - 1] && owner[job[p] - 1] == p)

proctype worker(byte p)
{
    byte j, q, got;
    bool yes;

end:
    do
    /* register, the first thing in every session */
    :: atomic { ASKS(p) && holder[p] == 0 && !WAITS_FOR_REGISTER(p) ->
        if
        :: register(p, j); heard_register(p)
        :: faults > 0 -> faults--; register(p, j)
        :: faults > 0 && late[p] == 0 -> go_late(p, REGISTER, 0)
        fi }

    /* release_unknown */
    :: atomic { ASKS(p) && holder[p] != 0 && tell[p] ->
        if
        :: sql_release_unknown(p, holder[p], job[p], KNOWN2(p), j); tell[p] = false
        :: faults > 0 -> faults--; sql_release_unknown(p, holder[p], job[p], KNOWN2(p), j); lose_session(p)
        :: faults > 0 && late[p] == 0 -> go_late(p, TELL, KNOWN2(p))
        fi }

    /* claim; a refusal (PC001) is holding_lost() */
#ifdef NO_LOCK
    :: atomic { ASKS(p) && holder[p] != 0 && !tell[p] && job[p] == 0 && lease_of[p] == holder[p] && ready[0] > 0 ->
        got = 1 }
       atomic { /* another may have taken it meanwhile */
        ready[0] = 0;
        take(p, holder[p], 0, got);
        job[p] = got;
        its_token[p] = last_token;
        got = 0 }
#else
    :: atomic { ASKS(p) && holder[p] != 0 && !tell[p] && job[p] == 0 && (ready[0] > 0 || ready[JOBS - 1] > 0) ->
        if
        :: sql_claim(p, holder[p], j, got, yes);
           if
           :: yes -> lose_session(p)
           :: !yes && got != 0 -> job[p] = got; its_token[p] = last_token
           :: else
           fi
        :: faults > 0 -> faults--; sql_claim(p, holder[p], j, got, yes); lose_session(p)
        :: faults > 0 && late[p] == 0 -> go_late(p, CLAIM, 0)
        fi;
        got = 0; yes = false }
#endif

    /* start it, or not: it was not started in time, or this worker drains */
    :: atomic { ACTS(p) && job[p] != 0 && task[p] == WAITS && dying[p] == 0 ->
        if
        :: task[p] = RUNNING; check_overlap(p, q)
        :: faults > 0 -> faults--; task[p] = DONE; outcome[p] = RELEASE
        fi }

#ifndef NO_KILL
    /* running_abandon_all(): the lease could not be renewed */
    :: atomic { ACTS(p) && job[p] != 0 && seen_age[p] >= KILL_AT && (task[p] == RUNNING || task[p] == WAITS) ->
        outcome[p] = RELEASE;
        task[p] = (task[p] == RUNNING -> KILLED : DONE) }
#endif

    /* running_cancel(): the janitor's heartbeat brought it */
    :: atomic { ASKS(p) && job[p] != 0 && IS_TOLD(p) && (task[p] == RUNNING || task[p] == WAITS) ->
        outcome[p] = CANCELLED;
        task[p] = (task[p] == RUNNING -> KILLED : DONE) }

    /* finish */
    :: atomic { ASKS(p) && holder[p] != 0 && job[p] != 0 && task[p] == DONE ->
        j = job[p] - 1;
        if
        :: sql_finish(p, holder[p], its_token[p], j, outcome[p], yes); drop(p)
        :: faults > 0 -> faults--; sql_finish(p, holder[p], its_token[p], j, outcome[p], yes); lose_session(p)
        :: faults > 0 && late[p] == 0 -> go_late(p, FINISH, 0)
        fi;
        j = 0; yes = false }

    /* ORDER_FENCED: a heartbeat did not find us; it may be old news. */
    :: atomic { ASKS(p) && holder[p] != 0 && (lease_of[p] == 0 || faults > 0) ->
        faults = (lease_of[p] == 0 -> faults : faults - 1);
        lose(p);
        lose_session(p) }
    od
}

/* --- what happens to a process and its handlers ------------------------------------------- */

#if PROCESSES == 2
#define ANY(x) (x(0) || x(1))
#elif PROCESSES == 3
#define ANY(x) (x(0) || x(1) || x(2))
#else
#define ANY(x) (x(0) || x(1) || x(2) || x(3))
#endif

/* How much of its lease must be over before a process is reaped. */
#ifdef REAP_EARLY
#define IS_OVER(p) (age[p] >= LEASE - 1 && cut[p])
#else
#define IS_OVER(p) (age[p] >= LEASE)
#endif

/* The supervisor orders a dead process to be reaped when its guards have killed what ran below it. */
#ifdef REAP_RUNNING
#define MAY_REAP(p) true
#else
#define MAY_REAP(p) (dying[p] == 0)
#endif

inline die(p)
{
    lose(p);
    lose_session(p);
    alive[p] = false;
    stopped[p] = false;
    was_stuck[p] = true;
    to_start++
}

proctype host(byte p)
{
    byte j, got;
    bool yes;

end:
    do
    /* A handler ends by itself, also while its worker is stopped; or it is killed. */
    :: atomic { task[p] == RUNNING ->
        task[p] = DONE;
        if
        :: outcome[p] = SUCCEEDED
        :: outcome[p] = RETRY
        fi }
    :: atomic { task[p] == KILLED -> task[p] = DONE }
    :: atomic { dying[p] != 0 ->
        dying[p] = 0;
        dying_token[p] = 0;
#ifndef TELL_ONCE
        tell[p] = holder[p] != 0 /* holding_settle(): what of it is ours nevertheless goes back */
#endif
        }

    /* A statement whose session was lost comes late, or never. */
    :: atomic { late[p] != 0 ->
        if
        :: late[p] == CLAIM -> sql_claim(p, late_holder[p], j, got, yes); got = 0; yes = false
        :: late[p] == FINISH ->
            j = late_job[p] - 1;
            sql_finish(p, late_holder[p], late_token[p], j, late_outcome[p], yes);
            j = 0; yes = false
        :: late[p] == TELL -> sql_release_unknown(p, late_holder[p], late_job[p], late_known[p], j)
        :: late[p] == REGISTER -> sql_register(p, j)
        :: true
        fi;
        forget_late(p) }

    /* The supervisor: a process that does not answer is killed, a dead one reaped and replaced. */
    :: atomic { stopped[p] ->
        if
        :: stopped[p] = false
        :: die(p)
        fi }
#ifndef NO_REAP
    :: atomic { !alive[p] && was_stuck[p] && !host_lost[p] && !reaped[p] && MAY_REAP(p) -> /* pgcrew.reap_process() */
        sql_reap(p, j, false);
        reaped[p] = true }

    /* pgcrew.reap_expired(), asked for by any janitor */
    :: atomic { lease_of[p] != 0 && IS_OVER(p) -> sql_reap(p, j, age[p] >= LEASE); age[p] = 0 }
#endif
    :: atomic { to_start > 0 && !alive[p] && !was_stuck[p] -> to_start--; alive[p] = true }

    /* The network comes back, and a heartbeat with it. */
    :: atomic { cut[p] ->
        cut[p] = false;
        age[p] = 0;
        seen_age[p] = (lease_of[p] != 0 -> 0 : seen_age[p]) }

    /* Trouble */
    :: atomic { faults > 0 && ACTS(p) -> faults--; stopped[p] = true; was_stuck[p] = true }
    :: atomic { faults > 0 && alive[p] && !cut[p] -> faults--; cut[p] = true }
    :: atomic { faults > 0 && p < WORKERS && alive[p] && to_start == 0 && !alive[PROCESSES - 1] -> faults--; die(p) }
    :: atomic { faults > 0 && p == 0 && alive[p] ->
        faults--;
        lose(p);
        die(p);
        dying[p] = 0;
        dying_token[p] = 0;
        host_lost[p] = true }
    :: atomic { faults > 0 -> faults = 0 } /* or no more of it */
    od
}

/* Time: it goes on where a heartbeat does not come, and waits for who must act before. */
#define GETS_OLDER(p) (lease_of[p] != 0 && age[p] < LEASE && (cut[p] || host_lost[p]))
#ifdef NO_KILL
#define MUST_ACT(p) false
#else
#define MUST_ACT(p) (ACTS(p) && seen_age[p] >= KILL_AT && (job[p] != 0 && task[p] != DONE || dying[p] != 0))
#endif

proctype clock()
{
    byte p;

end:
    do
    :: atomic { ANY(GETS_OLDER) && !ANY(MUST_ACT) ->
        for (p : 0 .. PROCESSES - 1) {
            age[p] = (GETS_OLDER(p) -> age[p] + 1 : age[p]);
            seen_age[p] = (alive[p] && cut[p] && seen_age[p] < LEASE -> seen_age[p] + 1 : seen_age[p])
        }
        p = 0 }
    od
}

/* pgcrew.promote(); and somebody who cancels a job, or does not: pgcrew.cancel_jobs() */
proctype queue()
{
    bool asked;

end:
    do
    :: atomic { scheduled[0] > 0 -> scheduled[0]--; ready[0]++; check_place(0) }
    :: atomic { scheduled[JOBS - 1] > 0 -> scheduled[JOBS - 1]--; ready[JOBS - 1]++; check_place(JOBS - 1) }
    :: atomic { !asked ->
        asked = true;
        if
        :: claimed[0] > 0 -> cancelling[0] = true
        :: !ended[0] && claimed[0] == 0 -> ready[0] = 0; scheduled[0] = 0; ended[0] = true
        :: true
        fi;
        check_place(0) }
    od
}

init
{
    byte p;

    atomic {
        for (p : 0 .. JOBS - 1) {
            ready[p] = 1
        }
        for (p : 0 .. PROCESSES - 1) {
            alive[p] = p < WORKERS;
            run worker(p);
            run host(p)
        }
        run clock();
        run queue();
        p = 0
    }
}

ltl every_job_ends { <> ALL_ENDED }
