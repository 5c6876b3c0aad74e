#!/usr/bin/env bash
# Several hosts in the URL, the first of which says nothing: the next one is tried.
. "$(dirname "$0")/../lib/setup.sh"
command -v python3 >/dev/null || skip_all 'python3 is not installed'
PG_TCP_PORT=$(free_port)
pg_start && migrate || bail 'no database'
daemon_setup
handlers '  quick: {exec: [/bin/true]}'

# A port that takes no connection, as when the network is cut, and one that takes them and
# never says a word, as a server that is stopped.
python3 - "$daemon_dir/ports" 3<&- <<'END' &
import os, socket, sys, time
full, silent = socket.socket(), socket.socket()
waiting = []
for listener, backlog in ((full, 0), (silent, 64)):
    listener.bind(("127.0.0.1", 0))
    listener.listen(backlog)
for _ in range(4):
    waiting.append(socket.socket())
    waiting[-1].setblocking(False)
    waiting[-1].connect_ex(full.getsockname())
with open(sys.argv[1] + ".new", "w") as file:
    print(full.getsockname()[1], silent.getsockname()[1], file=file)
os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(200)
END
at_exit "kill $! 2>/dev/null"
wait_for 10 test -s "$daemon_dir/ports" || bail 'no silent ports'
read -r full silent <"$daemon_dir/ports"

begin_with() {
    : >"$daemon_out"
    daemon_url="host=127.0.0.1,127.0.0.1 port=$1,$PG_TCP_PORT dbname=postgres user=pgcrew_worker sslmode=disable"
    start_daemon_anyway worker.count=1 database.connect_timeout=1s
}

sql 'alter role pgcrew_worker login'
for first in full silent; do
    begin_with "${!first}"
    id=$(enqueue quick)
    ok "the first host is $first: the job is run by way of the second" wait_for 20 job_is "$id" succeeded
    stop_daemon
done
done_testing
