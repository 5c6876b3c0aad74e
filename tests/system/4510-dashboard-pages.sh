#!/usr/bin/env bash
# The dashboard's pages in a browser: what an operator does with them, live, by keyboard, on
# a phone; and that nothing of what jobs say is taken for HTML.
. "$(dirname "$0")/../lib/setup.sh"
. "$here/queue.sh"
. "$here/web.sh"
web_install
queue_start
daemon_setup

hostile='<img src=x onerror="window.hit=1">'
port=$(free_port)
(umask 077; head -c 32 /dev/urandom | base64 >"$daemon_dir/token")
cat >"$daemon_dir/slow" <<'END'
#!/bin/sh
echo '50 half way <img src=x onerror="window.hit=1">' >&3
sleep 60
END
cat >"$daemon_dir/bad" <<'END'
#!/bin/sh
echo 'stderr says <img src=x onerror="window.hit=1">' >&2
exit 7
END
chmod +x "$daemon_dir/slow" "$daemon_dir/bad"
handlers "  slow: {exec: [$daemon_dir/slow]}
  bad: {exec: [$daemon_dir/bad]}
  good: {exec: [/bin/cat]}"
PGUSER=postgres start_daemon worker.count=2 worker.slots=2 worker.kill_grace=1s "dashboard.listen=[127.0.0.1:$port]" \
    "dashboard.token_file=$daemon_dir/token"
wait_for 20 curl -sf "http://127.0.0.1:$port/readyz" || bail 'no dashboard'

sql "select count(pgcrew.enqueue('good', jsonb_build_object('text', '$hostile', 'n', n))) from generate_series(1, 20) n" >/dev/null
sql "insert into public.jobs (kind, queue, payload, batch_id, user_id, unique_key, max_attempts)
     select case n % 3 when 0 then 'bad' else 'good' end, 'default', jsonb_build_object('$hostile', '$hostile'),
            '$user', '$user2', '$hostile' || n, 1 from generate_series(1, 12) n" || bail 'no batch'
# Nobody serves these.
sql "insert into public.jobs (kind, queue) select 'waits', 'nowhere $hostile' from generate_series(1, 7)"
sql "insert into public.jobs (kind, queue) values ('$hostile', 'nowhere $hostile')"
PGUSER=postgres sql "insert into public.jobs (kind, status, error, result, progress_note, finished_at)
     values ('good', 'failed', '$hostile', to_jsonb('$hostile'::text), '$hostile', now())"
"$build/pgcrew" --config "$daemon_config" schedule add "every $hostile" '0 0 1 1 *' good '{"scheduled": true}' >/dev/null ||
    bail 'no schedule'
bad_ended() { [ "$(sql "select count(*) from public.jobs where kind = 'bad' and status = 'failed'")" = 4 ]; }
wait_for 30 bad_ended || bail 'the jobs that fail have not failed'

DASHBOARD_PID=$(pgrep -P "$daemon_pid" -f 'pgcrewd: dashboard')
export DASHBOARD_PID
web_tap dashboard.mjs "http://127.0.0.1:$port" "$daemon_dir/token"
done_testing
