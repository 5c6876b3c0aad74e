#!/usr/bin/env bash
# pgcrew enqueue: one, many, from files and lines; all of them or none.
. "$(dirname "$0")/../lib/setup.sh"
. "$(dirname "$0")/../lib/tool.sh"
pg_start
migrate || bail 'no database'
sql 'alter role pgcrew_worker login'
export PGUSER=pgcrew_worker
count() { sql 'select count(*) from public.jobs'; }
user=11111111-1111-1111-1111-111111111111
batch=22222222-2222-2222-2222-222222222222

tool enqueue mail '{"to": "ü"}' --queue slow --priority 7 --user $user --batch $batch --max-attempts 3
status_is 0 'a job with everything'
id=$(head -n 1 <<<"$out")
is "$(sql "select kind, payload ->> 'to', queue, priority, user_id, batch_id, max_attempts, status from public.jobs where id = $id")" \
    "mail|ü|slow|7|$user|$batch|3|queued"               'has all of it'
is "$(tail -n 1 <<<"$out")" "batch $batch"              'and its batch is printed'
is "$(sql "select (place >> 44) & 15, queue from pgcrew.ready where job_id = $id")" '2|slow' 'and it is ready'
tool enqueue mail
is "$(sql "select payload, batch_id is null, user_id is null, max_attempts from public.jobs where id = $out")" '{}|t|t|5' \
    'one with nothing has the defaults'
out=$(printf '{"from": "stdin"}' | "$build/pgcrew" enqueue mail -)
is "$(sql "select payload ->> 'from' from public.jobs where id = $out")" stdin 'a payload from standard input'

tool enqueue mail --in 1h30min
is "$(sql "select run_at - created_at from public.jobs where id = $out")" 01:30:00 'not before so long from now'
is "$(sql "select count(*) from pgcrew.scheduled where job_id = $out")" 1 'it is scheduled'
tool enqueue mail --at 2099-12-24T18:00:00+01:00
is "$(sql "select run_at at time zone 'utc' from public.jobs where id = $out")" '2099-12-24 17:00:00' 'not before a time'

tool --json enqueue mail --unique k1
first=$(field .ids[0])
is "$(field .existing)" false                           'a unique job is new'
tool --json enqueue mail --unique k1
is "$(field .existing)" true                            'the second is not'
is "$(field .ids[0])" "$first"                          'and is the first'

n=$(count)
tool enqueue mail '{"to": }'
status_is 2 'a payload that is not JSON'
like "$errors" 'line 1, column 8'                       'is refused with line and column'
tool enqueue mail --priority 10
status_is 2 'a priority out of range'
tool enqueue '' '{}'
status_is 1 'a kind that the database refuses'
is "$(count)" "$n"                                      'nothing was enqueued'

dir=$pg_dir/files
mkdir "$dir"
for i in 1 2 3; do printf '%*s' "$i" x >"$dir/file $i.txt"; done
(cd "$dir" && "$build/pgcrew" --json enqueue thumb --file file*.txt --queue slow) >"$pg_dir/out"
out=$(cat "$pg_dir/out")
is "$(field '.count, .skipped' | paste -sd ' ')" '3 0'  'a job for each file'
is "$(sql "select string_agg(payload ->> 'name' || ' ' || (payload ->> 'size'), ', ' order by id)
             from public.jobs where batch_id = '$(field .batch_id)'")" 'file 1.txt 1, file 2.txt 2, file 3.txt 3' \
    'in one new batch, with name and size'
is "$(sql "select bool_and(payload ->> 'path' = '$dir/' || (payload ->> 'name')) from public.jobs where kind = 'thumb'")" t \
    'and the absolute path'

n=$(count)
ln -s nowhere "$dir/dangling"
tool enqueue thumb --file "$dir"/* "$dir" /nonexistent
status_is 1 'one bad file and nothing is enqueued'
is "$(grep -cE 'dangling|folder|nonexistent' <<<"$errors")" 3 'all bad ones are named'
is "$(count)" "$n"                                      'nothing was'
tool --json enqueue thumb --skip-bad --file "$dir"/* "$dir"
is "$(field '.count, .skipped' | paste -sd ' ')" '3 2'  'or they are left out'
tool enqueue thumb --skip-bad --file /nonexistent
status_is 1 'nothing at all is not done'
printf '%s\0' "$dir"/file* >"$pg_dir/list"
tool --json enqueue thumb --files-from "$pg_dir/list" -0 --batch none
is "$(field '.count, .batch_id' | paste -sd ' ')" '3 null' 'files of a list, by NUL bytes, without a batch'
ls "$dir"/file* >"$pg_dir/list"
out=$("$build/pgcrew" --json enqueue thumb --files-from - <"$pg_dir/list")
is "$(field .count)" 3                                  'or by line feeds from standard input'

seq 2500 | sed 's/.*/{"n": &}/' >"$pg_dir/lines"
tool --json enqueue lines --jsonl "$pg_dir/lines"
is "$(field '.count, (.ids | unique | length)' | paste -sd ' ')" '2500 2500' 'a job for each line'
is "$(sql "select count(distinct payload ->> 'n') from public.jobs where batch_id = '$(field .batch_id)'")" 2500 \
    'each with its payload'
tool enqueue lines --jsonl "$pg_dir/lines"
is "$(head -n 1 <<<"$out")" '2500 jobs'                 'of many ids only the number is shown'
n=$(count)
sed '2200s/.*/{"n": /' -i "$pg_dir/lines"
tool enqueue lines --jsonl "$pg_dir/lines"
status_is 1 'a bad line near the end'
like "$errors" 'line 2200, column'                      'is named'
is "$(count)" "$n"                                      'and nothing is enqueued'
tool enqueue lines --jsonl /nonexistent
status_is 1 'lines of a file that is not there'
tool enqueue lines --jsonl /dev/null
status_is 1 'no lines at all'
done_testing
