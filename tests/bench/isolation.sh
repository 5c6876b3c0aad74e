#!/usr/bin/env bash
# Figures of isolation, with a real daemon:
#   PGCREW_BUILD=DIR tests/bench/isolation.sh [jobs]
# Jobs that double-fork, leave their session and ignore TERM are cancelled: how many
# processes survive?  Then hogs of memory among 15 good neighbours: how many are harmed?
# Each once without control groups and, for root on a host with version 2, once with a group
# of the daemon's own, where the kernel may have cgroup.kill only.
. "$(dirname "$0")/../lib/setup.sh"
jobs=${1:-1000}
pg_start && migrate || bail 'no database'
daemon_setup
DAEMON="setsid sh -c 'trap \"\" TERM; setsid sleep 98765 & setsid sleep 98765 & sleep 98765' & sleep 98765"
handlers "  daemon:
    exec:
      - /bin/sh
      - -c
      - \"${DAEMON//\"/\\\"}\"
    processes: 100
  hog: {exec: [/usr/bin/perl, -e, '\$x = \"x\" x 600_000_000; print 1'], memory: 128MiB}
  good: {exec: [/bin/sh, -c, 'sleep 0.5; echo 1'], memory: 128MiB}"

# A group that is ours, as the service manager would make it.
group=
make_group() {
    local top
    for top in /sys/fs/cgroup/unified /sys/fs/cgroup; do
        [ -e "$top/cgroup.controllers" ] || continue
        mkdir "$top/pgcrew-bench-$$" 2>/dev/null && group=$top/pgcrew-bench-$$ &&
            setfattr -n user.delegate -v 1 "$group" 2>/dev/null && return
        python3 -c "import os; os.setxattr('$group', 'user.delegate', b'1')" 2>/dev/null && return
    done
    return 1
}
remove_group() { [ -z "$group" ] || find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null; }
at_exit remove_group

run_daemon() {
    if [ -n "$group" ]; then
        sh -c 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"' - "$group" "$build/pgcrewd" -c "$daemon_config" \
            </dev/null >>"$daemon_out" 2>&1 &
    else
        "$build/pgcrewd" -c "$daemon_config" </dev/null >>"$daemon_out" 2>&1 &
    fi
    daemon_pid=$!
}

survivors() { pgrep -cf 'sleep 98765'; }
running() { [ "$(sql "select count(*) from jobs where kind = 'daemon' and status = 'running'")" -ge "$1" ]; }
ended() { [ "$(sql "select count(*) from jobs where status in ('queued', 'running')")" = 0 ]; }

cancel_daemons() {
    local done=0 share=25
    while [ "$done" -lt "$jobs" ]; do
        sql "select pgcrew.enqueue('daemon', '{}') from generate_series(1, $share)" >/dev/null
        wait_for 60 running "$share"
        sql "select pgcrew.cancel_jobs(array(select id from jobs where status in ('queued', 'running')))" >/dev/null
        wait_for 60 ended || echo '# not all of them ended'
        echo "$(survivors)"
        done=$((done + share))
    done | awk -v jobs="$jobs" -v how="$1" '{ sum += $1 } END { printf "%-52s %6d of %d jobs\n", "survivors of cancelled daemons, " how, sum, jobs }'
}

hogs() {
    local n
    for n in 1 2 3 4 5; do
        sql "select pgcrew.enqueue('good', '{}', max_attempts => 1) from generate_series(1, 8)" >/dev/null
        sql "select pgcrew.enqueue('hog', '{}', max_attempts => 1)" >/dev/null
        sql "select pgcrew.enqueue('good', '{}', max_attempts => 1) from generate_series(1, 7)" >/dev/null
        wait_for 60 ended
    done
    sql "select count(*) filter (where kind = 'good' and (status <> 'succeeded' or attempts <> 1)),
                count(*) filter (where kind = 'good'), count(*) filter (where kind = 'hog' and status = 'failed')
           from jobs where kind <> 'daemon'" |
        awk -F '|' -v how="$1" '{ printf "%-52s %6d of %d neighbours of %d hogs that failed\n", "harmed by hogs of memory, " how, $1, $2, $3 }'
    sql "delete from jobs where kind <> 'daemon'"
}

measure() {
    start_daemon worker.count=2 worker.slots=25 worker.kill_grace=100ms retry.first=1h retry.max=1h
    echo "# $(grep -o 'limits of handlers.*\|no control groups.*' "$daemon_out" | tail -n 1)"
    cancel_daemons "$1"
    hogs "$1"
    stop_daemon
}

measure 'guard alone'
if [ "$(id -u)" -eq 0 ] && make_group; then
    measure 'group and guard'
fi
