# Rounds of 50,000 jobs while another session holds an old snapshot, so that nothing that
# was deleted can be cleaned up: the last against the first.
# shellcheck shell=bash
bench_pinned() {
    local n first
    handlers "  nothing: {module: $module}"
    fresh
    start_daemon worker.count=4
    coproc pin { psql -XAtq; }
    echo "begin isolation level repeatable read; select 'held';" >&"${pin[1]}"
    read -r _ <&"${pin[0]}"
    for n in 1 2 3 4 5 6 7 8 9 10; do
        fill nothing 50000
        wait_ended
        case $n in
            1) first=$(rate_of_last 50000) ;;
            10) sample 'pinned: round 1' "$first" jobs/s
                sample 'pinned: round 10' "$(rate_of_last 50000)" jobs/s "$first" ;;
        esac
    done
    echo 'commit; \q' >&"${pin[1]}"
    wait "$pin_PID" 2>/dev/null
    stop_daemon
}
