#!/usr/bin/env bash
# Kinds, queues, payloads, results, errors and the log of handlers are words of others: none of them
# reaches a shell, a statement, or a terminal as more than text, and an event is one line.
. "$(dirname "$0")/../lib/setup.sh"
pg_start && migrate || bail 'no database'
daemon_setup

# ESC ] 0 ; sets a title, CSI 2 J (also as one character of C1) clears a screen, CR and BS overwrite,
# BEL rings; a line that looks like one of ours; a variable, a command, an option; SQL and a format.
evil=$'\e]0;owned\a\e[2J\u009b2J\u0085\u007f\r\b\v\fworker 1: \nsupervisor: error: forged\n<0>forged PRIORITY=0'
# shellcheck disable=SC2089  # its quotes are text, and meant to be
evil+=" \$(touch $daemon_dir/hit) \`touch $daemon_dir/hit\`; touch $daemon_dir/hit | --help %s%n'; drop table public.jobs; --\" \\"
short=$'e\e[2J\u009b2J\r\n\'";$(x) %n'
# shellcheck disable=SC2090
export evil
cat >"$daemon_dir/any" <<'END'
#!/bin/sh
# Says what it was given, and worse, everywhere.
payload=$(cat)
printf '%s\n' "$payload" >&2
printf 'bad \377\376 utf8 \300\257 \355\240\200 nul \000 end\n' >&2
printf '50 %s\n' "$payload" >&3
head -c 100000 /dev/zero | tr '\0' '\033' >&2
printf '\n\033[31mlast words\033]0;x\007\r\302\233m\n' >&2
printf '%s' "$PGCREW_JOB_KIND" | od -An -tx1 | tr -d ' \n'
case $payload in *fail*) exit 66 ;; esac
END
chmod 755 "$daemon_dir/any"
handlers "  '*': {exec: [$daemon_dir/any], keep_attempts: all}
  good: {exec: [/bin/true]}
  json: {exec: [/bin/sh, -c, 'printf %s \"\$payload_of\"'], env: ['payload_of={\"k\\u001b[2J\": \"\\u009b\\u007f\"}']}
  bytes: {exec: [/bin/sh, -c, 'printf \"\\033[2J\\302\\2332J\\377\\000x\"']}"
start_daemon worker.count=1 worker.slots=4 log.level=debug

put() { # KIND QUEUE PAYLOAD-SQL
    psql -XAtq -v ON_ERROR_STOP=1 -v kind="$1" -v queue="$2" -v payload="$3" <<'END'
insert into public.jobs (kind, queue, payload, max_attempts, user_id, unique_key)
values (:'kind', :'queue', jsonb_build_object('words', :'payload'), 1, null, :'payload' || random()) returning id;
END
}
first=$(put "$short" default "$evil")
ok 'a job of bad words succeeds'                wait_for 20 job_is "$first" succeeded
is "$(job "$first" "result #>> '{}'")" "$(printf '%s' "$short" | od -An -tx1 | tr -d ' \n')" 'its handler got the kind as it is'
second=$(put "$short" default "fail $evil")
ok 'one that fails'                             wait_for 20 job_is "$second" failed
third=$(enqueue json)
ok 'one with a result of bad words'             wait_for 20 job_is "$third" succeeded
fourth=$(enqueue bytes)
ok 'one with a result that is no text'          wait_for 20 job_is "$fourth" succeeded
nowhere=$(put good "$short" "$evil")
strange=$(enqueue good)
ok 'a good one'                                 wait_for 20 job_is "$strange" succeeded
not_ok 'no shell has run what they say'         test -e "$daemon_dir/hit"
is "$(sql 'select count(*) from public.jobs')" 6 'no statement has, either'
batch=$(sql "select gen_random_uuid()")
sql "update public.jobs set batch_id = '$batch'" >/dev/null 2>&1

# --- the log ---------------------------------------------------------------------------------

