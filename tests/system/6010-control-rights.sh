#!/usr/bin/env bash
# The control socket: who may open it, who may ask, who may command; and clients that are
# slow, greedy or broken hold up nobody.
. "$(dirname "$0")/../lib/setup.sh"
[ "$(id -u)" -eq 0 ] || skip_all 'only root can be several users'
pg_start && migrate || bail 'no database'
daemon_setup

# The daemon is nobody's, and a member of a second group, which its socket is given to.
as() { # UID GROUPS cmd...
    local uid=$1 groups=$2
    shift 2
    setpriv --reuid "$uid" --regid "$uid" --groups "$groups" "$@"
}
owner() { as 65534 games "$@"; }
member() { as 12345 games "$@"; }
stranger() { as 12346 12346 "$@"; }
folder=$daemon_dir/run
install -d -o 65534 -g 65534 -m 755 "$folder"
chmod 755 "$daemon_dir"
daemon_socket=$folder/control.sock
run_daemon() {
    chmod 644 "$daemon_config"
    setpriv --reuid 65534 --regid 65534 --groups games "$build/pgcrewd" -c "$daemon_config" </dev/null >>"$daemon_out" 2>&1 &
    daemon_pid=$!
}
ping_of() { "$@" "$build/pgcrew" --socket "$daemon_socket" ping >/dev/null 2>&1; }
scale_of() { # N cmd...
    local n=$1
    shift
    "$@" "$build/pgcrew" --socket "$daemon_socket" scale "$n" 2>&1
}
workers_are() { [ "$(worker_pids | wc -l)" = "$1" ]; }
result_of() { job "$1" "result #>> '{}'"; }
tool="$build/pgcrew --socket $daemon_socket"
handlers "  meddle: {exec: [/bin/sh, -c, '$tool ping >/dev/null && echo answered; for c in \"scale 7\" reload drain stop; do $tool \$c 2>&1; done; true']}
  orphan: {exec: [/bin/sh, -c, 'setsid sh -c \"sleep 0.2; $tool scale 7\" 2>&1 & setsid sh -c \"exec setsid sh -c \\\"$tool scale 7 2>&1\\\"\"; wait']}
  other: {exec: [/bin/sh, -c, '$tool scale 7 2>&1; true'], user: games}"

# --- rights ---------------------------------------------------------------------------------

# Twice: as every host is, and where processes of other users cannot be seen, as in our unit.
hidden=(unshare --mount --fork --kill-child -- sh -c 'mount -t proc -o hidepid=invisible proc /proc && exec setpriv --reuid 65534 --regid 65534 --groups games "$@"' -)
rights() {
    local where=$1 id
    is "$(stat -c '%a %U %G' "$daemon_socket")" "660 nobody games" "$where: the socket is for its user and its group"
    is "$(stat -c %a "$daemon_socket.lock")" 600 "$where: its lock for its user alone"
    ok "$where: a member of the group may ask"             ping_of member
    like "$(scale_of 5 member)" "only root and the user of pgcrewd may ask for 'scale'" "$where: but change nothing"
    not_ok "$where: a stranger may not even ask"           ping_of stranger
    like "$(scale_of 5 stranger)" 'Permission denied'      "$where: it is the socket that says so"
    ok "$where: nothing has changed"                       workers_are 1
    ok "$where: root may ask"                              ping_of env
    scale_of 2 env >/dev/null
    ok "$where: and command"                               wait_for 10 workers_are 2
    ok "$where: the owner may ask"                         ping_of owner
    scale_of 1 owner >/dev/null
    ok "$where: and command"                               wait_for 10 workers_are 1
    id=$(enqueue meddle)
    ok "$where: a handler, which has the owner's user, asks" wait_for 20 job_is "$id" succeeded
    is "$(result_of "$id" | sort | uniq -c | sed 's/^ *//')" "1 answered
1 pgcrew: what pgcrewd runs may not ask it for 'drain'
1 pgcrew: what pgcrewd runs may not ask it for 'reload'
1 pgcrew: what pgcrewd runs may not ask it for 'scale'
1 pgcrew: what pgcrewd runs may not ask it for 'stop'" "$where: is answered, and may command nothing"
    id=$(enqueue orphan)
    ok "$where: one that has lost its parent tries too"    wait_for 20 job_is "$id" succeeded
    is "$(result_of "$id" | sort -u)" "pgcrew: what pgcrewd runs may not ask it for 'scale'" "$where: in vain"
    ok "$where: nothing has changed"                       workers_are 1
}
start_daemon worker.count=1 control.group=games
rights plain
stop_daemon

