# A program that does nothing for each job, against a bare loop that starts and awaits it.
# shellcheck shell=bash
bench_exec() {
    local program=$build/tests/bench/true_static slots limit
    handlers "  nothing: {exec: [$program]}"
    for slots in 1 4; do
        limit=$(forks fork "$slots")
        sample "exec: limit, fork, exec, wait, 4 x $slots" "$limit" runs/s
        [ "$slots" -ne 1 ] || sample 'exec: the same by posix_spawn, 4 x 1' "$(forks spawn 1)" runs/s
        fresh
        start_daemon worker.count=4 worker.slots="$slots"
        fill nothing 4000
        wait_ended
        stop_daemon
        sample "exec: static program, 4 workers x $slots slots" "$(rate)" jobs/s "$limit"
    done
}

forks() {
    "$build/tests/bench/forks" 4000 4 "$2" "$1" "$program"
}
