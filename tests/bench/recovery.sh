# A worker is killed while it runs a job: until the job can be claimed again.
# shellcheck shell=bash
bench_recovery() {
    local id start
    handlers "  slow: {exec: [/bin/sleep, '60']}"
    fresh
    start_daemon worker.count=4
    id=$(enqueue slow)
    wait_for 20 is_claimed "$id" || bail 'the job is not claimed'
    wait_for 5 job_is "$id" running || bail 'the job does not run'
    start=$(date +%s.%N)
    kill -9 "$(worker_pid_of "$id")"
    wait_for 20 has_died "$id" || bail 'nobody noticed the death'
    sample 'recovery: worker killed to job claimable' \
        "$(sql "select (extract(epoch from finished_at) - $start) * 1000 from pgcrew.attempts where job_id = $id" | round 1)" ms
    sql "select pgcrew.cancel_jobs(array[$id])" >/dev/null
    wait_for 20 job_is "$id" cancelled
    stop_daemon
}

# By the clock of the database: this is the same machine.
has_died() {
    [ "$(sql "select count(*) from pgcrew.attempts where job_id = $1 and cause = 'worker_died'")" = 1 ]
}
