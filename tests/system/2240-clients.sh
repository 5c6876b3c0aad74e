#!/usr/bin/env bash
# The clients of contrib/handlers, each in its own language: what pgcrew-handler(7) asks of
# them, jobs of a real daemon, and the programs that contrib/handlers/README.md shows.
# timeout: 600
. "$(dirname "$0")/../lib/setup.sh"
# shellcheck source=tests/lib/packages.sh
. "$here/packages.sh"
daemon_setup
clients=$repo/contrib/handlers
driver=$build/tests/unit/serve_driver
[ -x "$driver" ] || bail "$driver is not built"
here=$daemon_dir/handlers # a copy: npm and compilers write beside the sources
cp -R "$clients" "$here"

# --- their files ------------------------------------------------------------------------------

for file in python/pgcrew_handler.py node/pgcrew-handler.mjs ruby/pgcrew_handler.rb go/pgcrew_handler.go \
    php/pgcrew_handler.php perl/PgcrewHandler.pm shell/pgcrew-handler.sh \
    c/pgcrew_handler.h c/pgcrew_handler.c c/pgcrew_say.c; do
    ok "$file has less than 100 lines" test "$(wc -l <"$clients/$file")" -lt 100
    ok "and none is long" test "$(wc -L <"$clients/$file")" -le 120
done

# --- the languages ----------------------------------------------------------------------------

# What is there without its msgpack is not there.  The commands run in $here/LANGUAGE.
# Not any python3, ruby or perl of the PATH: that of the Debian packages.
declare -A has=(
    [python]="/usr/bin/python3 -c 'import msgpack'"
    [node]="node --version && command -v npm"
    [ruby]="/usr/bin/ruby -rmsgpack -e 1"
    [go]="go version && test -d /usr/share/gocode/src/github.com/vmihailenco/msgpack/v5"
    [php]="/usr/bin/php -r 'msgpack_pack(1);'"
    [perl]="/usr/bin/perl -MData::MessagePack -e 1"
    [c]="cc --version && pkg-config --exists jansson"
    [shell]="jq --version"
)
declare -A packages=(
    [python]='python3 python3-msgpack'
    [node]='nodejs npm'
    [ruby]='ruby ruby-msgpack'
    [go]='golang-go golang-github-vmihailenco-msgpack.v5-dev'
    [php]='php-cli php-msgpack'
    [perl]='perl libdata-messagepack-perl'
    [c]='gcc libjansson-dev'
    [shell]='jq'
)
declare -A run=(
    [python]='/usr/bin/python3 %.py'
    [node]='node %.mjs'
    [ruby]='/usr/bin/ruby %.rb'
    [go]='%'
    [php]='/usr/bin/php %.php'
    [perl]='/usr/bin/perl %.pl'
    [c]='%'
    [shell]='bash %.sh'
)
declare -A can=(
    [python]='in_flight=4 heartbeat'
    [node]='in_flight=4 heartbeat'
    [ruby]='in_flight=4 heartbeat'
    [go]='in_flight=4 heartbeat'
    [php]=''
    [perl]=''
    [c]='dies'
    [shell]='deaf'
)
languages=(python node ruby go php perl c shell)

has() {
    (cd "$here/$1" && eval "${has[$1]}") >/dev/null 2>&1
}

# npm and nodejs of Debian are 400 packages: where they are missing, they stay so.
install_missing() {
    local language missing=()
    for language in "${languages[@]}"; do
        has "$language" || [ "$language" = node ] || read -ra more <<<"${packages[$language]}"
        missing+=("${more[@]}")
        more=()
    done
    [ ${#missing[@]} -gt 0 ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null || return 0
    install_debian "${missing[@]}" || tap_say 'apt-get: ' "$(tail -n 3 <<<"$apt_said")"
}

# What has to be made of the sources before they run, by the words of the README.
prepare() {
    case $1 in
        node) (cd "$here/node" && timeout 120 npm install --no-audit --no-fund --silent) ;;
        go | c) (cd "$here/$1" && eval "$(blocks sh "$1" | sed 's/size/example/g')") ;;
    esac
}

# command_of LANGUAGE NAME: what starts the program of that name.
command_of() {
    local words
    read -ra words <<<"${run[$1]}"
    echo "$(command -v "${words[0]/\%/$here/$1/$2}") ${words[*]:1}" | sed "s|%|$here/$1/$2|"
}

# blocks FENCE [LANGUAGE]: the code that README.md shows in the part of that language.
blocks() {
    awk -v fence="$1" -v part="${2:-.}" '
        /^###? / { here = tolower($0) ~ "^###? " part "$" }
        !inside && $0 == "```" fence && here { inside = 1; next }
        inside && $0 == "```" { inside = 0 }
        inside' "$clients/README.md"
}

# --- what the protocol asks -------------------------------------------------------------------

conforms() {
    local language=$1 line out=$daemon_dir/$1.tap words
    read -ra words <<<"${can[$language]} -- $(command_of "$language" example)"
    timeout 180 "$driver" "${words[@]}" >"$out" 2>&1 </dev/null
    while IFS= read -r line; do
        case $line in
            'ok '*) tap_pass "$language: ${line#* - }" ;;
            'not ok '*) tap_fail "$language: ${line#* - }" ;;
            '#'*) echo "$line" ;;
        esac
    done <"$out"
    ok "$language: that was all" grep -q '^1\.\.' "$out"
}