if setpriv --reuid 0 "${hidden[@]}" true 2>/dev/null; then
    run_daemon() {
        chmod 644 "$daemon_config"
        "${hidden[@]}" "$build/pgcrewd" -c "$daemon_config" </dev/null >>"$daemon_out" 2>&1 &
        hiding=$!
        wait_for 10 pgrep -P "$hiding"
        daemon_pid=$(pgrep -P "$hiding")
    }
    start_daemon worker.count=1 control.group=games
    rights hidden
    kill -TERM "$daemon_pid"
    ok 'hidden: it ends' wait_for 30 daemon_is_gone
    wait "$hiding"
    daemon_pid=
else
    skip 'no /proc of its own can be mounted here' 'where processes are hidden'
fi

# --- a daemon of root: handlers of another user are others -------------------------------------

run_daemon() {
    "$build/pgcrewd" -c "$daemon_config" </dev/null >>"$daemon_out" 2>&1 &
    daemon_pid=$!
}
start_daemon worker.count=1
chmod 666 "$daemon_socket"
id=$(enqueue other)
ok 'a handler with a user of its own asks'             wait_for 20 job_is "$id" succeeded
is "$(result_of "$id")" "pgcrew: only root and the user of pgcrewd may ask for 'scale'" 'and is a stranger'
stop_daemon

# --- what may lie in its place -------------------------------------------------------------------

refused() { # WORDS WHAT: the daemon does not start, and what lies there is as it was
    local before after said
    before=$(stat -c '%i %a %U' "$daemon_socket")
    said=$(timeout 20 "$build/pgcrewd" -c "$daemon_config" 2>&1)
    is "$?" 78 "$2: the daemon does not start"
    like "$said" "$1" "$2: and says why"
    after=$(stat -c '%i %a %U' "$daemon_socket")
    is "$after" "$before" "$2: what lies there is as it was"
    rm -rf "$daemon_socket"
}
: >"$daemon_socket"
refused 'is there and is no socket' 'a file'
mkdir "$daemon_socket"
refused 'is there and is no socket' 'a folder'
: >"$folder/victim"
chmod 600 "$folder/victim"
ln -s "$folder/victim" "$daemon_socket"
refused 'is there and is no socket' 'a symbolic link'
is "$(stat -c %a "$folder/victim")" 600 'the file it leads to has its mode'
ln -s "$folder/victim" "$daemon_socket.lock.link"
mv "$daemon_socket.lock.link" "$daemon_socket.lock"
like "$(timeout 20 "$build/pgcrewd" -c "$daemon_config" 2>&1)" "cannot open '.*lock'" 'a symbolic link for the lock is not followed'
rm -f "$daemon_socket.lock"

# --- bad clients, all at once --------------------------------------------------------------------

cat >"$daemon_dir/clients.pl" <<'END'
use strict;
use IO::Socket::UNIX;
my ($path, $ready) = @ARGV;
$SIG{PIPE} = 'IGNORE';
sub client { IO::Socket::UNIX->new(Peer => $path) // die "$path: $!" }
my @kept;
for (1 .. 16) {
    push @kept, client();                                          # says nothing
    my $half = client(); syswrite $half, "\x94\x00\x01\xa4pi";     # half a request
    my $huge = client(); syswrite $huge, "\x94\x00\x01\xdb\x7f\xff\xff\xff" . 'x' x 60000;
    my $deaf = client();                                           # asks and does not listen
    $deaf->blocking(0);
    syswrite $deaf, "\x94\x00\x01\xa5stats\x90" for 1 .. 3000;
    push @kept, $half, $huge, $deaf;
}
open my $f, '>', $ready; close $f;
my $end = time + 15;
while (time < $end) {                                              # comes and goes
    my $c = IO::Socket::UNIX->new(Peer => $path) or next;
    syswrite $c, join '', map { chr int rand 256 } 1 .. 200;
}
END
start_daemon worker.count=1
chmod 666 "$daemon_socket"
chmod 777 "$daemon_dir/run"
member perl "$daemon_dir/clients.pl" "$daemon_socket" "$folder/ready" &
clients=$!
at_exit "kill $clients 2>/dev/null"
ok 'bad clients are there' wait_for 10 test -e "$folder/ready"
answered=0
for _ in $(seq 50); do
    ! timeout 5 "$build/pgcrew" --socket "$daemon_socket" ping >/dev/null 2>&1 || answered=$((answered + 1))
done
is "$answered" 50 'root is answered 50 times while they are'
ok 'they were there all the time' kill -0 "$clients"
id=$(enqueue other)
ok 'jobs run' wait_for 20 job_is "$id" succeeded
kill "$clients"
wait "$clients" 2>/dev/null
ok 'when they are gone others are answered, too' wait_for 20 ping_of member
not_ok 'nobody has died of it' logged 'killed by signal|did not answer'
stop_daemon
is "$daemon_status" 0 'the daemon ends as ever'
done_testing
