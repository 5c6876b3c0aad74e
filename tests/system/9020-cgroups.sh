#!/usr/bin/env bash
# Limits by control groups: the installed package, its hardened unit with Delegate=yes, a
# real systemd and a kernel with the controllers memory, pids and cpu.
# timeout: 420
set -u
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/uml.sh"

build=${PGCREW_BUILD:?PGCREW_BUILD must name the build folder}
dir=$(mktemp -d) || exit 1
trap 'rm -rf --one-file-system "$dir"' EXIT
trap 'exit 143' INT TERM

why_not=$(uml_why_not)
[ -z "$why_not" ] || skip_all "$why_not"

# --- the machine --------------------------------------------------------------------

make_package
mapfile -t depends < <(dpkg-deb -f "$deb" Depends | tr ',' '\n' | sed 's/|.*//; s/(.*//; s/ //g')
nspawn_fetch postgresql "${depends[@]}" || skip_all 'mmdebstrap cannot make a machine: is the Debian archive away?'
root=$dir/root
uml_unpack "$root" || bail 'the machine cannot be unpacked'
cp "$deb" "$root/root/pgcrew.deb"
chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
    dpkg -i /root/pgcrew.deb >"$dir/install.log" 2>&1 || {
    cat "$dir/install.log"
    bail 'the package does not install'
}
# Both need the tmpfs that the script mounts.
rm -f "$root"/etc/systemd/system/multi-user.target.wants/{postgresql,pgcrew}.service
cp "$(dirname "$0")/../../conf/systemd/strict.conf" "$root/root/strict.conf"

cat >"$root/etc/pgcrew/pgcrew.yaml" <<'END'
database:
  url: dbname=app
worker:
  count: 2
  slots: 8
  kill_grace: 500ms
handler:
  keep_attempts: all
handlers:
  hog:
    exec: [/usr/bin/perl, -e, '$x = "x" x 300_000_000; print 1']
    memory: 64MiB
  bomb:
    exec: [/bin/sh, -c, 'i=0; while [ $i -lt 1000 ]; do i=$((i + 1)); sleep 1000 & done; wait']
    processes: 20
  spin:
    exec:
      - /bin/sh
      - -c
      - 'group=/sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup); cat $group/cpu.max;
         timeout 1 sh -c "while :; do :; done"; sed -n "s/nr_throttled \(.*\)/\1/p" $group/cpu.stat'
    cpu: 20
  fill:
    exec: [/bin/sh, -c, 'i=0; while :; do i=$((i + 1)); head -c 1000000 /dev/zero >f$i; sleep 0.05; done']
    tmp_size: 8MiB
  daemon:
    exec: [/bin/sh, -c, 'setsid sh -c "trap \"\" TERM; setsid sleep 54321 & sleep 54321" & sleep 54321']
    processes: 100
  peep:
    exec:
      - /bin/sh
      - -c
      - 'for p in $PPID $(cut -d" " -f4 /proc/$PPID/stat); do for f in environ maps; do
           head -c 1 /proc/$p/$f >/dev/null && echo saw $f; done; done; echo nothing more'
  offline:
    exec: [/usr/bin/perl, -e, 'use Socket; print socket(my $s, AF_INET, SOCK_STREAM, 0) ? "open" : "shut"']
    network: no
  other:
    exec: [/bin/sh, -c, 'id -un; stat -c %U .; touch f; grep Cap[PEA] /proc/self/status | grep -c 0000000000000000;
      setsid sleep 54321 & kill $PPID || echo refused']
    user: nobody
    processes: 20
  own:
    exec: [/bin/sh, -c, 'grep Cap[PEA] /proc/self/status | grep -c 0000000000000000']
  good:
    exec: [/bin/sh, -c, 'sleep 1; echo 1']
    memory: 64MiB
    processes: 20
    cpu: 100
END

# --- what happens in it -----------------------------------------------------------------

cat >"$dir/script" <<'END'
say() { echo "$1=$(eval "$2" 2>&1 | tr '\n' ' ' | sed 's/ *$//')"; }
sql() { runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 app -c "$1" </dev/null; }
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.2
    done
}
enqueue() { sql "select pgcrew.enqueue('$1', '{}', max_attempts => 1)"; }
has_ended() { [ "$(sql "select count(*) from jobs where status in ('queued', 'running')")" = 0 ]; }
runs() { [ "$(sql "select status from jobs where id = $1")" = running ]; }
holds() { [ "$(sql 'select count(*) from pgcrew.workers where seen_at + lease > now()')" = 2 ]; }
how() { sql "select cause || ': ' || coalesce(error, '') from pgcrew.attempts where job_id = $1"; }
unit() { systemctl show -P "$1" pgcrew.service; }
groups() { find "/sys/fs/cgroup$(unit ControlGroup)" -mindepth 1 -type d -printf '%f '; }

