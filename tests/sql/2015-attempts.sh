#!/usr/bin/env bash
# What is kept of an attempt: CPU time, memory, and the attempts that succeeded, if they
# are to be noted.  And what a user's token said, for kinds that keep it.
set -u
repo=$(cd "$(dirname "$0")/../.." && pwd)
. "$repo/tests/lib/tap.sh"
. "$repo/tests/lib/postgres.sh"
. "$repo/tests/lib/queue.sh"

queue_start
holder=$(worker 1)

# jobs N: so many jobs in one claim; sets token and the list ids.
jobs() {
    local claim
    sql "insert into jobs (kind) select 'a' from generate_series(1, $1)"
    claim=$(claim "$holder" "$1")
    token=$(token_of "$claim")
    IFS=, read -r -a ids <<<"$(ids_of "$claim")"
}
noted() {
    sql "select attempt, cause, exit_code, signal, stderr_tail, user_ms, system_ms, max_rss_bytes, holder_name
           from pgcrew.attempts where job_id = $1 order by id"
}

# --- one job ------------------------------------------------------------------------

jobs 1
finish "$holder" "$token" "${ids[0]}" succeeded causes=succeeded exits=0 'stderrs="a warning"' \
    users_ms=1200 systems_ms=300 memories=123456789 'results="{\"a\": 1}"' >/dev/null
is "$(noted "${ids[0]}")" '1|succeeded|0||a warning|1200|300|123456789|host/1' 'an attempt that succeeded is noted when that is asked for'
is "$(place "${ids[0]}")|$(sql "select attempts, result from jobs where id = ${ids[0]}")" 'succeeded|1|{"a": 1}' 'its job ends as ever'
is "$(sql "select finished_at - started_at = '10 ms' from pgcrew.attempts where job_id = ${ids[0]}")" t 'it says how long it ran'

jobs 1
finish "$holder" "$token" "${ids[0]}" succeeded users_ms=1 systems_ms=1 memories=1 >/dev/null
is "$(noted "${ids[0]}")" '' 'no cause, no note'

jobs 1
finish "$holder" "$token" "${ids[0]}" retry waits_ms=0 causes=oom signals=9 users_ms=40 systems_ms=50 memories=1048576 >/dev/null
is "$(noted "${ids[0]}")" '1|oom||9||40|50|1048576|host/1' 'one that failed, with what it used'
claim=$(claim "$holder" 1)
finish "$holder" "$(token_of "$claim")" "${ids[0]}" succeeded causes=succeeded users_ms=1 systems_ms=2 memories=3 >/dev/null
is "$(noted "${ids[0]}" | cut -d '|' -f 1,2,6-8 | xargs)" '1|oom|40|50|1048576 2|succeeded|1|2|3' 'the success after it is attempt 2'
sql "delete from jobs where id = ${ids[0]}"
is "$(noted "${ids[0]}")" '' 'all of it goes with the job'

for cause in failed signal timeout permanent tempfail snoozed cancelled oom limit protocol no_start; do
    jobs 1
    finish "$holder" "$token" "${ids[0]}" failed causes=$cause >/dev/null
    is "$(noted "${ids[0]}" | cut -d '|' -f 2)" "$cause" "the cause $cause is kept"
done
jobs 1
is "$(sqlstate_of "select pgcrew.finish($holder, $token, '{${ids[0]}}', '{failed}', '{1}', null, null, null, '{bored}', null, null, null)")" \
    23514 'a cause that nobody knows is refused'
finish "$holder" "$token" "${ids[0]}" failed >/dev/null

# --- twelve arguments, as before there were figures -------------------------------------

jobs 2
is "$(sql "select job_id, status from pgcrew.finish($holder, $token, '{${ids[0]},${ids[1]}}', '{retry,succeeded}', '{1,1}', '{9000,null}',
           null, '{bad,null}', '{failed,succeeded}', '{1,0}', null, null) order by job_id")" \
    "${ids[0]}|queued" 'without figures it is as it was'
is "$(noted "${ids[0]}" | cut -d '|' -f 2,3,6-8) $(noted "${ids[1]}" | cut -d '|' -f 2,3,6-8)" 'failed|1||| succeeded|0|||' 'and they are not known'

# --- arrays stay lined up -----------------------------------------------------------------

