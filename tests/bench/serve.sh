# Jobs that do nothing given to long-lived programs, in C and in Python, 4 workers; and what
# a pool of such programs can do without a database.
# shellcheck shell=bash
bench_serve() {
    local limit c=$build/tests/unit/serve_program python
    python="/usr/bin/env, PYTHONPATH=$repo/contrib/handlers/python, PYTHONDONTWRITEBYTECODE=1, /usr/bin/python3, $top/python_nothing.py"
    bare 100000
    limit=$(loop take 500 4)
    sample 'serve: limit, delete 500 a commit' "$limit" rows/s
    sample 'serve: C, one pool without a database' "$(pool_rate "$c" in_flight=16)" jobs/s
    serve_rate C "[$c, in_flight=16]" 50000 "$limit"
    /usr/bin/python3 -c 'import msgpack' 2>/dev/null || { echo '# serve: no python3-msgpack here' >&2; return 0; }
    serve_rate Python "[$python]" 20000 "$limit"
}

# serve_rate LANGUAGE PROGRAM JOBS LIMIT
serve_rate() {
    handlers "  nothing: {serve: $2, in_flight: 16, slots: 16}"
    fresh
    start_daemon worker.count=4
    fill nothing "$3" '"nothing"'
    wait_ended
    stop_daemon
    sample "serve: $1, 4 workers" "$(rate)" jobs/s "$4"
}

pool_rate() {
    "$build/tests/bench/serve_rate" 50000 16 1 16 "$@" 2>/dev/null | sed -n 's/^.* s, \([0-9]*\) jobs\/s.*$/\1/p'
}
