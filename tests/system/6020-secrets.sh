#!/usr/bin/env bash
# Secrets are planted wherever one may be; everything goes wrong that can; then nothing
# that the daemon, its processes and the tool have said or left behind has one.
# timeout: 300
. "$(dirname "$0")/../lib/setup.sh"
PG_CONF="password_encryption = 'scram-sha-256'"
pg_start && migrate || bail 'no database'
daemon_setup

# --- what is planted, and where it may be found -----------------------------------------------

kept=$daemon_dir/kept       # holds secrets, and may
said=$daemon_dir/said       # what must have none
home=$daemon_dir/home
mkdir -m 755 "$kept" "$said" "$home"
export TMPDIR=$daemon_dir/tmp
mkdir -m 1777 "$TMPDIR"
daemon_config=$kept/pgcrew.yaml
for name in url query passfile credential header sign variable mistyped wrong; do
    declare "${name}_pw=PLANTED-$name"
done
# shellcheck disable=SC2154  # declared above
sql "alter role pgcrew_worker login password '$url_pw'"
printf 'local all pgcrew_worker scram-sha-256\nlocal all all trust\n' >"$pg_dir/data/pg_hba.conf"
sql 'select pg_reload_conf()' >/dev/null
set_password() { sql "alter role pgcrew_worker password '$1'"; }
url() { echo "postgresql://pgcrew_worker:$1@/postgres?host=$PGHOST"; }
# shellcheck disable=SC2154
{
    mkdir "$kept/credentials"
    echo "$header_pw" >"$kept/credentials/token"
    url "$credential_pw" >"$kept/credentials/url"
    echo "$sign_pw" >"$kept/sign"
    echo "*:*:*:pgcrew_worker:$passfile_pw" >"$kept/pgpass"
    chmod 600 "$kept/pgpass"
}
export CREDENTIALS_DIRECTORY=$kept/credentials OF_THE_DAEMON=PLANTED-environment \
    SUPABASE_SERVICE_ROLE_KEY=sb_secret_PLANTED HOME=$home
port=$(free_port)
printf '#!/bin/sh\n' >"$daemon_dir/gone"
chmod 755 "$daemon_dir/gone"
# shellcheck disable=SC2154
handlers "  quick: {exec: [/bin/true]}
  crash: {exec: [/bin/sh, -c, 'echo dying >&2; kill -SEGV \$\$']}
  slow: {exec: [/bin/sleep, '60']}
  dump: {exec: [/bin/sh, -c, 'env; tr \"\\\\0\" \"\\\\n\" </proc/self/environ; tr \"\\\\0\" \" \" </proc/self/cmdline; ls -l /proc/self/fd']}
  own: {exec: [/bin/true], env: ['KEY=$variable_pw']}
  gone: {exec: [$daemon_dir/gone], env: ['KEY=$variable_pw']}
  web: {http: 'http://127.0.0.1:$port/x?key=PLANTED-in-url', allow_local: yes, sign: 'file:$kept/sign',
        headers: ['Authorization: \${credential:token}', 'X-Key: \${env:OF_THE_DAEMON}', 'X-No: \${env:PLANTED_NAME}']}"

# found FILE...: what is planted there, in UTF-8 and as the encodings that URLs and databases use
found() { grep -rlaiE 'planted-|UExBTlRFR|504c414e544544' "$@" 2>/dev/null | grep -v "^$kept"; }
tree() {
    local pid
    [ -n "$daemon_pid" ] || return
    for pid in "$daemon_pid" $(processes_below "$daemon_pid"); do
        echo "$pid $(tr '\0' ' ' <"/proc/$pid/cmdline") | $(cat "/proc/$pid/comm")"
    done
}
n_tool=0
tool() {
    n_tool=$((n_tool + 1))
    timeout 30 "$build/pgcrew" --socket "$daemon_socket" "$@" >"$said/tool-$n_tool" 2>&1 </dev/null
}
# Every command that only looks, and some that do, as people and as programs see them.
all_commands() {
    local json id
    id=$(sql 'select max(id) from public.jobs')
    for json in '' --json; do
        # shellcheck disable=SC2086  # empty is no argument
        for words in 'migrate status' 'job list' "job show $id" "job log $id" "why $id" stats workers ping 'ping --db' \
            doctor "doctor --job $id" 'enqueue quick' "job retry $id" "job cancel $id" 'batch new' \
            'batch show 0d4f3c1e-7a63-4f0c-8d0a-4a2f2f8b9c11' reload 'scale 1'; do
            tool $json "$@" $words
        done
    done
}
looked=0
look() { # WHAT: nothing that has been said so far has a secret
    looked=$((looked + 1))
    tree >"$said/tree-$looked"
    ps -ef >"$said/ps-$looked"
    sql 'select * from pg_stat_activity' >"$said/activity-$looked"
    pg_dump -a >"$said/dump-$looked"
    cp "$daemon_out" "$said/log-$looked"
    is "$(found "$said" "$TMPDIR" "$home" "$pg_dir/server.log")" '' "$1: no secret anywhere"
}
has_attempt_of() { [ "$(sql "select count(*) from pgcrew.attempts a join public.jobs j on j.id = a.job_id where j.kind = '$1'")" -gt 0 ]; }

