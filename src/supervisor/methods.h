/*
 * The methods of the control socket: one row each in methods.c.
 *
 * What they answer (every time in milliseconds, every size in bytes):
 *
 *   ping      {name, version, pid, generation, state, uptime_ms, control_groups, stalls, stall}
 *             state: starting, running, stalled, draining, stopping; control_groups: what they
 *             enforce here, "memory, pids, cpu, kill" or fewer of them, or "none";
 *             stalls: how many there were since the start; stall: nil, or {ms, jobs: that wait,
 *             queues: "default, images", fault: daemon or database, why: a sentence}
 *   stats     ping's keys, and
 *             {workers: {wanted, ready, leaving, idle, busy, connecting, held},
 *              janitor: state of the janitor's board place, or "none",
 *              gateway, dashboard: nil where there is none, or {state: as the janitor's, text:
 *              why it is so, connections and streams: open now, requests: answered},
 *              lease_ok_ms: since the last renewed lease, nil before the first,
 *              running: jobs running now,
 *              totals: {claims, empty_claims, claimed, succeeded, failed, retried,
 *                       cancelled, released, stale, round_trips, db_errors, connects,
 *                       requests, busy_ms} since the daemon was started, of dead workers too,
 *              restarts: {planned, database, config, crash, signal, stalled, fork_failed},
 *              reaps_waiting, pss_bytes: {supervisor, janitor, workers,
 *              gateway, dashboard},
 *              lease_ms: as it is configured, reloads, reloads_refused,
 *              jobs: [{queue, kind, succeeded, failed, retried, cancelled, released, stale,
 *                      wait_us, run_us, cpu_us, wait: [n...], run: [n...]}],
 *              claim_jobs: {sum, counts: [n...]}, bounds: {time_us: [...], jobs: [...]},
 *              processes: {role: {n, rss_bytes, pss_bytes, cpu_ms, and but for the supervisor
 *                                 round_trips, db_errors, connects, restarts: {reason: n}}},
 *              http: {role: {connections, refused, open, streams,
 *                            requests: [{route, status, n}], routes: [{route, run_us, run}]}}}
 *   workers   array, the janitor first, who serves HTTP next: {role, slot, pid, process, generation, leaving,
 *             slot_state, state, text, uptime_ms, state_ms, beat_ms, backend_pid, poll_only,
 *             pss_bytes, connections, streams, the counters of totals since its own start, n_running,
 *             running: [{job_id, kind, ms}]}
 *             slot_state: empty, starting, ready, draining, stopping, killed, backoff, held;
 *             state is the child's own word (board_state_name()), nil where no child is.
 *   children  {supervisor: pid, and of each role [pid...]: janitor, worker, gateway, dashboard}
 *   scale [n]     {workers: n}; n is 0..1024, until the next reload or restart
 *   reload        {generation, changed: text as in the log, "" when nothing changed}
 *   drain         {state}: claim no more, end when the running jobs have ended
 *   stop [fast]   {state}: as SIGTERM does; fast (true): as SIGINT does
 */
#ifndef PGCREW_SUPERVISOR_METHODS_H
#define PGCREW_SUPERVISOR_METHODS_H

#include "ipc/ctl.h"

extern const struct ctl_method supervisor_methods[];
extern const size_t n_supervisor_methods;

#endif
