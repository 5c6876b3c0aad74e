#!/usr/bin/env bash
# database.durability: what does not wait for the disk, what still does, and that a crash of
# the server in between loses no job.
# The server writes by itself as late as it can, so that there is something to lose.
PG_CONF='wal_writer_delay = 10s
wal_writer_flush_after = 1GB'
. "$(dirname "$0")/../lib/setup.sh"
pg_start && migrate || bail 'no database'
daemon_setup
runs=$daemon_dir/runs

# Deferred, so that they see what the commit itself goes by.
sql "create schema seen;
     create table seen.commits (what text, durably text);
     grant usage on schema seen to public;
     grant insert on seen.commits to public;
     create function seen.note() returns trigger language plpgsql as \$\$
     begin
       insert into seen.commits values (tg_argv[0], current_setting('synchronous_commit'));
       return null;
     end \$\$;
     create function seen.run(jsonb) returns text language sql as
       \$\$ select current_setting('synchronous_commit') \$\$;
     grant execute on function seen.run(jsonb) to public;
     create constraint trigger a after insert on pgcrew.workers
       deferrable initially deferred for each row execute function seen.note('register');
     create constraint trigger a after insert on pgcrew.claims
       deferrable initially deferred for each row execute function seen.note('claim');
     create constraint trigger e after insert on public.jobs
       deferrable initially deferred for each row execute function seen.note('enqueue');
     create constraint trigger a after update on public.jobs
       deferrable initially deferred for each row when (new.finished_at is not null and new.kind = 'count')
       execute function seen.note('finish');
     create constraint trigger b after update on public.jobs
       deferrable initially deferred for each row when (new.finished_at is not null and new.kind = 'query')
       execute function seen.note('run_sql');
     create constraint trigger c after update of seen_at on pgcrew.workers
       deferrable initially deferred for each row when (new.seen_at is distinct from old.seen_at)
       execute function seen.note('heartbeat')"
handlers "  count: {exec: [/bin/sh, -c, 'echo \$PGCREW_JOB_ID >>$runs']}
  query: {sql: seen.run}"

commits() {
    sql "select string_agg(distinct what || ' ' || durably, ', ' order by what || ' ' || durably) from seen.commits" | sed 's/^$/nothing/'
}
beaten() { [ "$(sql "select count(*) from seen.commits where what = 'heartbeat'")" -gt 0 ]; }
# Some of each, and all that a worker and the janitor commit by the way.
work() {
    sql "select pgcrew.enqueue(k) from unnest('{count,query,count,query}'::text[]) k" >/dev/null
    wait_for 30 all_ended && wait_for 30 beaten
}

start_daemon queue.lease=6s
ok 'jobs run'                    work
is "$(commits)" 'claim on, enqueue on, finish on, heartbeat on, register on, run_sql on' 'strict: all waits for the disk'
stop_daemon

sql 'truncate seen.commits'
start_daemon queue.lease=6s database.durability=relaxed
ok 'jobs run'                    work
is "$(commits)" 'claim off, enqueue on, finish off, heartbeat on, register on, run_sql on' 'relaxed: claims and finishes do not'
is "$(sql "select distinct result #>> '{}' from public.jobs where kind = 'query'")" on 'functions of users see nothing of it'
stop_daemon

# --- the server crashes --------------------------------------------------------------------
sql 'drop schema seen cascade' 2>/dev/null
handlers "  count: {exec: [/bin/sh, -c, 'echo \$PGCREW_JOB_ID >>$runs']}"
sql 'truncate public.jobs'
: >"$runs"
start_daemon worker.count=2 worker.slots=4 database.durability=relaxed
for crash in 1 2 3; do
    sql "insert into public.jobs (kind) select 'count' from generate_series(1, 300)"
    some_ended() { [ "$(sql "select count(*) from public.jobs where status = 'succeeded'")" -gt $((crash * 300 - 250)) ]; }
    ok "crash $crash: in the middle of the work" wait_for 30 some_ended
    before=$(sql "select count(*) from public.jobs where status = 'succeeded'")
    pg_restart immediate
    echo "# $before had succeeded before, $(sql "select count(*) from public.jobs where status = 'succeeded'") after"
done
ok 'all jobs end'                              wait_for 120 all_ended
is "$(sql 'select status, count(*) from public.jobs group by 1')" 'succeeded|900' 'every one of them with success'
ok 'nothing is left of them'                   wait_for 10 nothing_left
is "$(sort -u "$runs" | wc -l)" 900            'each has run'
echo "# $(wc -l <"$runs") runs of 900 jobs"
stop_daemon
done_testing