# --- the daemon, with the password in its URL; every way to run a job goes wrong -----------------

ok 'what is planted can be found' grep -qa PLANTED-header "$kept/credentials/token"
daemon_url=$(url "$url_pw")
start_daemon worker.count=1 worker.slots=8 log.level=debug retry.first=100ms handler.keep_attempts=all \
    queue.poll_interval=200ms worker.kill_grace=200ms
rm "$daemon_dir/gone"
for kind in quick crash slow dump own gone web; do enqueue $kind >/dev/null; done
for kind in quick crash dump own gone web; do ok "$kind: it has had its attempt" wait_for 20 has_attempt_of $kind; done
all_commands
all_commands --config "$daemon_config"
sql "delete from public.jobs where kind = 'slow'"
look 'jobs that fail'
"$build/pgcrewd" -c "$daemon_config" --check >"$said/check" 2>&1
"$build/pgcrewd" -c "$daemon_config" --show-config >"$said/show" 2>&1
sed 's/PLANTED-in-url/hidden/' "$said/show" >"$said/show.new" && mv "$said/show.new" "$said/show"
look 'the configuration shown'

# --- the configuration changes, and is wrong -----------------------------------------------------

printf '#!/bin/sh\n' >"$daemon_dir/gone"
chmod 755 "$daemon_dir/gone"
sed -i "s/$variable_pw/PLANTED-second/; s/$url_pw/PLANTED-second/" "$daemon_config"
tool reload
ok 'a reload with other secrets' wait_for 10 logged 'handlers.own changed'
cp "$daemon_config" "$kept/good.yaml"
# shellcheck disable=SC2154
for line in "database.url: $mistyped_pw: x" "database.ulr: $(url "$mistyped_pw")" "database: $(url "$mistyped_pw")" \
    "handlers: {x: {exec: [/bin/true], env: ['MY-KEY=$mistyped_pw']}}" "handlers: {x: {http: 'http://me:$mistyped_pw@h/'}}" \
    "handlers: {x: {http: 'https://h/', sign: '$mistyped_pw'}}" "handlers: {x: {http: 'https://h/', headers: ['$mistyped_pw']}}"; do
    echo "$line" >"$kept/bad.yaml"
    "$build/pgcrewd" -c "$kept/bad.yaml" --check >>"$said/bad" 2>&1 && echo "# accepted: $line"
    cp "$kept/bad.yaml" "$daemon_config"
    tool reload
    tool --config "$kept/bad.yaml" doctor
done
cp "$kept/good.yaml" "$daemon_config"
for bad in "postgresql://me:$mistyped_pw@[broken/app" "postgresql://me:$mistyped_pw@h/app?nonsense=$mistyped_pw" \
    "host=h password=$mistyped_pw nonsense" "postgresql://me:$mistyped_pw%zz@h" "eyJ$mistyped_pw" "sb_secret_$mistyped_pw"; do
    "$build/pgcrewd" -o "database.url=$bad" >>"$said/bad" 2>&1
    "$build/pgcrewd" -o "$bad" >>"$said/bad" 2>&1
    DATABASE_URL=$bad "$build/pgcrewd" --check >>"$said/bad" 2>&1
    tool --database "$bad" stats
    tool --database "$bad" doctor
done
is "$(grep -c '^pgcrewd: ' "$said/bad")" 25 'all of it was refused'
look 'a wrong configuration'
stop_daemon

# --- on the command line, where everybody can see it -------------------------------------------------

