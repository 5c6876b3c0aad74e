#!/usr/bin/env bash
# Who may run the daemon, whose its files are, and a database URL that is kept elsewhere.
. "$(dirname "$0")/../lib/setup.sh"
. "$(dirname "$0")/../lib/tool.sh"
[ "$(id -u)" -eq 0 ] || skip_all 'only root can be several users'
unset PGCREW_ALLOW_ROOT PGCREW_CONTROL_SOCKET
PG_CONF="password_encryption = 'scram-sha-256'"
pg_start && migrate || bail 'no database'
daemon_setup
sql "alter role pgcrew_worker login password 'planted'"
printf 'local all pgcrew_worker scram-sha-256\nlocal all all trust\n' >"$pg_dir/data/pg_hba.conf"
sql 'select pg_reload_conf()' >/dev/null
handlers '  quick: {exec: [/bin/true]}
  where: {exec: [/bin/sh, -c, "pwd; umask; stat -c %a:%U . "]}'
pgcrewd() { timeout 20 "$build/pgcrewd" -c "$daemon_config" "$@" 2>&1; }
as_nobody=(setpriv --reuid nobody --regid nogroup --clear-groups)

# --- root ---------------------------------------------------------------------------------

write_config
said=$(pgcrewd)
is "$?" 78                                      'root is refused'
like "$said" "this is root.*allow_root: yes"    'it is said why, and what to do'
is "$(pgcrewd --check)" 'configuration is fine' 'root may check all the same'

# --- the file --------------------------------------------------------------------------------

# root_refuses WORDS WHAT
root_refuses() {
    said=$(pgcrewd --check)
    is "$?" 78                                  "root refuses $2"
    like "$said" "$1.*: not for a daemon of root" 'and says why'
}
chown nobody "$daemon_config"
root_refuses "belongs to user $(id -u nobody), who can change it" 'a file of somebody else'
chown root "$daemon_config"
chmod 666 "$daemon_config"
root_refuses 'everybody can change' 'a file that everybody can change'

# --- a daemon of nobody -----------------------------------------------------------------------------

chmod 755 "$daemon_dir"
install -d -o nobody -m 755 "$daemon_dir/run"
daemon_socket=$daemon_dir/run/control.sock
export TMPDIR=$daemon_dir/tmp
mkdir -m 1777 "$TMPDIR"
mode=644
run_daemon() {
    chmod "$mode" "$daemon_config"
    # A mask that gives all to all is not what our files get.
    (umask 0 && exec "${as_nobody[@]}" env CREDENTIALS_DIRECTORY="$daemon_dir/credentials" \
        "$build/pgcrewd" -c "$daemon_config" </dev/null >>"$daemon_out" 2>&1) &
    daemon_pid=$!
}
daemon_url="postgresql://pgcrew_worker:planted@/postgres?host=$PGHOST"
start_daemon
ok 'a password in a file that everybody can read is remarked on' \
    logged "everybody can read '$daemon_config', and there is a password in it"
tool --config "$daemon_config" doctor
like "$out" 'warn .*everybody can read .*password' 'doctor says it, too'
is "$(stat -c %a "$daemon_socket" "$daemon_socket.lock" | tr '\n' ' ')" '660 600 ' 'socket and lock have the modes they should'
is "$(stat -c '%a %U' "$TMPDIR"/pgcrewd-*)" '711 nobody' 'nobody else can list the temporary folders'
is "$(find "$TMPDIR" -mindepth 2 -perm /077 | wc -l)" 0 'nor look into one'
id=$(enqueue where)
ok 'a handler runs'                             wait_for 20 job_is "$id" succeeded
like "$(job "$id" "result #>> '{}'" | tr '\n' ' ')" "^$TMPDIR/pgcrewd-.* 0077 700:nobody $" 'in a folder of its own, with a mask of its own'
chmod 666 "$daemon_config"
kill -HUP "$daemon_pid"
ok 'a reload looks again'                       wait_for 10 logged "reload: everybody can change '$daemon_config'"
chmod 600 "$daemon_config"
stop_daemon

# Somebody waits in /tmp with a folder named like one of ours, and a link.
mkdir "$daemon_dir/precious" && : >"$daemon_dir/precious/file"
chown -R nobody "$daemon_dir/precious"
ln -s "$daemon_dir/precious" "$TMPDIR/pgcrewd-link00"
chown -h nobody "$TMPDIR/pgcrewd-link00"
mode=640 : >"$daemon_out"
chgrp nogroup "$daemon_config"
start_daemon
chgrp nogroup "$daemon_config"
ok 'a symbolic link in the folder for temporary folders is not followed' test -e "$daemon_dir/precious/file"
stop_daemon

# --- the URL elsewhere ----------------------------------------------------------------------------------

mkdir -m 755 "$daemon_dir/credentials"
echo "$daemon_url" >"$daemon_dir/credentials/database-url"
chmod 400 "$daemon_dir/credentials/database-url"
chown nobody "$daemon_dir/credentials/database-url"
: >"$daemon_out"
mode=644
daemon_url=credential:database-url
start_daemon
id=$(enqueue quick)
ok 'the database URL may be a credential'       wait_for 20 job_is "$id" succeeded
not_ok 'which is not remarked on'               logged password
tool --config "$daemon_config" --socket "$daemon_socket" ping
status_is 0                                     'the tool does without, where it needs no database'
tool --config "$daemon_config" job list
status_is 2                                     'where it needs one'
like "$errors" 'reference that cannot be read here: give it by --database' 'it says that it cannot read it'
stop_daemon
daemon_url="file:$daemon_dir/credentials/database-url"
start_daemon
id=$(enqueue quick)
ok 'or in a file'                               wait_for 20 job_is "$id" succeeded
stop_daemon
daemon_url=credential:nope
write_config
like "$(pgcrewd --check)" "database.url: no secret 'credential:nope'" 'one that is not there is an error'
done_testing
