#!/usr/bin/env bash
# A paused queue: nothing is claimed from it, nothing counts as waiting, all else goes on.
set -u
repo=$(cd "$(dirname "$0")/../.." && pwd)
. "$repo/tests/lib/tap.sh"
. "$repo/tests/lib/postgres.sh"
. "$repo/tests/lib/queue.sh"
queue_start

pause() { sql "select pgcrew.pause_queue('$1')"; }
resume() { sql "select pgcrew.resume_queue('$1')"; }
paused() { sql "select paused_at is not null, paused_by from pgcrew.queues where queue = '$1'"; }
heard() {
    psql -XAtq -c 'listen pgcrew' -c "$1" -c 'select 1' | sed -n 's/^Asynchronous notification "pgcrew" with payload "\([a-z]*\)".*/\1/p' | xargs
}
# The ranges of the claims: from the heads of both queues.
both() {
    sql "select string_agg(job_id::text, ' ' order by nth)
           from pgcrew.claim($1, $(places x,y 9,9 0,0), null, $2)
                with ordinality c (token, job_id, queue, priority, kind, payload, attempt, max_attempts,
                                   batch_id, user_id, tempfails, waited_us, nth)"
}
put() { sql "select pgcrew.enqueue('a', queue => '$1', priority => ${2:-0})"; }
waits() { sql "select waits from pgcrew.waits_for('{$(process 1)}')"; }
stalled() { sql "select array_to_string(queues, ',') from pgcrew.stalled('{$(process 1)}')"; }

one=$(worker 1 30000 x,y)
is "$(paused x)" 'f|'                          'a queue is not paused to begin with'
is "$(pause x)" t                              'it can be paused'
is "$(paused x)" 't|pgcrew_worker'             'since when and by which login is noted'
is "$(pause x)" f                              'once'
sql "select pgcrew.resume_queue('x'), pgcrew.pause_queue('x', repeat('ann ', 50))" >/dev/null
is "$(paused x)" "t|$(printf 'ann %.0s' {1..25})" 'or by whoever it is said to be, in 100 characters'
is "$(resume x)$(resume x)$(paused x)" 'tff|'  'it can be resumed, once'
is "$(pause new)$(paused new | cut -c 1)$(resume new)" 'ttt' 'a queue that nobody knew can be, too'
is "$(resume newer)" f                         'one that nobody knew is not paused'
is "$(sqlstate_of "select pgcrew.pause_queue(repeat('x', 101))")" 23514 'a name has at most 100 characters'
is "$(sqlstate_of 'select pgcrew.pause_queue(null)')" 23514 'and there must be one'
is "$(as_sqlstate "$user" "select pgcrew.pause_queue('x')")" 42501 'users pause nothing'
is "$(as_sqlstate "$user" "select pgcrew.resume_queue('x')")" 42501 'and resume nothing'
is "$(PGUSER=postgres sql_as service_role "select pgcrew.pause_queue('x'), pgcrew.resume_queue('x')")" 't|t' 'the service may'

# What is claimed, and what not.
x1=$(put x) y1=$(put y) x2=$(put x 9) y2=$(put y)
pause x >/dev/null
is "$(both "$one" 10)" "$y1 $y2"               'a claim passes over the paused queue, whatever its priority'
is "$(sql 'select idle from pgcrew.workers')" t 'and its worker is idle: it found less than it wanted'
is "$(place "$x1"), $(place "$x2")" 'queued ready, queued ready' 'the jobs of the paused one are where they were'
is "$(waits)|$(stalled)" 'f|'                  'nothing waits for the worker, and nothing is stalled'
is "$(sql "select count(*) from pgcrew.survey('{x}')")" 0 'no handler is missed'
x3=$(put x)
is "$(place "$x3")" 'queued ready'             'jobs go in'
is "$(heard "select pgcrew.enqueue('a', queue => 'x')")" '' 'but idle workers are not told'
is "$(heard "select pgcrew.enqueue('a', queue => 'y')")" ready 'those of another queue are theirs'
y3=$(both "$one" 10)
is "$(waits)|$(stalled)" 'f|'                  'still nothing waits'
is "$(resume x)" t                             'resumed'
is "$(waits)|$(stalled)" 't|x'                 'they wait'
is "$(sql "select kind from pgcrew.survey('{x}')")" '' '(the worker has a handler)'
is "$(pause x)$(heard "select pgcrew.resume_queue('x')")" tready 'who resumes tells the workers'
is "$(both "$one" 2)" "$x2 $x1"                'what waited is claimed, in its order'
is "$(both "$one" 1)" "$x3"                    'and the rest'

# What has begun goes on.
held=$(sql 'select max(token) from pgcrew.claims')
pause x >/dev/null
is "$(finish "$one" "$held" "$x3" retry waits_ms=0)" "$x3 queued 1 " 'a job that runs can end while its queue is paused'
is "$(place "$x3")" 'queued ready'             'and be ready again'
both "$one" 10 >/dev/null
is "$(place "$x3")" 'queued ready'             'which is claimed later'
later=$(sql "select pgcrew.enqueue('a', queue => 'x', run_at => now() + interval '50 ms')")
due() { sql 'select moved from pgcrew.promote(10)' >/dev/null; [ "$(place "$later")" = 'queued ready' ]; }
ok 'what falls due is ready'                   wait_for 5 due
is "$(sql "select what from pgcrew.cancel_jobs('{$later}')")" cancelled 'and can be cancelled'
sql "delete from jobs where id = $x3"
is "$(broken)" ''                              'everything agrees'

# A worker that looks from its mark on finds what waited below and above it.
x4=$(put x) x5=$(put x)
resume x >/dev/null
is "$(sql "select job_id from pgcrew.claim($one, $(places x 0 "$x5"), null, 1)")" "$x5" 'from the mark on'
PGUSER=postgres sql "update pgcrew.queues set paused_at = now(), paused_by = 'by hand' where queue = 'x'"
is "$(both "$one" 1)" ''                       'a pause made by hand is one, too'
resume x >/dev/null
ok 'a sweep finds what is below'               grep -qw "$x4" <<<"$(both "$one" 10)"
is "$(broken)" ''                              'everything agrees'
done_testing
