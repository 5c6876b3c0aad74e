#!/usr/bin/env bash
# The gateway's login: what it may do more than it should, or less, is said by its log and by
# pgcrew doctor, which also says what else is wrong with a gateway.
# timeout: 120
. "$(dirname "$0")/../lib/setup.sh"
. "$(dirname "$0")/../lib/front.sh"
pg_start && migrate || bail 'no database'
daemon_setup
socket=$daemon_dir/gateway.sock
mapfile -t options < <(gateway_options "$socket")
doctor() { "$build/pgcrew" --config "$daemon_config" --socket "$daemon_socket" --json doctor 2>/dev/null |
    jq -r --arg check "${1:-gateway}" '.checks[] | select(.check == $check) | "\(.level): \(.finding) -> \(.fix)"'; }
is_up() { [ "$(status_of "$socket:/readyz")" = 200 ]; }

start_daemon "${options[@]}"
ok 'a gateway' wait_for 10 is_up
is "$(doctor)" "ok: 1 keys to verify tokens with -> null
ok: its login pgcrew_gateway may act for users, and nothing else -> null
ok: the daemon's gateway: idle -> null" 'there is nothing wrong with it'
not_ok 'and nothing is said' logged "gateway's login"

# --- logins that may do too much, or not enough --------------------------------------------------------

sql 'create role powerful login superuser; create role unseen login noinherit bypassrls in role authenticated;
     create role worker_too login noinherit in role authenticated, pgcrew_worker;
     create role heir login inherit in role authenticated; create role poor login noinherit;
     create role maker login noinherit createrole in role authenticated; create role owner_too login noinherit in role authenticated'
says() { # ROLE REGEX 'what'
    write_config "${options[@]:0:2}" worker.count=1 "gateway.database_url=host=$PGHOST port=$PGPORT dbname=$PGDATABASE user=$1"
    "$build/pgcrew" --socket "$daemon_socket" reload >/dev/null
    ok "$3: its log says so" wait_for 10 logged "gateway: .*($1.*$2|$2.*$1)"
    like "$(doctor)" "^(error|warn): .*($1.*$2|$2.*$1)" "$3: pgcrew doctor, too"
}
says powerful   'is a superuser'                        'a superuser'
says unseen     'row level security does not hold'      'one that is above row level security'
says worker_too 'can also become pgcrew_worker -> revoke pgcrew_worker from worker_too' 'a worker'
says heir       'without becoming them -> alter role heir noinherit' 'one that inherits'
says poor       'cannot become authenticated -> grant authenticated to poor' 'one that is of no use'
says maker      'may make and change roles'             'one that makes roles'
sql 'grant all on schema pgcrew to owner_too; alter table pgcrew.ready owner to owner_too'
says owner_too  'owns tables of pgcrew: pgcrew.ready'   'one that owns tables'
sql 'alter table pgcrew.ready owner to postgres' 2>/dev/null || sql "alter table pgcrew.ready owner to $(id -un)" 2>/dev/null

# --- what else may be wrong ---------------------------------------------------------------------------------

write_config "${options[@]}" worker.count=1
"$build/pgcrew" --socket "$daemon_socket" reload >/dev/null
wait_for 10 is_up
sql 'alter role pgcrew_gateway nologin'
sql "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'pgcrew_gateway'" >/dev/null
like "$(doctor)" "^error: the gateway's login: .*not permitted to log in" 'a login that is refused'
is_told() { [[ $(doctor) == *$'\nerror: connecting: '* ]]; }
ok 'the daemon has it, too' wait_for 10 is_told
sql 'alter role pgcrew_gateway login'
write_config "${options[@]:0:2}" worker.count=1
like "$(doctor)" '^error: gateway.listen is set, but there is no gateway.database_url' 'no login'
write_config "${options[@]:0:1}" "${options[@]:2}" worker.count=1
like "$(doctor)" '^error: .* -> set gateway.jwt_secret' 'no key'
write_config "${options[@]:0:1}" "${options[@]:2}" worker.count=1 gateway.jwt_secret=short
like "$(doctor)" '^error: .*must have 32' 'a key that is too short'
write_config "${options[@]:0:2}" worker.count=1 gateway.database_url=credential:nowhere
like "$(doctor)" '^warn: gateway.database_url cannot be read from here' 'a login that is hidden from who looks'
write_config "${options[@]}" worker.count=1 "dashboard.listen=$daemon_dir/d.sock"
like "$(doctor dashboard)" '^warn: nobody can log in' 'a dashboard without a token'
like "$(doctor dashboard)" '^error: the daemon has no dashboard' 'of which the daemon does not know yet'
stop_daemon
write_config worker.count=1
is "$(doctor)$(doctor dashboard)" '' 'without them there is nothing to say'
[ "$tap_failed" = 0 ] || daemon_log
done_testing
