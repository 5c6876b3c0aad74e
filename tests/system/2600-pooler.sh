#!/usr/bin/env bash
# Behind a transaction pooler: noticed, polling only, and the work gets done.
. "$(dirname "$0")/../lib/setup.sh"
command -v pgbouncer >/dev/null || skip_all 'pgbouncer is not installed'
pg_start && migrate || bail 'no database'
daemon_setup
sql 'alter role pgcrew_worker login'
handlers '  quick: {exec: [/bin/true]}'
bouncer_dir=$(mktemp -d "${TMPDIR:-/tmp}/pgcrew-bouncer.XXXXXX")
chmod 777 "$bouncer_dir"
cat >"$bouncer_dir/ini" <<CONF
[databases]
postgres = host=$PGHOST port=$PGPORT
[pgbouncer]
listen_addr =
unix_socket_dir = $bouncer_dir
listen_port = 6543
auth_type = any
pool_mode = transaction
default_pool_size = 3
logfile = $bouncer_dir/log
ignore_startup_parameters = extra_float_digits
CONF
sed -i "s|^postgres = .*|postgres = host=$PGHOST port=$PGPORT user=pgcrew_worker|" "$bouncer_dir/ini"
pg_as_server pgbouncer -q "$bouncer_dir/ini" >/dev/null 2>&1 &
bouncer=$!
at_exit "kill $bouncer 2>/dev/null; rm -rf $bouncer_dir"
wait_for 10 test -S "$bouncer_dir/.s.PGSQL.6543" || bail 'pgbouncer did not start'
daemon_url="host=$bouncer_dir port=6543 dbname=postgres user=pgcrew_worker"
# Where claims are committed strictly whatever is asked for: nobody here hears of a crash.
sql "create table public.durably (how text);
     grant insert on public.durably to public;
     create function public.note() returns trigger language plpgsql as
       \$\$ begin insert into public.durably values (current_setting('synchronous_commit')); return null; end \$\$;
     create constraint trigger note after insert on pgcrew.claims
       deferrable initially deferred for each row execute function public.note()"
start_daemon worker.count=2 queue.poll_interval=1s database.durability=relaxed
ok 'the pooler is noticed'                       wait_for 10 logged 'transaction pooler'
ok 'relaxed durability is refused there'         wait_for 10 logged 'database.durability is strict'
for _ in 1 2 3; do
    id=$(enqueue quick)
    ok 'a job runs within the poll interval'     wait_for 3 job_is "$id" succeeded
done
is "$(sql "select count(*) from pg_stat_activity where query like 'listen%'")" 0 'nobody listens'
sql "select pgcrew.enqueue('quick') from generate_series(1, 200)" >/dev/null
ok '200 jobs run'                                wait_for 30 all_ended
is "$(sql 'select distinct how from public.durably')" on 'every claim is on the disk'
not_ok 'no error on the way'                     logged 'cannot (claim|finish)'
stop_daemon
done_testing
