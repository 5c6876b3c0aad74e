#!/usr/bin/env bash
# The network between daemon and database is cut and nobody is told; then a firewall has
# forgotten their connections.  The daemon has a network of its own, and a cable to ours.
set -u
if [ "${1:-}" != inside ]; then
    . "$(dirname "$0")/../lib/tap.sh"
    [ "$(id -u)" -eq 0 ] || skip_all 'only root can cut a network'
    for tool in ip iptables unshare nsenter; do
        command -v "$tool" >/dev/null || skip_all "not installed: $tool"
    done
    unshare --net iptables -L >/dev/null 2>&1 || skip_all 'this host allows no network namespaces'
    # With its first process all of it is gone, however that ends.
    exec unshare --fork --kill-child=TERM --pid --mount-proc --net "$0" inside
fi

# shellcheck source=tests/lib/setup.sh
. "$(dirname "$0")/../lib/setup.sh"
PG_CONF="listen_addresses = '*'"
pg_start && migrate || bail 'no database'
echo 'host all all 10.231.0.0/30 trust' >>"$pg_dir/data/pg_hba.conf"
sql 'select pg_reload_conf()' >/dev/null

ip link set lo up
unshare --net sleep 1000 &
there=$!
is_apart() { [ "$(readlink /proc/$there/ns/net)" != "$(readlink /proc/self/ns/net)" ]; }
wait_for 10 is_apart || bail 'no second network'
over_there() { nsenter --net=/proc/$there/ns/net -- "$@"; }
ip link add cable0 type veth peer name cable1 netns $there
ip address add 10.231.0.1/30 dev cable0
ip link set cable0 up
over_there ip address add 10.231.0.2/30 dev cable1
over_there ip link set cable1 up

run_daemon() {
    nsenter --net=/proc/$there/ns/net -- "$build/pgcrewd" -c "$daemon_config" </dev/null >>"$daemon_out" 2>&1 &
    daemon_pid=$!
}
on_arrival() {
    iptables -A INPUT -i cable0 "$@"
    over_there iptables -A INPUT -i cable1 "$@"
}
heal() {
    iptables -F
    over_there iptables -F
}

daemon_setup
handlers "  quick: {exec: [/bin/true]}
  slow: {exec: [/bin/sh, -c, 'echo \$\$ >$daemon_dir/new; mv $daemon_dir/new $daemon_dir/pid; exec sleep 100'], slots: 1}"
daemon_url="host=10.231.0.1 port=$PGPORT dbname=postgres user=pgcrew_worker sslmode=disable"
start_daemon worker.count=1 queue.lease=10s queue.poll_interval=500ms database.connect_timeout=2s
slow=$(enqueue slow)
wait_for 10 test -s "$daemon_dir/pid" || bail 'the handler did not start'
handler=$(cat "$daemon_dir/pid")
handler_has_gone() { ! kill -0 "$handler"; }

on_arrival -j DROP
ok 'with the network cut, the handler is killed'    wait_for 60 handler_has_gone
is "$(sql 'select count(*) from pgcrew.workers where seen_at + lease > clock_timestamp()')" 1 \
    'before the lease of its worker is over: nobody else can have begun'
ok 'a connection that is half open is given up'     wait_for 60 logged 'no database'
heal
id=$(enqueue quick)
ok 'healed: it works again'                         wait_for 30 job_is "$id" succeeded
rm -f "$daemon_dir/pid"
sql "select pgcrew.cancel_jobs('{$slow}')" >/dev/null

: >"$daemon_out"
on_arrival -p tcp -j REJECT --reject-with tcp-reset
ok 'a reset is noticed'                             wait_for 30 logged 'no database'
heal
id=$(enqueue quick)
ok 'and it works again'                             wait_for 30 job_is "$id" succeeded
stop_daemon
done_testing
