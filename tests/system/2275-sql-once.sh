#!/usr/bin/env bash
# timeout: 300
# Exactly once: the worker is killed between every two steps of a SQL handler, and inside
# of them; each job has its effect once.
. "$(dirname "$0")/../lib/setup.sh"
pg_start && migrate || bail 'no database'
daemon_setup
grep -q PGCREW_FAULT "$build/pgcrewd" || skip_all 'built without --enable-faults'

# kill_worker() runs in the server, as its superuser: the exact moment is the server's.
sql "create schema app;
     grant usage on schema app to pgcrew_worker;
     create table app.effects (job_id bigint, step text);
     create function app.kill_worker(step text) returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as \$\$
     begin
       -- Once: the file goes with it.
       execute format('copy (select 1) to program %L',
                      format('rm %s/%s 2>/dev/null && kill -9 %s && sleep 0.2 || true', '$daemon_dir', step,
                             (select w.pid from pgcrew.workers w order by w.holder desc limit 1)));
     end \$\$;
     create function app.at_commit() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as \$\$
     begin
       if new.step = 'commit' then perform app.kill_worker('commit'); end if;
       return null;
     end \$\$;
     create constraint trigger at_commit after insert on app.effects deferrable initially deferred
       for each row execute function app.at_commit();
     create function app.once(p jsonb) returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as \$\$
     begin
       if p ->> 'step' = 'before' then perform app.kill_worker('before'); end if;
       insert into app.effects values (current_setting('pgcrew.job_id')::bigint, p ->> 'step');
       if p ->> 'step' = 'after' then perform app.kill_worker('after'); end if;
     end \$\$"
chmod 777 "$daemon_dir"
export PGCREW_FAULT=$daemon_dir

handlers "  once: {sql: app.once, retry_first: 10ms, retry_max: 10ms}"

is_done_once() {
    [ "$(sql "select j.status || (select count(*) from app.effects e where e.job_id = j.id)
                from public.jobs j where j.id = $1")" = succeeded1 ]
}

# try STEP: five jobs, the worker dies once at that step.
try() {
    local step=$1 ids id good=0
    start_daemon worker.count=1 worker.slots=3 queue.poll_interval=200ms
    : >"$daemon_dir/$step"
    chmod 666 "$daemon_dir/$step"
    ids=$(sql "insert into jobs (kind, payload) select 'once', '{\"step\": \"$step\"}' from generate_series(1, 5) returning id")
    for id in $ids; do
        wait_for 20 is_done_once "$id" && good=$((good + 1))
    done
    is "$good" 5                                   "killed at $step: five jobs, each with one effect"
    not_ok "at $step a worker was killed"          test -e "$daemon_dir/$step"
    stop_daemon
}

for step in run_sql.begins run_sql.sent run_sql.answered run_sql.settled before after commit; do
    try "$step"
done
is "$(sql 'select count(*) from app.effects')" 35  'all in all as many effects as jobs'
is "$(sql "select count(*) from jobs where status <> 'succeeded'")" 0 'and all have succeeded'
ok 'nothing is left behind'                        nothing_left
done_testing