mkdir -p /var/lib/pgcrew
for folder in /var/lib/postgresql /var/lib/pgcrew /tmp /var/tmp; do mount -t tmpfs tmpfs $folder; done
chmod 1777 /tmp /var/tmp
chown postgres: /var/lib/postgresql
bin=$(echo /usr/lib/postgresql/*/bin)
runuser -u postgres -- $bin/initdb -A trust -N -E UTF8 --no-locale -D /var/lib/postgresql/data >/dev/null </dev/null
runuser -u postgres -- $bin/pg_ctl -w -D /var/lib/postgresql/data -l /var/lib/postgresql/log \
    -o '-c fsync=off -c unix_socket_directories=/run/postgresql -c listen_addresses=' start >/dev/null </dev/null
runuser -u postgres -- createdb app </dev/null
runuser -u postgres -- pgcrew --database dbname=app migrate >/dev/null </dev/null
sql 'create role pgcrew login in role pgcrew_worker'

say start 'systemctl start pgcrew && wait_for 60 holds && unit ActiveState'
say enforced 'pgcrew --json ping | tr "," "\n" | tr -d "{}\"" | grep -A 3 control_groups | tr "\n" ","'
say leaf "groups"

hog=$(enqueue hog) bomb=$(enqueue bomb) fill=$(enqueue fill)
sql "select pgcrew.enqueue('good', '{}', max_attempts => 1) from generate_series(1, 15)" >/dev/null
wait_for 60 has_ended
say hog "how $hog"
say peak "sql 'select max_rss_bytes between 60000000 and 67108864 from pgcrew.attempts where job_id = $hog'"
say bomb "how $bomb"
say fill "how $fill"
say good "sql \"select count(*) from jobs where kind = 'good' and status = 'succeeded' and attempts = 1\""
say unit 'unit ActiveState; unit NRestarts'

spin=$(enqueue spin) peep=$(enqueue peep) offline=$(enqueue offline)
wait_for 60 has_ended
say spin "sql \"select result #>> '{}' from jobs where id = $spin\""
say used "sql 'select coalesce(user_ms, 0) + coalesce(system_ms, 0) > 0 from pgcrew.attempts where job_id = $spin'"
say peep "sql \"select result #>> '{}' from jobs where id = $peep\""
say offline "sql \"select result #>> '{}' from jobs where id = $offline\""

daemon=$(enqueue daemon)
wait_for 30 runs $daemon
wait_for 10 pgrep -f 'sleep 54321'
sql "select pgcrew.cancel_jobs(array[$daemon])" >/dev/null
wait_for 30 has_ended
say cancelled "sql 'select status from jobs where id = $daemon'"
say survivors "pgrep -c -f 'sleep 54321'"
say after "groups"
say folders "find /tmp -path '*pgcrewd-*/pgcrew-*/*' | wc -l"

# As README.Debian says for handlers with users of their own.
mkdir -p /etc/systemd/system/pgcrew.service.d
zcat -f /usr/share/doc/pgcrew/README.Debian* | sed -n '/PrivateUsers=no/,/^$/p' | sed '1i [Service]' \
    >/etc/systemd/system/pgcrew.service.d/users.conf
systemctl daemon-reload
say users 'systemctl restart pgcrew && wait_for 60 holds && runuser -u pgcrew -- pgcrewd --check 2>&1 | grep -c "may not switch users"'
other=$(enqueue other) own=$(enqueue own)
wait_for 60 has_ended
say other "sql \"select result #>> '{}' from jobs where id = $other\""
say own "sql \"select result #>> '{}' from jobs where id = $own\""
say other_left "pgrep -c -f 'sleep 54321'; find /tmp -path '*pgcrewd-*/pgcrew-*/*' | wc -l"
rm /etc/systemd/system/pgcrew.service.d/users.conf

install -D -m 644 /root/strict.conf /etc/systemd/system/pgcrew.service.d/strict.conf
systemctl daemon-reload
say strict 'systemctl restart pgcrew && wait_for 60 holds && unit ActiveState'
say strict_enforced 'pgcrew --json ping | tr "," "\n" | tr -d "{}\"" | grep control_groups'
hog=$(enqueue hog) bomb=$(enqueue bomb)
wait_for 60 has_ended
say strict_hog "sql 'select cause from pgcrew.attempts where job_id = $hog'"
say strict_bomb "how $bomb"
say security 'systemd-analyze security pgcrew.service | tail -n 1 | grep -o "[0-9.]* [A-Z]*"'
END
if [ -n "${UML_KEEP:-}" ]; then
    echo 'journalctl -u pgcrew --no-pager -o cat' >>"$dir/script"
fi
uml_run "$root" 1024 <"$dir/script" >"$dir/out"
[ -z "${UML_KEEP:-}" ] || cp "$dir/out" "$UML_KEEP"
grep -q . "$dir/out" || { sed 's/^/# /' "$root/uml-stderr"; bail 'the machine does not boot'; }

said() { sed -n "s/^$1=//p" "$dir/out"; }

# --- what it was to be --------------------------------------------------------------------

is "$(said start)" active 'the hardened unit starts'
like "$(said enforced)" 'memory.*pids.*cpu.*kill' 'and may set limits for memory, processes and CPU'
is "$(said leaf)" pgcrewd 'the daemon is in a group of its own below that of the unit'
is "$(said hog)" 'oom: was killed for its memory: reached 64 MiB' 'one that takes too much memory is killed, and told why'
is "$(said peak)" t 'its peak is known'
is "$(said bomb)" 'limit: wanted more than 20 processes' 'a fork bomb gets no more processes'
is "$(said fill)" 'limit: its temporary folder holds more than 8 MiB' 'one that fills its folder is stopped'
is "$(said good)" 15 'their 15 neighbours end at the first attempt'
is "$(said unit)" 'active 0' 'and systemd sees no failure'
like "$(said spin)" '^20000 100000 [1-9]' 'cpu is a quota that holds one back'
is "$(said used)" t 'its CPU time is known'
is "$(said peep)" 'nothing more' 'a program finds no secrets in guard and worker'
is "$(said offline)" shut 'network: no works in the sandbox'
is "$(said cancelled)" cancelled 'a job that became a daemon twice over is cancelled'
is "$(said survivors)" 0 'nothing of it lives'
is "$(said after)" pgcrewd 'no group is left behind'
is "$(said folders)" 0 'and no file'
is "$(said users)" 1 'with what README.Debian says for other users the unit starts; a shell without it is told'
is "$(said other)" 'nobody nobody 3 refused' 'a program runs as another user, without capabilities, and cannot end its guard'
is "$(said own)" 3 'nor has one of our own user any'
is "$(said other_left)" '0 0' 'nothing of it is left'
is "$(said strict)" active 'the unit starts with strict.conf'
like "$(said strict_enforced)" 'none' 'which takes the control groups away'
is "$(said strict_hog)" failed 'then an allocation fails'
is "$(said strict_bomb)" 'limit: wanted more than 20 processes' 'and the guard ends a fork bomb'
[ "$tap_failed" -eq 0 ] || sed 's/^/# /' "$dir/out"
done_testing
