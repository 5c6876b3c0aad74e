#!/usr/bin/env bash
# Handlers that are SQL functions: their effect and the end of the job are one.
. "$(dirname "$0")/../lib/setup.sh"
pg_start && migrate || bail 'no database'
daemon_setup

sql "create schema app;
     grant usage on schema app to pgcrew_worker, authenticated;
     create table app.effects (job_id bigint, note text, at timestamptz default clock_timestamp());
     create table app.notes (user_id uuid, text text);
     alter table app.notes enable row level security;
     create policy own on app.notes to authenticated using (auth.uid() = user_id) with check (auth.uid() = user_id);
     grant select, insert on app.notes to authenticated;
     create function app.note(p jsonb) returns jsonb language plpgsql security definer set search_path = pg_catalog, pg_temp as \$\$
     begin
       insert into app.effects values (current_setting('pgcrew.job_id')::bigint, p ->> 'note');
       perform pg_sleep(coalesce((p ->> 'sleep')::float, 0));
       if p ? 'raise' then
         raise exception 'no such note' using errcode = p ->> 'raise';
       end if;
       return jsonb_build_object('noted', p ->> 'note');
     end \$\$;
     create function app.mine(p jsonb) returns bigint language plpgsql as \$\$
     begin
       insert into app.notes values (auth.uid(), p ->> 'text');
       return (select count(*) from app.notes);
     end \$\$;
     create function app.who(jsonb) returns text language sql as \$\$ select current_user \$\$;
     create function app.nothing(jsonb) returns void language sql as \$\$ \$\$;
     create role billing; grant billing to pgcrew_worker; grant usage on schema app to billing;
     grant authenticated to pgcrew_worker"

handlers "  note: {sql: app.note, retry_first: 100ms, retry_max: 100ms}
  kept: {sql: app.note, keep_attempts: all}
  slow: {sql: app.note, timeout: 300ms, retry_first: 1h}
  who: {sql: app.who}
  bill: {sql: app.who, role: billing}
  mine: {sql: app.mine, as_owner: yes}
  nothing: {sql: app.nothing}
  absent: {sql: app.absent, retry_first: 100ms, retry_max: 100ms}
  true: {exec: /bin/true}"
start_daemon worker.count=1 worker.slots=2 queue.poll_interval=500ms

effects() { sql "select count(*) from app.effects where job_id = $1"; }

id=$(enqueue note '{"note": "a"}')
ok 'a function runs'                               wait_for 10 job_is "$id" succeeded
is "$(job "$id" result)" '{"noted": "a"}'         'its value is the result'
is "$(effects "$id")" 1                           'its effect is there'
is "$(attempts "$id")" ''                         'no attempt is noted'
id=$(enqueue kept '{"note": "k"}')
ok 'another one'                                   wait_for 10 job_is "$id" succeeded
is "$(attempts "$id")" succeeded                  'leaves an attempt, as its kind asks for'
id=$(enqueue nothing)
ok 'a function without a value'                    wait_for 10 job_is "$id" succeeded
is "$(job "$id" 'result is null')" t              'has no result'
id=$(enqueue who)
ok 'without a role'                                wait_for 10 job_is "$id" succeeded
is "$(job "$id" result)" '"pgcrew_worker"'        'it runs as the worker'
id=$(enqueue bill)
ok 'with a role'                                   wait_for 10 job_is "$id" succeeded
is "$(job "$id" result)" '"billing"'              'it runs as that'

alice=11111111-1111-4111-8111-111111111111 bob=22222222-2222-4222-8222-222222222222
a=$(sql "select pgcrew.enqueue('mine', '{\"text\": \"a\"}', user_id => '$alice')")
ok 'as the owner'                                  wait_for 10 job_is "$a" succeeded
b=$(sql "select pgcrew.enqueue('mine', '{\"text\": \"b\"}', user_id => '$bob')")
ok 'as another owner'                              wait_for 10 job_is "$b" succeeded
is "$(job "$a" result) $(job "$b" result)" '1 1'  'each sees only his own rows'
is "$(sql 'select string_agg(user_id::text, $$ $$ order by text) from app.notes')" "$alice $bob" 'and writes as himself'
id=$(enqueue mine '{}')
ok 'a job of nobody cannot run as its owner'       wait_for 10 job_is "$id" failed
is "$(attempts "$id")" permanent                  'and is not tried again'

