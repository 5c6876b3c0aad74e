#!/usr/bin/env bash
# job log: how attempts ended and what they used; why: what a cause means.  The worker's
# part is played by hand.
. "$(dirname "$0")/../lib/setup.sh"
. "$(dirname "$0")/../lib/queue.sh"
. "$(dirname "$0")/../lib/tool.sh"
queue_start
holder=$(worker 1)

# attempt OUTCOME [name=value...]: a new job, one attempt of it; sets id.
attempt() {
    local claimed
    sql "select pgcrew.enqueue('mail', '{}')" >/dev/null
    claimed=$(claim "$holder" 1)
    id=$(ids_of "$claimed")
    finish "$holder" "$(token_of "$claimed")" "$id" "$@" >/dev/null
}

attempt succeeded
tool job log "$id"
like "$out" "^job $id \(mail\): succeeded, no attempt has failed\$" 'nothing was noted, nothing failed'
tool job log "$id" --json
is "$(field '.status, (.attempts | length)' | paste -sd ' ')" 'succeeded 0' 'in JSON, too'

attempt succeeded causes=succeeded exits=0 users_ms=1200 systems_ms=300 memories=47395635 'stderrs="all is well"'
tool job log "$id"
like "$out" "^job $id \(mail\): succeeded, attempts that were noted:\$" 'an attempt that succeeded, if it was noted'
like "$out" '^attempt 1  .*  succeeded on host/1, exit status 0$' 'with its status'
like "$out" '^  used: 1\.500 s of CPU time \(user 1\.200 s, system 0\.300 s\), at most 45\.2 MiB$' 'the CPU time and the memory it used'
like "$out" '^  \| all is well$' 'and what it wrote'
tool job log "$id" --json
is "$(field '.attempts[0] | .cause, .user_ms, .system_ms, .max_rss_bytes' | paste -sd ' ')" \
    'succeeded 1200 300 47395635' 'all of it in JSON'

attempt retry waits_ms=60000 causes=failed exits=1 errors=bad users_ms=40 systems_ms=0 memories=0
tool job log "$id"
like "$out" '^  used: 0\.040 s of CPU time \(user 0\.040 s, system 0\.000 s\)$' 'memory that is not known is not shown'
attempt retry waits_ms=60000 causes=failed exits=1 errors=bad users_ms=0 systems_ms=0 memories=0
tool job log "$id"
not_ok 'nor is what nobody measured' grep -q used: <<<"$out"
tool job log "$id" --json
is "$(field '.attempts[0].max_rss_bytes')" null 'it is null in JSON'

# why_after CAUSE: of a job that waits for its next attempt
why_after() {
    attempt "${2:-retry}" waits_ms=60000 "causes=$1" 'errors="such a thing"'
    tool why "$id" --json
}
while IFS='|' read -r cause words advice; do
    why_after "$cause"
    is "$(field .reason)" retry_wait "after $cause it waits"
    like "$(field .text)" "in the last attempt $words: such a thing\$" "after $cause it is said what happened"
    like "$(field .advice)" "^${advice}pgcrew job log $id" "after $cause it is said what to do"
done <<'END'
failed|its handler failed|
signal|its handler was ended by a signal|
timeout|its handler took longer than it may|its handler's timeout may be too short; 
oom|the kernel ended its handler for its memory|the handler needs less memory, or its kind a larger memory limit; 
limit|its handler reached a limit of its kind|the handler needs less, or its kind a larger limit; 
protocol|the program broke the protocol of pgcrew-handler\(7\)|the program has to be mended; 
END
why_after tempfail again
like "$(field .text)" 'its handler asked for another try' 'another try was asked for'
why_after snoozed again
is "$(field .reason)" snoozed 'its handler asked for more time'
like "$(field .text)" 'asked to be run again at 20.* not charged' 'and it is said until when'
why_after no_start again
is "$(field .reason)" no_start 'its handler is missing or broken'
like "$(field .text)" "'mail' is missing or broken: such a thing" 'it is said what is'
like "$(field .advice)" 'mend the handler' 'and who has to act'
attempt failed causes=oom 'errors="killed for its memory"'
tool why "$id" --json
like "$(field .text)" 'it failed at .*: killed for its memory' 'a job that has failed for its memory'
like "$(field .advice)" "larger memory limit; pgcrew job log $id" 'and what helps'
PGUSER=owner sql "select string_agg(distinct m[1], ' ') from pg_constraint c,
    regexp_matches(pg_get_constraintdef(c.oid), '''([a-z_]+)''', 'g') m where c.conrelid = 'pgcrew.attempts'::regclass
    and contype = 'c'" | tr ' ' '\n' | sort >"$pg_dir/causes"
for cause in $(cat "$pg_dir/causes"); do
    case $cause in snoozed | cancelled | succeeded) continue ;; esac
    ok "the tool has words for $cause" grep -q "^    {\"$cause\", " "$repo/src/queue/why.c"
done
is "$(broken)" '' 'the tables agree with each other'
done_testing
