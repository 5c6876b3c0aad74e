#!/usr/bin/env bash
# pgcrew batch watch: plain lines, a bar on a terminal, a database that goes away.
. "$(dirname "$0")/../lib/setup.sh"
. "$(dirname "$0")/../lib/queue.sh"
. "$(dirname "$0")/../lib/tool.sh"
queue_start
batch=33333333-3333-3333-3333-333333333333

put_batch() {
    printf '1\n2\n3\n4\n' >"$pg_dir/lines"
    tool --json enqueue mail --jsonl "$pg_dir/lines" --batch "$1"
    mapfile -t ids < <(field '.ids[]')
}
end_one() { finish "$holder" "$token" "$1" "${2:-succeeded}" >/dev/null; }
said() { grep -q -- "$1" "$pg_dir/watch"; }
ended() { ! kill -0 "$watcher" 2>/dev/null; }

tool batch watch "$batch"
status_is 1 'a batch that is not there'

put_batch "$batch"
holder=$(worker 1)
token=$(token_of "$(claim "$holder" 4)")
"$build/pgcrew" batch watch "$batch" >"$pg_dir/watch" 2>"$pg_dir/errors" &
watcher=$!
ok 'a first line is printed'                    wait_for 5 said '^0.0 %: 0 of 4 ended$'
end_one "${ids[0]}"
ok 'a line at a change'                         wait_for 5 said '^25.0 %: 1 of 4 ended$'
pg_stop immediate
ok 'a lost database is said'                    wait_for 5 grep -q 'database is away' "$pg_dir/errors"
pg_up
end_one "${ids[1]},${ids[2]}" succeeded,succeeded
ok 'it goes on when the database is back'       wait_for 15 said '^75.0 %: 3 of 4 ended$'
end_one "${ids[3]}" failed
ok 'it ends with the batch'                     wait_for 10 ended
wait "$watcher"
is $? 1                                         'with status 1, as a job has failed'
ok 'and says how to find it'                    said 'job list --status failed'
is "$(sort "$pg_dir/watch" | uniq -d)" ''       'no line is printed twice'
is "$(grep -c 'is away' "$pg_dir/errors")" 1    'nor is the loss of the database'

tool batch watch "$batch" --json
is "$(field '.status, .failed, .jobs' | paste -sd ' ')" 'failed 1 null' 'with --json one document at the end'
good=44444444-4444-4444-4444-444444444444
put_batch "$good"
token=$(token_of "$(claim "$holder" 4)")
if command -v script >/dev/null; then
    TERM=xterm script -qfec "'$build/pgcrew' batch watch $good" "$pg_dir/watch" </dev/null >/dev/null 2>&1 &
    watcher=$!
    ok 'on a terminal there is a bar'           wait_for 5 said '░'
    end_one "${ids[0]},${ids[1]}" succeeded,succeeded
    ok 'that grows'                             wait_for 5 said '█.*░.* 50.0 %'
    end_one "${ids[2]},${ids[3]}" succeeded,succeeded
    ok 'and ends'                               wait_for 5 ended
    ok 'full'                                   said '█.*100.0 %  4 of 4 ended'
    TERM=xterm NO_COLOR=1 script -qfec "'$build/pgcrew' batch watch $good" "$pg_dir/watch" </dev/null >/dev/null 2>&1
    not_ok 'with NO_COLOR it has no colours'    said $'\e\\[3[0-9]m'
else
    skip 'script is not installed' 'the bar on a terminal'
    end_one "$(IFS=,; echo "${ids[*]}")" succeeded,succeeded,succeeded,succeeded
fi
tool batch watch "$good"
status_is 0 'a batch that succeeded is status 0'
done_testing