write_config worker.count=1 worker.drain_timeout=200ms
sed -i '/^database.url/d' "$daemon_config"
set_password "$query_pw"
run_daemon() {
    "$build/pgcrewd" -c "$daemon_config" "${arguments[@]}" </dev/null >>"$daemon_out" 2>&1 &
    daemon_pid=$!
}
# shellcheck disable=SC2154
arguments=(-o "database.url=postgresql://pgcrew_worker@/postgres?host=$PGHOST&password=$query_pw")
# shellcheck disable=SC2218  # the one above
run_daemon
ok 'a password on the command line is used' wait_for 20 workers_hold 1
look 'the command line'
tool reload
id=$(enqueue quick)
ok 'a reload reads it again' wait_for 20 job_is "$id" succeeded
# A server that does not answer, to have time to look.
perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new(Local => shift, Listen => 5) or die; sleep 60' "$daemon_dir/.s.PGSQL.5432" &
at_exit "kill $! 2>/dev/null"
wait_for 5 test -S "$daemon_dir/.s.PGSQL.5432"
for form in "--database=postgresql://me:PLANTED-arg@/app?host=$daemon_dir" "--database postgresql://me:PLANTED-arg@/app?host=$daemon_dir"; do
    # shellcheck disable=SC2086
    "$build/pgcrew" $form job list >"$said/argument" 2>&1 &
    pid=$!
    hidden() { tr '\0' ' ' <"/proc/$pid/cmdline" | grep -Eq -- '--database.\*+ job list'; }
    ok "the tool hides it, too (${form%%[ =]*}${form:10:1})" wait_for 5 hidden
    kill "$pid"
    wait "$pid" 2>/dev/null
done
stop_daemon

# --- from libpq's own file, and a credential --------------------------------------------------------------

arguments=()
set_password "$passfile_pw"
daemon_url="host=$PGHOST dbname=postgres user=pgcrew_worker passfile=$kept/pgpass"
start_daemon worker.count=1 worker.drain_timeout=200ms log.level=debug
look "a passfile"
stop_daemon
set_password "$credential_pw"
daemon_url=credential:url
start_daemon worker.count=1 worker.drain_timeout=200ms log.level=debug worker.slots=4
look 'a credential'

# --- the server says no, and goes away -----------------------------------------------------------------------

set_password "$wrong_pw"
sql 'select pg_terminate_backend(pid) from pg_stat_activity where usename = '"'pgcrew_worker'" >/dev/null
ok 'the password is wrong now' wait_for 10 logged 'password authentication failed'
DATABASE_URL=$(url "$url_pw") all_commands
look 'a wrong password'
set_password "$credential_pw"
ok 'right again' wait_for 20 workers_hold 1
sql 'alter system set log_min_messages = debug1'
pg_stop immediate
ok 'the server is away' wait_for 10 logged 'database is away|cannot|lost|No such file'
DATABASE_URL=$(url "$url_pw") all_commands
pg_up
look 'a server that was away'

# --- and the processes die, where cores may be written ----------------------------------------------------------

stop_daemon
mkdir -m 777 "$daemon_dir/cores"
arguments=()
run_daemon() {
    (cd "$daemon_dir/cores" && ulimit -c unlimited && exec "$build/pgcrewd" -c "$daemon_config" </dev/null >>"$daemon_out" 2>&1) &
    daemon_pid=$!
}
# Does this host write them?  A program that is none of ours says it.
cores() { find "$daemon_dir/cores" -type f | wc -l; }
(cd "$daemon_dir/cores" && ulimit -c unlimited && sh -c 'kill -SEGV $$') 2>/dev/null
writes=$(cores)
rm -f "$daemon_dir"/cores/*
start_daemon worker.count=1 worker.slots=4
id=$(enqueue slow)
ok 'a job runs' wait_for 20 job_is "$id" running
guard=$(pgrep -P "$(worker_pids)" guard | head -n 1)
old=$(worker_pids)
kill -SEGV "$guard"
kill -ABRT "$(janitor_pid)"
kill -SEGV "$old"
another() { [[ $(worker_pids) != @("$old"|) ]]; }
ok 'guard, janitor and worker have died' wait_for 20 another
kill -QUIT "$(pgrep -P "$daemon_pid" janitor)" 2>/dev/null
kill -SEGV "$daemon_pid"
ok 'and the supervisor' wait_for 10 daemon_is_gone
wait "$daemon_pid" 2>/dev/null
daemon_pid=
if [ "$writes" -gt 0 ]; then
    is "$(cores)" 0 'none has left a core'
else
    skip 'this host writes no cores into files' 'none has left a core'
fi
look 'processes that died'
done_testing