install_missing
there=()
for language in "${languages[@]}"; do
    if ! has "$language"; then
        skip "not installed: ${packages[$language]}" "$language"
    elif ! prepare "$language" >"$daemon_dir/prepare.log" 2>&1; then
        if [ "$language" = node ]; then
            skip 'npm cannot install @msgpack/msgpack' node
        else
            tap_fail "$language: the example can be built"
            tap_say '' "$(tail -n 5 "$daemon_dir/prepare.log")"
        fi
    else
        there+=("$language")
        conforms "$language"
    fi
done

# --- jobs of a daemon -------------------------------------------------------------------------

pg_start && migrate || bail 'no database'
# yaml_list WORD...
yaml_list() {
    printf '[%s' "$1"
    shift
    printf ', %s' "$@"
    echo ']'
}
config=
for language in "${there[@]}"; do
    read -ra words <<<"$(command_of "$language" example)"
    config+="  $language: {serve: $(yaml_list "${words[@]}"), in_flight: 4, retry_first: 10ms}"$'\n'
done
handlers "$config"
start_daemon worker.count=1 worker.slots=8 queue.poll_interval=200ms handler.keep_attempts=all

sql "insert into public.jobs (kind, payload)
     select kind, jsonb_build_object('do', 'add', 'a', n, 'b', 9007199254740000)
       from unnest('{$(IFS=, && echo "${there[*]}")}'::text[]) kind, generate_series(1, 20) n"
sql "insert into public.jobs (kind, payload, max_attempts)
     select distinct kind, '{\"do\": \"fail\"}'::jsonb, 2 from public.jobs"
sql "insert into public.jobs (kind, payload)
     select distinct kind, '{\"do\": \"snooze\", \"ms\": 50}'::jsonb from public.jobs"
only_snoozes() {
    [ "$(sql "select count(*) from public.jobs
               where status in ('queued', 'running') and payload ->> 'do' <> 'snooze'")" = 0 ]
}
snoozed_twice() {
    [ "$(sql "select count(*) from (select from pgcrew.attempts where cause = 'snoozed'
               group by job_id having count(*) > 1) s")" = ${#there[@]} ]
}
ok 'the daemon and PostgreSQL: all jobs end' wait_for 60 only_snoozes
ok 'but those that are snoozed' wait_for 20 snoozed_twice
for language in "${there[@]}"; do
    is "$(sql "select count(*) from public.jobs where kind = '$language' and status = 'succeeded'
                  and (result ->> 'sum')::bigint = (payload ->> 'a')::bigint + 9007199254740000")" 20 \
        "$language: 20 jobs have the right results"
    is "$(sql "select status || ' ' || attempts || ' ' || error from public.jobs
                where kind = '$language' and payload ->> 'do' = 'fail'")" 'failed 2 not this time' \
        "$language: one has failed, after two attempts"
    is "$(sql "select attempts from public.jobs where kind = '$language' and payload ->> 'do' = 'snooze'")" 0 \
        "$language: a snooze is not charged"
done
not_ok 'nobody broke the protocol' logged 'broke the protocol'
ok 'the daemon drains them' stop_daemon
is "$daemon_status" 0 'and ends well'

# --- what the README shows ----------------------------------------------------------------------

declare -A fence=([node]=js [shell]=bash)
declare -A part=([node]='node.js' [shell]=bash)
declare -A suffix=([python]=py [node]=mjs [ruby]=rb [go]=go [php]=php [perl]=pl [c]=c [shell]=sh)
config=
for language in "${there[@]}"; do
    blocks "${fence[$language]:-$language}" "${part[$language]:-$language}" >"$here/$language/size.${suffix[$language]}"
    ok "README.md has a program in $language" test -s "$here/$language/size.${suffix[$language]}"
    if [ "$language" = go ] || [ "$language" = c ]; then
        ok 'that is built as it says' eval "(cd '$here/$language' && $(blocks sh "$language")) >/dev/null 2>&1"
    fi
    read -ra words <<<"$(command_of "$language" size)"
    config+="  $language: {serve: $(yaml_list "${words[@]}"), in_flight: 4}"$'\n'
done
kinds=("${there[@]}")
if [ "${there[0]}" = python ]; then
    # Its configuration, with the path of our copy.
    config+=$(blocks yaml '.*' | sed "1d; s|/usr/local/lib/myapp/|$here/python/|")
    kinds+=(size)
else
    skip "not installed: ${packages[python]}" 'the configuration of README.md'
fi
handlers "$config"
sql 'delete from public.jobs'
start_daemon worker.count=1 worker.slots=8 queue.poll_interval=200ms
sql "insert into public.jobs (kind, payload) select kind, payload::jsonb
       from unnest('{$(IFS=, && echo "${kinds[*]}")}'::text[]) kind,
            unnest(array['{\"path\": \"/etc/passwd\"}', '{}']) payload"
ok 'the programs of README.md do their jobs' wait_for 60 all_ended
for kind in "${kinds[@]}"; do
    is "$(sql "select string_agg(status || coalesce(' ' || error, ''), ', ' order by id)
                 from public.jobs where kind = '$kind'")" 'succeeded, failed no path' \
        "$kind: one succeeds, one fails for good"
    is "$(sql "select result ->> 'size' from public.jobs where kind = '$kind' and status = 'succeeded'")" \
        "$(stat -c %s /etc/passwd)" "$kind: with the size"
done
stop_daemon
done_testing