id=$(enqueue note '{"note": "x", "raise": "P0001"}')
ok 'a function that raises fails'                  wait_for 20 job_is "$id" failed
is "$(effects "$id")" 0                           'and leaves no effect'
like "$(job "$id" error)" 'no such note \(SQLSTATE P0001\)' 'its error is kept'
is "$(job "$id" attempts)" 5                      'after all its attempts'
id=$(enqueue note '{"note": "x", "raise": "PC065"}')
ok 'PC065 is never again'                          wait_for 10 job_is "$id" failed
is "$(job "$id" attempts)" 1                      'after one attempt'
id=$(enqueue note '{"note": "x", "raise": "PC075"}')
ok 'PC075 is later'                                wait_for 10 has_attempt "$id" tempfail
is "$(job "$id" attempts)" 0                      'and not charged'
sql "select pgcrew.cancel_jobs(array[$id])" >/dev/null
id=$(enqueue note '{"note": "x", "raise": "40P01"}')
ok 'a deadlock is later, too'                      wait_for 10 has_attempt "$id" tempfail
sql "select pgcrew.cancel_jobs(array[$id])" >/dev/null
id=$(enqueue absent)
ok 'a function that is missing is no start'        wait_for 10 has_attempt "$id" no_start
is "$(job "$id" attempts)" 0                      'which is not charged'
sql "create function app.absent(jsonb) returns text language sql as \$\$ select 'here' \$\$"
ok 'once it is there the job succeeds'             wait_for 20 job_is "$id" succeeded

id=$(enqueue slow '{"note": "x", "sleep": 60}')
ok 'one that takes too long is ended'              wait_for 10 has_attempt "$id" timeout
is "$(effects "$id")" 0                           'without effect'
sql "select pgcrew.cancel_jobs(array[$id])" >/dev/null
id=$(enqueue note '{"note": "x", "sleep": 60}')
ok 'a long one is seen running'                    wait_for 10 job_is "$id" running
other=$(enqueue true)
ok 'it holds up nobody else in this worker'        wait_for 10 job_is "$other" succeeded
sql "select pgcrew.cancel_jobs(array[$id])" >/dev/null
ok 'it can be cancelled'                           wait_for 10 job_is "$id" cancelled
is "$(effects "$id")" 0                           'without effect'

# Two that lock each other's rows: PostgreSQL ends one, and it is tried again.
sql "create table app.rows (id int primary key, n int default 0); insert into app.rows values (1), (2);
     create function app.cross(p jsonb) returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as \$\$
     begin
       update app.rows set n = n + 1 where id = (p ->> 'first')::int;
       perform pg_sleep(0.5);
       update app.rows set n = n + 1 where id <> (p ->> 'first')::int;
     end \$\$"
stop_daemon
handlers "  cross: {sql: app.cross, retry_first: 10ms, retry_max: 10ms}"
start_daemon worker.count=2 queue.poll_interval=500ms
sql "insert into jobs (kind, payload) values ('cross', '{\"first\": 1}'), ('cross', '{\"first\": 2}')"
both_done() { [ "$(sql "select count(*) from jobs where kind = 'cross' and status = 'succeeded'")" = 2 ]; }
ok 'two that deadlock both succeed in the end'     wait_for 30 both_done
is "$(sql 'select string_agg(n::text, $$ $$) from app.rows')" '2 2' 'each with its effect once'

# A session that is lost in the middle.
stop_daemon
handlers "  note: {sql: app.note, retry_first: 100ms, retry_max: 100ms}"
start_daemon worker.count=1 queue.poll_interval=500ms
sql_session() { sql "select pid from pg_stat_activity where application_name like '%/sql' and state = 'active' limit 1"; }
has_sql_session() { [ -n "$(sql_session)" ]; }
id=$(enqueue note '{"note": "once", "sleep": 1}')
wait_for 10 has_sql_session
sql "select pg_terminate_backend($(sql_session))" >/dev/null
ok 'a job whose session was lost is done in the end' wait_for 20 job_is "$id" succeeded
is "$(effects "$id")" 1                           'with one effect'
stop_daemon

