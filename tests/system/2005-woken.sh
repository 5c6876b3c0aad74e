#!/usr/bin/env bash
# A worker that found nothing is woken by what comes in, whatever it found before.
. "$(dirname "$0")/../lib/setup.sh"
pg_start && migrate || bail 'no database'
handlers '  quick: {exec: [/bin/true]}'
start_daemon

# Looking from the start of the queue costs three seconds once, so the next such look is a
# minute away.  Such a look has to be due again for that.
sql 'select pg_sleep(2)'
psql -XAtq >"$pg_dir/held" <<'END' &
begin;
select 'held' from pgcrew.workers for update;
select pg_sleep(3);
commit;
END
holds=$!
wait_for 10 grep -q held "$pg_dir/held"
first=$(enqueue quick)
ok 'a job whose claim takes long' wait_for 20 job_is "$first" succeeded
wait "$holds"

is_idle() {
    [ "$(sql 'select bool_and(idle) from pgcrew.workers')" = t ]
}
ok 'then nothing is left' wait_for 10 is_idle
for _ in 1 2 3; do
    next=$(enqueue quick)
    ok 'the next one does not wait for such a look' wait_for 20 job_is "$next" succeeded
done
stop_daemon
done_testing
