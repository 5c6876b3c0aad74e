#!/usr/bin/env bash
# Programs that are broken, or behave so badly that it must be on purpose: the job says
# what is wrong, the worker is none the worse, and nothing is left of them.
. "$(dirname "$0")/../lib/setup.sh"
pg_start && migrate || bail 'no database'
daemon_setup

# program NAME LINE...: an executable file
bin=$daemon_dir/bin
mkdir "$bin"
program() {
    local name=$1
    shift
    printf '%s\n' "$@" >"$bin/$name.new"
    chmod 755 "$bin/$name.new"
    mv "$bin/$name.new" "$bin/$name"
}
for name in gone locked lost plain folder; do
    program $name '#!/bin/sh' 'echo mended'
done
program deaf '#!/bin/sh' 'exit 0'
program flood '#!/bin/sh' 'head -c 1000000000 /dev/zero | tr "\0" x'
program noise '#!/bin/sh' 'head -c 1000000000 /dev/zero | tr "\0" "\n" >&2'
program shorts '#!/bin/sh' 'yes x | head -c 1000000000 >&2; echo "the last words" >&2; printf "\n \n" >&2; exit 65'
program both '#!/bin/sh' 'yes "a line of the result" | head -c 500000000 &' 'yes "a line of the log" | head -c 500000000 >&2' 'wait'
program oneline '#!/bin/sh' 'head -c 1000000000 /dev/zero >&2'
program garbage '#!/bin/sh' 'head -c 20000000 /dev/urandom >&3' 'yes "50 percent" | head -c 20000000 >&3' 'echo done'
program daemonise '#!/bin/sh' \
    '( setsid sh -c "exec 0<&- 1>&- 2>&- 3>&-; trap : TERM HUP; cd /; setsid sleep 3031 & setsid sleep 3032 & while :; do sleep 3033; done" & ) &' \
    'echo started'
program stubborn '#!/bin/sh' 'trap "" TERM INT HUP QUIT' 'while :; do sleep 3034; done'
program closes '#!/bin/sh' 'exec 0<&- 1>&- 2>&- 3>&-' 'sleep 0.3'
program good '#!/bin/sh' 'exit 0'
yaml=''
for name in gone locked lost plain folder deaf flood noise shorts both oneline garbage daemonise closes good; do
    yaml+="  $name: {exec: $bin/$name, retry_first: 100ms, retry_max: 200ms}"$'\n'
done
handlers "$yaml  stubborn: {exec: $bin/stubborn, timeout: 500ms, retry_first: 1h, retry_max: 1h}"
start_daemon worker.count=2 worker.kill_grace=300ms queue.poll_interval=300ms limits.payload=64MiB

workers=$(worker_pids | sort)
noted() { [ "$(sql "select count(*) from pgcrew.attempts where job_id = $id and cause = '$1'")" -ge "$2" ]; }
# No process of the machine has this in its command line.
no_process() { ! pgrep -f "$1" >/dev/null; }
# The most memory that one of the workers had at once, in MiB.
peak() {
    local pid
    for pid in $workers; do
        awk '/^VmHWM/ { print int($2 / 1024) }' "/proc/$pid/status"
    done | sort -n | tail -n 1
}

# --- what cannot be started ---------------------------------------------------------------

# is_broken KIND WORDS WHAT: its job waits, uncharged, and says why; once mended it is done.
is_broken() {
    id=$(enqueue "$1")
    ok   "$3: it is tried again and again"          wait_for 15 noted no_start 3
    is "$(job "$id" 'status, attempts')" 'queued|0' "$3: nothing is charged"
    like "$(sql "select error from pgcrew.attempts where job_id = $id order by id desc limit 1")" "$2" "$3: the reason is said"
    rm -rf "${bin:?}/$1"
    program "$1" '#!/bin/sh' 'echo mended'
    ok   "$3: once it is mended the job is done"    wait_for 15 job_is "$id" succeeded
    is "$(job "$id" 'attempts, result')" '1|"mended"' "$3: at the first attempt that counts"
}
rm "$bin/gone"
is_broken gone "program .$bin/gone. was not found" 'a program that was deleted'
chmod 644 "$bin/locked"
is_broken locked "program .$bin/locked. is not executable" 'a program that may not be executed'
program lost '#!/no/such/interpreter' 'echo'
is_broken lost "the interpreter of program .$bin/lost. was not found" 'a script for an interpreter that is not there'
program plain 'echo I am no script'
is_broken plain 'neither a binary nor a script with a #! line' 'a script without #!'
rm "$bin/folder"
mkdir "$bin/folder"
is_broken folder "^program .$bin/folder. is not executable" 'a folder'

# --- what talks too much ----------------------------------------------------------------------------

fat=$(peak)
# floods KIND WHAT: soon done, in the memory that the workers have anyway
floods() {
    local begin=$EPOCHREALTIME
    id=$(enqueue "$1")
    ok "$2"                                         wait_for 60 job_is "$id" "${id_ends:-succeeded}"
    echo "# $1: $(awk "BEGIN { print $EPOCHREALTIME - $begin }") s"
    echo "# the workers' peak: $(peak) MiB, before: $fat MiB"
    ok "$2: the worker does not grow"               test "$(peak)" -le $((fat + 8))
}
floods flood '1 GB on stdout'
is "$(job "$id" "result ->> 'bytes', result ->> 'pgcrew_truncated'")" '1000000000|true' 'the result says how much it was'
floods noise '1 GB of empty lines on stderr'
id_ends=failed floods shorts '1 GB of short lines on stderr'
is "$(job "$id" error)" 'exited with status 65: the last words' 'the last that says something is found'
floods oneline '1 GB on stderr without a line end'
floods both '500 MB on each of them at once'
ok 'the log stays small'                            test "$(stat -c %s "$daemon_out")" -lt 8000000
id=$(enqueue garbage)
ok '40 MB of garbage and of progress on fd 3'       wait_for 60 job_is "$id" succeeded
is "$(job "$id" result)" '"done"'                   'the result is there'

# --- what will not listen ---------------------------------------------------------------------

id=$(sql "select pgcrew.enqueue('deaf', to_jsonb(repeat('x', 50 * 1024 * 1024)))")
ok 'a program that reads nothing of 50 MiB'         wait_for 30 job_is "$id" succeeded

# --- what will not go -----------------------------------------------------------------------------------

id=$(enqueue daemonise)
ok 'a program that makes daemons of itself'         wait_for 10 job_is "$id" succeeded
ok 'none of them is left'                           wait_for 5 no_process 'sleep 303[123]'
id=$(enqueue stubborn)
ok 'a program that does not hear TERM'              wait_for 15 noted timeout 1
ok 'is gone, too'                                   no_process 'sleep 3034'
is "$(job "$id" 'status, attempts')" 'queued|1'     'it is charged'
sql "select pgcrew.cancel_jobs('{$id}')" >/dev/null
id=$(enqueue closes)
ok 'a program that closes all its descriptors'      wait_for 10 job_is "$id" succeeded
is "$(job "$id" 'attempts, result')" '1|'           'has no result, and no more than that'

# --- and after all that -----------------------------------------------------------------------------------

id=$(enqueue good)
ok 'a good job runs'                                wait_for 10 job_is "$id" succeeded
is "$(worker_pids | sort)" "$workers"               'the workers are the same'
is "$(for pid in $workers; do processes_below "$pid"; done)" '' 'nothing runs below them'
not_ok 'nobody complained of what cannot be'        logged 'error: '
stop_daemon
is "$daemon_status" 0                               'the daemon ends as ever'
done_testing