# What a terminal obeys: C0 without the line end, DEL, C1 (as UTF-8, and as bare bytes).
controls() { LC_ALL=C grep -anP '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|(?<![\xc2-\xf4\x80-\xbf])[\x80-\x9f]' "$@" | head -n 3 | cat -v; }
ok 'the log has what the handlers said'         logged 'job [0-9]+ .*last words'
is "$(controls "$daemon_out")" ''               'no control character is in the log'
is "$(grep -avE '^(supervisor|janitor|worker [0-9]+): ' "$daemon_out" | head -n 3)" '' 'each line of it has its process'
is "$(grep -acE '^supervisor: error: forged|^<0>' "$daemon_out")" 0 'none was made by somebody else'
is "$(iconv -f UTF-8 -t UTF-8 "$daemon_out" >/dev/null 2>&1; echo $?)" 0 'and it is UTF-8'
ok 'a line is cut'                              test "$(awk '{ if (length($0) > n) n = length($0) } END { print n }' "$daemon_out")" -lt 17000

# --- the tool ----------------------------------------------------------------------------------

said=$daemon_dir/said
mkdir "$said"
n=0
pgcrew() { # on a terminal, as far as it can tell, with colours off: those are ours
    n=$((n + 1))
    NO_COLOR=1 TERM=xterm script -qec "'$build/pgcrew' --socket '$daemon_socket' --config '$daemon_config' $*" /dev/null </dev/null 2>&1 |
        sed 's/\r$//' >"$said/$n"
    echo "# $*" >>"$said/commands"
}
for json in '' --json; do
    for id in $first $second $third $fourth $nowhere; do
        for words in 'job show' 'job log' why 'doctor --job'; do pgcrew "$json $words $id"; done
    done
    for words in 'job list' stats workers doctor 'batch list' "batch show $batch" "job retry $second" "job cancel $nowhere" \
        "job list --queue \"\$evil\"" "job show \"\$evil\"" "enqueue \"\$evil\" \"\$evil\"" "--database \"\$evil\" stats" \
        "--config \"\$evil\" stats" "\"\$evil\"" "--socket \"\$evil\" ping" "batch show \"\$evil\"" "--\"\$evil\"" "scale \"\$evil\"" "help \"\$evil\""; do
        pgcrew "$json $words"
    done
done
bad=$(for file in "$said"/[0-9]*; do
    found=$(controls "$file")
    [ -z "$found" ] || echo "$(sed -n "$(basename "$file")p" "$said/commands" | cut -c1-60 | cat -v): $found"
done)
is "$bad" '' 'no command brings a control character to a terminal'
is "$(cat "$said"/[0-9]* | grep -ac 'last words')" "$(cat "$said"/[0-9]* | grep -a 'last words' | grep -acF '[31mlast words')" 'what it shows has them as text'
not_ok 'no shell has run what they say'         test -e "$daemon_dir/hit"
"$build/pgcrew" --json --config "$daemon_config" job show "$third" >"$said/json"
is "$(jq -c .result "$said/json" | od -An -tx1)" "$(job "$third" result | jq -c . | od -An -tx1)" 'a program gets the very same words'

# --- configuration --------------------------------------------------------------------------------

for yaml in '"ba\e[2Jd": 1' '"worker.c\e[2Jount": 1' 'queue.names: ["a\e[2J\n"]' 'name: "a\e[2J"' 'worker.count: "\e[2J"' \
    'handlers: {"k\e[2J\n": {exex: x}}' 'handlers: {"k\e[2J\n": {exec: "/no\e[2Jt"}}' 'handlers: {"k\e[2J": {exec: /bin/true, "w\e[2J": 1}}' \
    'handlers: {k: {exec: /bin/true, user: "no\e[2Jone"}}' 'handlers: {k: {exec: /bin/true, timeout: "\e[2J"}}'; do
    echo "$yaml" >"$said/bad.yaml"
    "$build/pgcrewd" -c "$said/bad.yaml" --check >"$said/config" 2>&1
    is "$(controls "$said/config")" '' "said of $yaml"
    is "$(wc -l <"$said/config")" 1 'in one line'
done
ok 'the daemon does as ever'                    wait_for 20 job_is "$(enqueue good)" succeeded
is "$(worker_pids | wc -l)" 1                  'with its worker'
not_ok 'which was not replaced'                 logged 'starting it again'
stop_daemon
done_testing