# Two sessions, and news of them that cross.
start_daemon worker.count=1 worker.slots=2 queue.poll_interval=500ms
is_asked() { [ "$(sql "select count(*) from pg_stat_activity where state = 'active' and pid <> pg_backend_pid() and query ~ '$1'")" = "$2" ]; }
# A report that takes long: by then the function has ended over the other session.
sql "alter function pgcrew.report rename to report_at_once;
     create function pgcrew.report(bigint, bigint[], bigint[], int[], real[], text[]) returns table (job_id bigint)
       language plpgsql security definer set search_path = '' as \$\$
     begin
       perform pg_sleep(2);
       return query select * from pgcrew.report_at_once(\$1, \$2, \$3, \$4, \$5, \$6);
     end \$\$"
id=$(enqueue note '{"note": "reported late", "sleep": 1}')
other=$(enqueue note '{"note": "behind it", "sleep": 2}')
ok 'a job is reported while its function ends'     wait_for 10 is_asked 'pgcrew.report' 1
worker=$(worker_pids)
kill -STOP "$worker"
has_effect() { [ "$(effects "$1")" = "$2" ]; }
wait_for 10 has_effect "$id" 1
ok 'the worker hears of both at the same time'     wait_for 10 is_asked 'pgcrew.report' 0
kill -CONT "$worker"
ok 'the one behind it ends'                        wait_for 10 job_is "$other" succeeded
is "$(attempts "$id")$(attempts "$other")" ''     'and neither is taken for lost, nor ended'
not_ok 'nor said to be'                            logged "job ($id|$other) .*(taken away|cancel)"
sql 'drop function pgcrew.report; alter function pgcrew.report_at_once rename to report'

# A cancellation that comes when its function has ended hits the next.
id=$(enqueue note '{"note": "cancelled late", "sleep": 1.5}')
other=$(enqueue note '{"note": "behind it", "sleep": 2}')
both_claimed() { is_claimed "$id" && is_claimed "$other"; }
wait_for 10 both_claimed
wait_for 10 job_is "$id" running
backend=$(sql "select pid from pg_stat_activity where application_name = 'pgcrew/testhost/1'")
kill -STOP "$backend"
sql "select pgcrew.cancel_jobs(array[$id])" >/dev/null
ok 'a cancellation is on its way'                  wait_for 10 logged "job $id .*cancelled on request"
second_runs() { [ "$(sql "select count(*) from pg_stat_activity where application_name like '%/sql' and state = 'active'
                           and xact_start > (select created_at + interval '1.4 s' from jobs where id = $id)")" = 1 ]; }
ok 'its function ends, the next one begins'        wait_for 10 second_runs
kill -CONT "$backend"
ok 'the next one, hit instead, is done'            wait_for 20 job_is "$other" succeeded
is "$(job "$other" attempts) $(attempts "$other")" '1 ' 'at once and without a stain'
is "$(effects "$other")" 1                        'with one effect'
stop_daemon

# What the manual shows.
sql 'create table app.invoices (id bigint generated always as identity, customer text, total numeric)'
sql "$(sed -n '/^create function/,/^\.Ed/p' "$repo/src/worker/pgcrew-sql.7" | sed '/^\.Ed/d')"
handlers "$(sed -n '/^  invoice:/,/^\.Ed/p' "$repo/src/worker/pgcrew-sql.7" | sed '/^\.Ed/d')"
start_daemon worker.count=1 queue.poll_interval=500ms
id=$(enqueue invoice '{"customer": "Ada", "total": "12.50"}')
ok "the manual's example runs"                     wait_for 10 job_is "$id" succeeded
is "$(job "$id" "result ->> 'invoice'")" 1        'with its result'
is "$(sql 'select customer, total from app.invoices')" 'Ada|12.50' 'and its effect'
stop_daemon
ok 'nothing is left behind'                        nothing_left
done_testing