# Figures of job n (from 1): 10n, 100n, 1000n.
jobs 6
finish "$holder" "$token" "${ids[4]},${ids[1]},999999,${ids[2]},${ids[1]}" succeeded,retry,succeeded,succeeded,failed \
    waits_ms=null,9000,null,null,null causes=succeeded,signal,succeeded,null,failed exits=0,null,7,0,5 signals=null,11,null,null,null \
    users_ms=50,20,1,30,9 systems_ms=500,200,1,300,9 memories=5000,2000,1,3000,9 'stderrs=five,two,none,three,zwei' >/dev/null
is "$(noted "${ids[4]}")" '1|succeeded|0||five|50|500|5000|host/1' 'a part, in another order: the first has its own figures'
is "$(noted "${ids[1]}")" '1|signal||11|two|20|200|2000|host/1' 'so has the one that failed; the first of two words about it counts'
is "$(noted "${ids[2]}")" '' 'the one that was not to be noted is not'
is "$(sql "select count(*) from pgcrew.attempts where job_id = 999999")" 0 'and what is not ours neither'
finish "$holder" "$token" "${ids[5]},${ids[3]},${ids[0]}" succeeded,release,succeeded causes=succeeded,null,succeeded \
    users_ms=60,null,10 systems_ms=600,null,100 memories=6000,null,1000 >/dev/null
is "$(noted "${ids[5]}" | cut -d '|' -f 6-8) $(noted "${ids[0]}" | cut -d '|' -f 6-8) $(noted "${ids[3]}")" \
    '60|600|6000 10|100|1000 ' 'the rest, in another order'
is "$(sql "select count(*) from pgcrew.claims where token = $token")" 0 'the claim is gone'
PGUSER=owner sql 'truncate jobs'
is "$(sql 'select count(*) from pgcrew.attempts')" 0 'a truncate takes them all'

jobs 3
finish 999 "$token" "${ids[0]},${ids[1]},${ids[2]}" succeeded,succeeded,succeeded causes=succeeded,succeeded,succeeded \
    users_ms=1,2,3 systems_ms=1,2,3 memories=1,2,3 >/dev/null
is "$(sql 'select count(*) from pgcrew.attempts')" 0 'a holder that never was notes nothing'
finish "$holder" "$token" "${ids[0]},${ids[1]},${ids[2]}" succeeded,succeeded,succeeded causes=succeeded,null,succeeded \
    users_ms=1,2,3 systems_ms=1,2,3 memories=1,2,3 >/dev/null
is "$(sql 'select string_agg(user_ms::text, $$,$$ order by job_id) from pgcrew.attempts')" 1,3 'a whole claim notes those asked for'

# --- what the token of a user said -------------------------------------------------------------

PGUSER=owner sql "insert into pgcrew.kinds (kind, keep_claims) values ('mine', true), ('plain', false)"
# with_claims KIND: enqueued by a signed-in user with more in the token than the id
with_claims() {
    PGUSER=postgres psql -XAtq -v ON_ERROR_STOP=1 \
        -c "select set_config('request.jwt.claims', '{\"sub\":\"$user\",\"role\":\"authenticated\",\"org\":\"acme\"}', false)" \
        -c 'set role authenticated' -c "insert into jobs (kind) select '$1' from generate_series(1, ${2:-1}) returning id" | tail -n +2
}
mine=$(with_claims mine)
is "$(sql "select claims ->> 'sub', claims ->> 'org' from pgcrew.user_claims where job_id = $mine")" "$user|acme" 'a kind that keeps claims: they are kept'
plain=$(with_claims plain)
is "$(sql "select count(*) from pgcrew.user_claims where job_id = $plain")" 0 'another kind: they are not'
sql "insert into jobs (kind) values ('mine')"
is "$(sql 'select count(*) from pgcrew.user_claims')" 1 'a job of nobody has none'
with_claims mine 3 >/dev/null
is "$(sql 'select count(*) from pgcrew.user_claims')" 4 'each of several has its own'
is "$(as_sqlstate "$user" 'select * from pgcrew.user_claims')" 42501 'users cannot read them'
is "$(sqlstate_of "insert into pgcrew.user_claims values (1, '{}')")" 42501 'and workers cannot write them'
sql "delete from jobs where id = $mine"
is "$(sql "select count(*) from pgcrew.user_claims where job_id = $mine")" 0 'they go with the job'
PGUSER=owner sql 'truncate jobs'
is "$(sql 'select count(*) from pgcrew.user_claims')" 0 'or with all of them'
is "$(broken)" '' 'everything agrees'

done_testing
