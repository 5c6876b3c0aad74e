#!/usr/bin/env bash
# Programs for many jobs: what dies takes only its own with it, nothing is left behind,
# and a broken installation costs no job its attempts.
. "$(dirname "$0")/../lib/setup.sh"
pg_start && migrate || bail 'no database'
daemon_setup
program=$build/tests/unit/serve_program
[ -x "$program" ] || bail "$program is not built"

touch "$daemon_dir/broken"
handlers "  work: {serve: [$program, in_flight=4, 'name=$daemon_dir'], in_flight: 4, programs: 2, retry_first: 50ms, retry_max: 200ms}
  recycled: {serve: [$program, 'name=$daemon_dir'], recycle_jobs: 10}
  broken: {serve: [$program, 'name=$daemon_dir', 'unless=$daemon_dir/broken'], retry_first: 100ms, retry_max: 300ms}
  gone: {serve: [$program, 'name=$daemon_dir', version=9], retry_first: 100ms, retry_max: 300ms}"
options=(worker.count=2 worker.slots=8 worker.kill_grace=500ms worker.drain_timeout=10s queue.poll_interval=200ms queue.lease=3s)
start_daemon "${options[@]}"

programs() { pgrep -f "name=$daemon_dir" | sort; }
count_programs() { programs | wc -l; }
no_programs() { [ -z "$(programs)" ]; }
guard_of() { ps -o ppid= -p "$1" | tr -d ' '; }
# enqueue_many N KIND PAYLOAD: with enough attempts for the kills of this test.
enqueue_many() {
    sql "insert into public.jobs (kind, payload, max_attempts)
         select '$2', to_jsonb('$3'::text), 50 from generate_series(1, $1)"
}
all_succeeded() { [ "$(sql "select count(*) from public.jobs where status <> 'succeeded'")" = 0 ]; }
done_by() { sql "select count(distinct result) from public.jobs where kind = '$1' and payload = '\"pid\"'"; }

# --- many jobs ------------------------------------------------------------------------------

enqueue_many 2000 work pid
ok 'many jobs end'                                          wait_for 60 all_ended
ok 'all succeed'                                            all_succeeded
ok 'few programs did them'                                  test "$(done_by work)" -le 4
is "$(sql 'select max(attempts) from public.jobs')" 1      'none was run twice'
ok 'the programs live on'                                   test "$(count_programs)" -ge 1
enqueue_many 100 recycled pid
ok 'programs that are replaced after ten jobs drop none'    wait_for 30 all_ended
ok 'and there are ten and more of them'                     test "$(done_by recycled)" -ge 10
ok 'all succeed'                                            all_succeeded

# --- kills ----------------------------------------------------------------------------------

sql 'delete from public.jobs'
enqueue_many 400 work 'slow 10'
some_done() { [ "$(sql "select count(*) from public.jobs where status = 'succeeded'")" -ge "$1" ]; }
wait_for 20 some_done 20
kill -9 "$(programs | head -n 1)"
ok 'kill -9 of a program: the others go on'                 wait_for 20 some_done 80
victim=$(programs | head -n 1)
kill -9 "$(guard_of "$victim")"
victim_is_gone() { ! kill -0 "$victim" 2>/dev/null; }
ok 'kill -9 of a guard: its program goes with it'           wait_for 10 victim_is_gone
wait_for 20 some_done 140
worker=$(worker_pids | head -n 1)
mapfile -t below < <(processes_below "$worker")
kill -9 "$worker"
below_are_gone() { local p; for p in "${below[@]}"; do ! kill -0 "$p" 2>/dev/null || return 1; done; }
ok 'kill -9 of a worker: its programs go with it'           wait_for 10 below_are_gone
ok 'every job ends'                                         wait_for 60 all_ended
ok 'all succeed'                                            all_succeeded
charged=$(sql 'select coalesce(sum(attempts - 1), 0) from public.jobs')
ok 'only what was in hand of the dead was charged'          test "$charged" -le 16
is "$(sql "select count(*) from pgcrew.attempts where cause not in ('signal', 'worker_died')")" 0 \
    'as killed by a signal, or with their worker'
ok 'nothing is left in the tables of the protocol'          wait_for 10 nothing_left

# --- one bad job ----------------------------------------------------------------------------

sql 'delete from public.jobs'
id=$(sql "insert into public.jobs (kind, payload, max_attempts) values ('work', '\"raw ffffffff\"', 1) returning id")
ok 'a job whose program breaks the protocol fails'          wait_for 20 job_is "$id" failed
like "$(job "$id" error)" 'broke the protocol: a frame of 4294967295 bytes' 'and says how'
is "$(sql "select cause from pgcrew.attempts where job_id = $id")" protocol 'with its own cause'
id=$(enqueue work '"never no such address"')
ok 'a failure for good is not tried again'                  wait_for 20 job_is "$id" failed
is "$(job "$id" "error || attempts")" 'no such address1'   'after one attempt'
id=$(enqueue work '"freeze"')
wait_for 20 job_is "$id" running
sql "select * from pgcrew.cancel_jobs(array[$id])" >/dev/null
ok 'a job that does not end can be cancelled'               wait_for 20 job_is "$id" cancelled

# --- a broken installation ------------------------------------------------------------------

broken=$(enqueue broken '"echo 1"') gone=$(enqueue gone '"echo 1"')
noted() { [ "$(sql "select count(*) from pgcrew.attempts where job_id = $1 and cause = 'no_start'")" -ge 3 ]; }
ok 'a program that does not start is noted'                 wait_for 30 noted "$broken"
ok 'so is one that speaks another version'                  wait_for 30 noted "$gone"
is "$(job "$broken" "status || attempts")" queued0         'but costs no attempts'
is "$(job "$gone" "status || attempts")" queued0           'neither does the other'
like "$(sql "select error from pgcrew.attempts where job_id = $broken order by id limit 1")" \
    'exited with status 7 before it said hello'            'the error says what happened'
id=$(enqueue work '"echo 1"')
ok 'other kinds run meanwhile'                              wait_for 10 job_is "$id" succeeded
rm "$daemon_dir/broken"
ok 'when it is mended the job runs'                         wait_for 40 job_is "$broken" succeeded
is "$(job "$broken" attempts)" 1                           'as the first attempt'
sql "select * from pgcrew.cancel_jobs(array[$gone])" >/dev/null
wait_for 10 all_ended

# --- reload, drain --------------------------------------------------------------------------

sql 'delete from public.jobs'
enqueue_many 8 work 'slow 500'
some_run() { [ "$(sql 'select count(*) from pgcrew.claims')" -gt 0 ]; }
wait_for 10 some_run
old=$(programs)
write_config "${options[@]}" retry.first=4s
kill -HUP "$daemon_pid"
old_are_gone() { ! programs | grep -qxF "$old"; }
ok 'reload: all jobs end'                                   wait_for 30 all_ended
ok 'reload: all succeed'                                    all_succeeded
is "$(sql 'select max(attempts) from public.jobs')" 1      'reload: each at the first attempt'
ok 'reload: the old programs are gone'                      wait_for 20 old_are_gone

sql 'delete from public.jobs'
a=$(enqueue work '"slow 1000"') b=$(enqueue work '"pid"')
wait_for 10 job_is "$b" succeeded
wait_for 10 job_is "$a" running
ok 'stop: the daemon ends'                                  stop_daemon
is "$(job "$a" "status || attempts")" succeeded1           'stop: a job that ends in time succeeds'
ok 'stop: no program is left'                               wait_for 5 no_programs
done_testing
