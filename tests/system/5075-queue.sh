#!/usr/bin/env bash
# queue list, pause, resume: with a real daemon nothing of a paused queue starts, and all of it
# when it is resumed, at once.
. "$(dirname "$0")/../lib/setup.sh"
. "$(dirname "$0")/../lib/tool.sh"
pg_start && migrate || bail 'no database'
daemon_setup
export PGCREW_CONTROL_SOCKET=$daemon_socket

tool queue list
status_is 1 'no queue: status 1'
is "$out" 'no queues'                          'and it says so'
tool queue pause
status_is 2 'a queue must be named'
tool queue pause ''
status_is 1 'a queue has a name'
like "$errors" 'must have 1 to 100 characters' 'which is said'
tool queue resume nobody --json
status_is 0 'one that nobody knows can be resumed'
is "$(field '.queues[].what')" 'was not paused' 'it is not paused'

# Looks are far apart, so that what starts was told to.
handlers "  echo: {exec: [/bin/cat]}
  waits: {exec: [/bin/sh, -c, 'until [ -e $daemon_dir/go ]; do sleep 0.02; done']}"
start_daemon worker.count=2 queue.poll_interval=5min 'queue.names=[slow, default, open]'
running=$(enqueue waits)
ok 'a job runs'                                wait_for 10 job_is "$running" running
tool queue pause slow default --json
status_is 0 'two queues are paused'
is "$(field '[.queues[] | .queue + " " + .what] | join(", ")')" 'default paused, slow paused' 'both'
tool queue pause default other
like "$out" '^default +was paused$'            'a second time it says that it was'
like "$out" '^other +paused$'                  'one that nobody serves can be paused, too'

waits=$(enqueue echo)
slow=$(sql "select pgcrew.enqueue('echo', queue => 'slow')")
soon=$(sql "select pgcrew.enqueue('echo', run_at => now() + interval '100 ms')")
promoted() { [ "$(sql "select count(*) from pgcrew.ready where job_id = $soon")" = 1 ]; }
ok 'what falls due becomes ready'              wait_for 10 promoted
touch "$daemon_dir/go"
ok 'what ran ends well'                        wait_for 10 job_is "$running" succeeded
open=$(sql "select pgcrew.enqueue('echo', queue => 'open')")
ok 'a job of another queue is run'             wait_for 10 job_is "$open" succeeded
is "$(job "$waits" status) $(job "$slow" status) $(job "$soon" status)" 'queued queued queued' 'nothing of the paused queues has started'

tool queue list --json
is "$(field '.queues[] | select(.queue == "default") | .ready')" 2 'how much waits in a paused queue'
is "$(field '.queues[] | select(.queue == "other") | .paused_by')" "$(id -un)@$(hostname)" 'and who paused it'
is "$(field '[.queues[] | select(.paused_at | not) | .queue] | join(" ")')" open 'the others are not paused'
tool queue list
like "$out" '^default +2 +0 +2 .*20[0-9-]+ .* '"$(id -un)@" 'a table for people'
tool stats --json
is "$(field '[.database.queues[].state] | join(" ")')" 'paused ok paused paused' 'stats say it'
is "$(field '.daemon | .name, .stall' | paste -sd ' ')" 'testhost null' 'the daemon is not stalled'
tool why "$waits" --json
is "$(field .reason)" paused                   'why says it'
like "$(field .text)" "its queue 'default' is paused since 20.*, by $(id -un)@" 'since when and by whom'
is "$(field .advice)" 'pgcrew queue resume default' 'and what to do'
tool doctor --json
is "$(field '[.checks[] | select(.check == "waiting jobs") | .level] | unique | join(" ")')" ok 'the doctor finds nothing wrong with a pause'
sql "update pgcrew.queues set paused_at = now() - interval '25 hours' where queue = 'default'"
tool doctor --json
like "$(field '.checks[] | select(.check == "waiting jobs") | .level + " " + .finding')" \
    "^warn queue 'default' was paused .* by $(id -un)@.*: 2 jobs wait\$" 'but with one of a day while jobs wait'

tool queue resume default
status_is 0 'resumed'
like "$out" '^default +resumed$'               'and it says so'
ok 'what waited is run'                        wait_for 10 job_is "$waits" succeeded
ok 'what fell due meanwhile, too'              wait_for 10 job_is "$soon" succeeded
is "$(job "$slow" status)" queued              'the other queue is still paused'
tool queue resume slow other
ok 'until it is resumed'                       wait_for 10 job_is "$slow" succeeded
tool queue list --json
is "$(field '[.queues[].queue] | join(" ")')" 'default open slow' 'what is served is listed, what nobody serves is gone'
is "$(field '[.queues[] | .paused_at, .paused_by] | unique | length')" 1 'none is paused'
ok 'the daemon ends well'                      stop_daemon
done_testing
