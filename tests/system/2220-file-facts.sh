#!/usr/bin/env bash
# The handler file-facts: from files of the tool to facts in the results.
. "$(dirname "$0")/../lib/setup.sh"
facts=$PGCREW_BUILD/contrib/handlers/file-facts
pg_start && migrate || bail 'no database'
daemon_setup
dir=$daemon_dir/files
mkdir "$dir"
printf 'one\ntwo\nthree' >"$dir/with a \"quote\" and ä.txt"
head -c 3000000 /dev/zero >"$dir/zeros"
: >"$dir/empty"

# asked PATH [ENV=V...]: its result, by hand
asked() {
    local path=$1
    shift
    jq -n --arg path "$path" '{path: $path}' | env "$@" "$facts" 2>"$daemon_dir/complaint"
}
# status PAYLOAD
status() {
    printf '%s' "$1" | "$facts" >/dev/null 2>&1
    echo $?
}

text=$dir/'with a "quote" and ä.txt'
is "$(asked "$text" | jq -c '[.type, .size, .lines]')" '["text/plain",13,3]' 'type, size and lines of a text'
is "$(asked "$text" PATH=/nowhere | jq -r .type)" text/plain                 'its type without file(1), too'
is "$(asked "$dir/zeros" | jq -r .sha256)" "$(sha256sum <"$dir/zeros" | cut -d' ' -f1)" 'SHA-256'
ok 'compressed size'             test "$(asked "$dir/zeros" | jq .gzip_size)" -lt 4000
is "$(asked "$dir/zeros" | jq .lines)" null                                  'no lines of what is no text'
is "$(asked "$dir/empty" | jq -c '[.type, .size]')" '["inode/x-empty",0]'    'an empty file'
is "$(asked "$dir/zeros" PGCREW_PROGRESS_FD=3 3>&1 >/dev/null | tail -n 1)" '100 reading' 'progress goes to 100'
is "$(status '{"path": "/nonexistent"}')" 65                                 'a missing file will stay missing'
is "$(status '{"size": 3}')" 65                                              'so will a path that was not given'
is "$(status '{"path":')" 65                                                 'or JSON that is none'
is "$(status "{\"path\": \"$dir\"}")" 65                                     'or the file in a folder'

handlers "  facts: {exec: [$facts]}"
start_daemon worker.count=1 queue.poll_interval=500ms
"$build/pgcrew" --config "$daemon_config" --database "host=$PGHOST port=$PGPORT dbname=$PGDATABASE user=$PGUSER" \
    enqueue facts --file "$dir"/* >/dev/null
all_ended() { [ "$(sql "select count(*) from public.jobs where kind = 'facts' and status = 'succeeded'")" = 3 ]; }
ok   'a job for each file succeeds'            wait_for 10 all_ended
is "$(sql "select result ->> 'sha256' from public.jobs where payload ->> 'path' = '$text'")" \
   "$(sha256sum <"$text" | cut -d' ' -f1)"     'and its result has the facts'
stop_daemon
done_testing
