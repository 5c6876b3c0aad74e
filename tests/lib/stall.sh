# Stalls, and what systemd hears of them.  Needs setup.sh.
#
#   impatient               options that make a stall one after a second
#   claims_nothing WHERE    claim() as it was, but with nothing to give where WHERE (SQL) holds
#   claims_again            as it was
#   n_logged REGEX          in how many lines
#   n_stalls                how often a stall began, by the log
#   stalls_again N          more often than N?
#   wait_looks N            until the janitor has looked so often for a stall; PG_CONF must
#                           have track_functions = pl
#   all_idle                has the database all workers as idle?
#   pgcrew ARGS, asked COMMAND EXPR    the tool, and what jq finds in its answer
#   is_content              ping says that all is well
#   listen_as_systemd, start_watched ARGS    a daemon with a watchdog of 400 ms
#   notified REGEX          has systemd heard this?
#   n_fed, fed_again N      how often the watchdog was fed
#
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # variables for and of the tests

impatient=(queue.poll_interval=100ms queue.stall_after=1s)

claims_nothing() { # [WHERE]: claim() as it was, but with nothing to give where WHERE holds
    sql "alter function pgcrew.claim(bigint, bigint[], bigint[], text[], int, text[], boolean) rename to real_claim;
         create function pgcrew.claim(p_holder bigint, p_first bigint[], p_last bigint[], p_kinds text[], p_want int,
           p_without text[] default null, p_stay_idle boolean default false)
         returns table (token bigint, job_id bigint, queue text, priority smallint, kind text, payload text, attempt int,
                        max_attempts int, batch_id uuid, user_id uuid, tempfails int, waited_us bigint)
         language plpgsql security definer set search_path = '' as \$f\$
         begin
           if $1 then return; end if;
           return query select * from pgcrew.real_claim(p_holder, p_first, p_last, p_kinds, p_want, p_without, p_stay_idle);
         end \$f\$"
}
claims_again() {
    sql 'drop function pgcrew.claim(bigint, bigint[], bigint[], text[], int, text[], boolean);
         alter function pgcrew.real_claim(bigint, bigint[], bigint[], text[], int, text[], boolean) rename to claim'
}

pgcrew() { "$build/pgcrew" --socket "$daemon_socket" --config "$daemon_config" "$@"; }
asked() { pgcrew "$1" --json | jq -r "$2"; }
is_content() { pgcrew ping >/dev/null; }
n_logged() { grep -Ec -- "$1" "$daemon_out"; }
n_stalls() { n_logged 'STALLED: workers are idle'; }
stalls_again() { [ "$(n_stalls)" -gt "$1" ]; }
all_idle() { [ "$(sql 'select bool_and(idle) from pgcrew.workers')" = t ]; }

stall_looks() { sql "select coalesce(sum(calls), 0) from pg_stat_user_functions where funcname = 'stalled'"; }
has_looked() { [ "$(stall_looks)" -ge "$1" ]; }
wait_looks() { wait_for 120 has_looked $(($(stall_looks) + $1)) || bail 'the janitor does not look'; }

listen_as_systemd() {
    socat -u "UNIX-RECV:$daemon_dir/notify,mode=0600" - >"$daemon_dir/notified" 2>/dev/null &
    at_exit "kill $! 2>/dev/null"
    wait_for 5 test -S "$daemon_dir/notify" || bail 'nobody listens'
}
start_watched() {
    export NOTIFY_SOCKET=$daemon_dir/notify WATCHDOG_USEC=400000
    start_daemon "$@"
    unset NOTIFY_SOCKET WATCHDOG_USEC
}
notified() { grep -aq -- "$1" "$daemon_dir/notified"; }
n_fed() { grep -ao 'WATCHDOG=1' "$daemon_dir/notified" | wc -l; }
fed_again() { [ "$(n_fed)" -gt "$1" ]; }
