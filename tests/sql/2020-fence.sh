#!/usr/bin/env bash
# A stale worker changes nothing.
set -u
repo=$(cd "$(dirname "$0")/../.." && pwd)
. "$repo/tests/lib/tap.sh"
. "$repo/tests/lib/postgres.sh"
. "$repo/tests/lib/queue.sh"

queue_start

one=$(worker 1)
two=$(worker 2)
sql "insert into jobs (kind, payload) select 'a', to_jsonb(i) from generate_series(1, 3) i"
claim=$(claim "$one" 3)
token=$(token_of "$claim")
ids=$(ids_of "$claim")
IFS=, read -r a b c <<<"$ids"
all='select id, status, progress, progress_note, result, error, attempts, started_at, finished_at from jobs order by id'
before=$(sql "$all")

# stale HOLDER TOKEN WHAT: whatever it tries, it is told no and nothing changes.
stale() {
    is "$(finish "$1" "$2" "$ids" succeeded,failed,retry waits_ms=null,null,0 'results=1,2,3' | cut -d ' ' -f 1,2 | xargs)" "$a not-ours $b not-ours $c not-ours" "$3: finish says so of each"
    is "$(finish "$1" "$2" "$a" release)" "$a not-ours  " "$3: and of a part"
    is "$(sql "select * from pgcrew.report($1, '{$2,$2,$2}', '{$ids}', '{500,500,500}', '{50,50,50}', '{x,x,x}') order by 1" | xargs)" "$a $b $c" \
        "$3: report names them all as not its own"
    [ "$1 $2" = "$one $((token + 1))" ] ||
        is "$(sql "select pgcrew.release_unknown($1, '{}')")" 0 "$3: there is nothing to give back"
    is "$(sql "$all")" "$before" "$3: nothing has changed"
}
stale "$two" "$token" 'another holder'
stale "$one" $((token + 1)) 'another token'
stale 999 "$token" 'a holder that never was'

is "$(sql "select pgcrew.reap_process('$(process 1)', '{$b}')")" 3 'the worker is thought dead: its three jobs go back'
before=$(sql "$all")
stale "$one" "$token" 'after it was reaped'
is "$(sqlstate_of "select pgcrew.claim($one, '{}', '{}', null, 1)")" PC001 'and it cannot claim'

claim=$(claim "$two" 3)
is "$(ids_of "$claim")" "$ids" 'somebody else has them now'
sql "select pgcrew.report($two, '{$(token_of "$claim")}', '{$a}', '{200}', '{20}', '{mine}')" >/dev/null
before=$(sql "$all")
stale "$one" "$token" 'while they run elsewhere'
finish "$two" "$(token_of "$claim")" "$ids" succeeded,succeeded,succeeded 'results=10,20,30' >/dev/null
before=$(sql "$all")
stale "$one" "$token" 'when they have ended elsewhere'
is "$(sql 'select string_agg(result::text, $$,$$ order by id) from jobs')" '10,20,30' 'the results are those of the other'
is "$(broken)" '' 'everything agrees'

# A part of a claim cannot be taken twice.
sql "insert into jobs (kind) values ('a'), ('a')"
claim=$(claim "$two" 2)
IFS=, read -r a b <<<"$(ids_of "$claim")"
finish "$two" "$(token_of "$claim")" "$a" failed errors=first >/dev/null
is "$(finish "$two" "$(token_of "$claim")" "$a,$b" succeeded,succeeded)" "$a not-ours  " 'a job is ended once, even by its own holder'
is "$(sql "select status, error from jobs where id = $a")" 'failed|first' 'the first end stands'

# A job that was deleted while it ran.
sql "insert into jobs (kind, payload) values ('a', '1'), ('a', '2')"
claim=$(claim "$two" 2)
IFS=, read -r a b <<<"$(ids_of "$claim")"
sql "delete from jobs where id = $a"
is "$(sql "select * from pgcrew.report($two, array_fill($(token_of "$claim"), '{2}'), '{$a,$b}', '{1,1}', '{1,1}', null)")" "$a" 'a deleted job is not its own any more'
is "$(finish "$two" "$(token_of "$claim")" "$a,$b" retry,succeeded)" "$a not-ours  " 'and finish says so'
is "$(broken)" '' 'everything agrees'

# What the connection swallowed: the claim was made, its answer never arrived.
sql "insert into jobs (kind) values ('a'), ('a')"
claim=$(claim "$two" 2)
IFS=, read -r a b <<<"$(ids_of "$claim")"
sql "select pgcrew.cancel_jobs('{$b}')" >/dev/null
is "$(sql "select pgcrew.release_unknown($two, '{$a,$b}')")" 0 'what its worker knows of stays'
is "$(sql "select pgcrew.release_unknown($two, '{}')")" 2 'a whole claim can be given back unseen'
is "$(place "$a"), $(place "$b")" 'queued ready, cancelled' 'a job that was to be cancelled ends there'
is "$(broken)" '' 'everything agrees'

# What a crash of the server swallowed: the end of a part of a claim, and of another one.
sql "insert into jobs (kind) select 'a' from generate_series(1, 4)"
claim=$(claim "$two" 4)
other=$(claim "$two" 1)
IFS=, read -r a b c d <<<"$(ids_of "$claim")"
is "$(sql "select pgcrew.release_unknown($two, '{$d,$b,4711}')")" 3 'the worker knows of two jobs of a claim: what else it had goes back'
is "$(place "$a"), $(place "$b"), $(place "$c"), $(place "$d"), $(place "$(ids_of "$other")")" \
    'queued ready, queued claimed, queued ready, queued claimed, queued ready' 'those it knows of stay'
is "$(finish "$two" "$(token_of "$claim")" "$b,$d" succeeded,succeeded)$(broken)" '' 'under their token'
is "$(sql "select string_agg(status, ' ' order by id) from jobs where id in ($a, $b, $c, $d)")" 'queued succeeded queued succeeded' 'it can finish them'

done_testing
