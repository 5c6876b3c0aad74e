#!/usr/bin/env bash
# pgcrew.stalled() tells whose fault it is and leaves no trace; pgcrew.health() finds what
# only a server that was led there has.
set -u
PG_CONF='max_prepared_transactions = 5
autovacuum = off'
repo=$(cd "$(dirname "$0")/../.." && pwd)
. "$repo/tests/lib/tap.sh"
. "$repo/tests/lib/postgres.sh"
. "$repo/tests/lib/queue.sh"
queue_start
as_root() { PGUSER=postgres sql "$@"; }
stalled() { sql "select array_to_string(queues, ',') || ' ' || jobs || ' ' || why from pgcrew.stalled('{$1}')"; }
detail() { sql "select detail from pgcrew.stalled('{$1}')"; }
state() {
    as_root "select string_agg(x::text, ' ' order by x::text) from (
               select r::text || r.ctid from pgcrew.ready r union all select c::text from pgcrew.claims c
               union all select w.holder || ' ' || w.idle from pgcrew.workers w) x (x)"
}
one=$(process 1) two=$(process 2)
worker 1 30000 default,slow mail >/dev/null
worker 2 >/dev/null

is "$(stalled "$one")" ''                      'nothing waits: no stall'
sql "select pgcrew.enqueue('fax')" >/dev/null
is "$(stalled "$one")" ''                      'nothing of its kinds: none'
sql "select count(pgcrew.enqueue('fax')) from generate_series(1, 1000)" >/dev/null
sql "select pgcrew.enqueue('mail')" >/dev/null
is "$(stalled "$one")" ''                      'what is further down than one looks is none'
is "$(stalled "$two")" 'default 1000 workers'  'it is for one who has every kind'
is "$(stalled "$(process 3)")" ''              'but not for one who is not registered'
is "$(stalled '')" ''                          'nor for nobody'
sql "select count(pgcrew.enqueue('mail', queue => 'slow')) from generate_series(1, 3)" >/dev/null
before=$(state)
is "$(stalled "$one")" 'slow 3 workers'        'the queue in which something waits'
is "$(stalled "$one,$two")" 'default,slow 1003 workers' 'all queues of all of them'
is "$(state)" "$before"                        'all stays as it was'
is "$(broken)" ''                              'and fits together'
not_ok 'it can be claimed'                     test -z "$(claim 1 1 slow)"

as_root "begin; select from pgcrew.ready where queue = 'slow' for update; prepare transaction 'holds'" >/dev/null
is "$(stalled "$one")" 'slow 2 locked'         'locked rows'
like "$(detail "$one")" 'by a prepared transaction' 'by whom'
as_root "rollback prepared 'holds'"
as_root "begin; select from pgcrew.workers where holder = 1 for update; prepare transaction 'holds'" >/dev/null
is "$(stalled "$one")" 'slow 2 error'          'a worker whose row is locked'
like "$(detail "$one")" 'lock timeout'         'fails soon'
as_root "rollback prepared 'holds'"
PGUSER=owner sql 'alter table pgcrew.claims add constraint never check (false) not valid'
is "$(stalled "$one")" 'slow 2 error'          'a claim that fails'
like "$(detail "$one")" 'violates check constraint "never"' 'is told why'
PGUSER=owner sql 'alter table pgcrew.claims drop constraint never'

# Four hundred million transactions later, and then more than a billion.
level() { sql "select level from pgcrew.health() where name = '$1'"; }
is "$(level wraparound_transactions)" ok       'a young database'
led_to() { # XID: the server goes on from there
    local segment
    segment=$(printf '%04X' $(($1 / 1048576)))
    pg_stop
    pg_as_server "$pg_bin/pg_resetwal" -x "$1" "$pg_dir/data" >/dev/null || return 1
    pg_as_server dd if=/dev/zero of="$pg_dir/data/pg_xact/$segment" bs=256k count=1 status=none || return 1
    pg_up
}
# Against these the server vacuums whatever the settings say, and this keeps it from it.
as_root "begin; create table public.kept (); prepare transaction 'forgotten'"
ok 'the server is led far on'                  led_to 419430400
is "$(level wraparound_transactions)" warn     'old transaction ids: a warning'
is "$(level horizon_transactions)" error       'and what holds them up'
like "$(sql "select finding from pgcrew.health() where name = 'horizon_transactions'")" '"forgotten" of postgres .* 419[0-9]+ transactions old' 'is named'
ok 'and farther'                               led_to 1258291200
is "$(level wraparound_transactions)" error    'an error'
like "$(sql "select finding from pgcrew.health() where name = 'wraparound_transactions'")" 'is 1258[0-9]+ old' 'how old'
done_testing
