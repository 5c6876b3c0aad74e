#!/usr/bin/env bash
# A wrong password: a clear message, no restart loop, and no password in the log.
. "$(dirname "$0")/../lib/setup.sh"
PG_CONF="password_encryption = 'scram-sha-256'"
pg_start && migrate || bail 'no database'
daemon_setup
sql "alter role pgcrew_worker login password 'richtig'"
printf 'local all pgcrew_worker scram-sha-256\nlocal all all trust\n' >"$pg_dir/data/pg_hba.conf"
sql 'select pg_reload_conf()' >/dev/null
handlers '  quick: {exec: [/bin/true]}'
daemon_url="postgresql://pgcrew_worker:falsch@/postgres?host=$PGHOST"
start_daemon_anyway worker.count=1 queue.poll_interval=500ms
ok 'a wrong password is named'         wait_for 10 logged 'password authentication failed'
not_ok 'the password is not in the log' logged falsch
pids=$(worker_pids)
sql "alter role pgcrew_worker password 'falsch'"
id=$(enqueue quick)
ok 'once it is right the job runs'      wait_for 20 job_is "$id" succeeded
is "$(worker_pids)" "$pids"            'in the same process'
not_ok 'no process shows the password' sh -c "cat /proc/$daemon_pid/cmdline /proc/$pids/cmdline | tr '\\0' ' ' | grep -q falsch"
stop_daemon
done_testing
