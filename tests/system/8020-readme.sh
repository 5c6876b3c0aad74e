#!/usr/bin/env bash
# What README.md shows is true: its blocks are run as they stand there, from the
# migration to the progress bar.
. "$(dirname "$0")/../lib/setup.sh"

export PATH=$build:$PATH
readme=$repo/README.md

# blocks LANGUAGE [REGEX]: the code of those that match, without the indent of its list.
blocks() {
    awk -v language="$1" -v wanted="${2:-.}" '
        !inside && $0 ~ "^ *```" language "$" { inside = 1; text = ""; indent = index($0, "`") - 1; next }
        inside && /^ *```$/ { inside = 0; if (text ~ wanted) printf "%s", text; next }
        inside { text = text substr($0, 1 + (length($0) ? indent : 0)) "\n" }' "$readme"
}

# --- the words ------------------------------------------------------------------------

for program in $(blocks sh | grep -oE '^\./[^ ]+'); do
    ok "$program is there" test -x "$repo/$program"
done
like "$("$repo/contrib/quickstart" --help)" '\-\-keep' "contrib/quickstart has --keep"

# Each `pgcrew ...` of the text is a command, with options it has.
mapfile -t lines < <(grep -oE '`pgcrew [^`]+`' "$readme" | tr -d '`' | sort -u)
ok "the text names commands" test ${#lines[@]} -gt 4
for line in "${lines[@]}"; do
    read -ra words <<<"$line"
    help=$(pgcrew help "${words[1]}" 2>&1) || help=
    [ "${words[1]}" != help ] || help=$(pgcrew help)
    for word in "${words[@]}"; do
        case $word in
            --*) printf '%s' "$help" | grep -q -- "$word " || help= ;;
        esac
    done
    ok "$line" test -n "$help"
done
for target in $(grep -oE '`make [a-z]+`' "$readme" | tr -d '`' | cut -d ' ' -f 2); do
    ok "make $target" grep -q "^$target:" "$build/Makefile"
done

# --- from an upload to a progress bar -----------------------------------------------------

pg_start
daemon_setup
run_blocks() {
    (
        cd "$daemon_dir" || exit 1
        export DATABASE_URL="host=$PGHOST port=$PGPORT dbname=$PGDATABASE user=$PGUSER"
        eval "$1" >block.log 2>&1 </dev/null || {
            sed 's/^/# /' block.log
            exit 1
        }
    )
}
ok "1. the tables"     run_blocks "$(blocks sh 'pgcrew .*migrate')"
ok "2. the kinds"      sql "$(blocks sql pgcrew.kinds)"
ok "3. the login"      sql "$(blocks sql 'alter role')"

gateway_port=$(free_port)
dashboard_port=$(free_port)

# 4. and 5.: the program of the example is not on this machine; ours stands in for it.
cat >"$daemon_dir/thumbnail" <<'END'
#!/bin/sh
payload=$(cat)
echo "42 resizing" >&3
echo "{\"of\": $payload, \"size\": \"$2\"}"
END
chmod 755 "$daemon_dir" "$daemon_dir/thumbnail"
{
    echo "database.url: host=$PGHOST port=$PGPORT dbname=$PGDATABASE user=pgcrew_worker"
    echo "control.socket: $daemon_socket"
    blocks yaml | sed "s|/usr/local/lib/thumbnail|$daemon_dir/thumbnail|; s|/etc/pgcrew|$daemon_dir|; \
        s|:8480|:$gateway_port|; s|:8481|:$dashboard_port|"
} >"$daemon_config"
(umask 077; cd "$daemon_dir" && eval "$(grep -oE 'openssl rand -hex 32' "$readme") >dashboard.token")
export PGCREW_GATEWAY_DATABASE_URL="host=$PGHOST port=$PGPORT dbname=$PGDATABASE user=pgcrew_gateway"
export SUPABASE_JWT_SECRET=an-example-of-a-secret-of-32-bytes-or-more
ok "5. the configuration" run_blocks "pgcrewd -c $daemon_config --check"
run_daemon
ok "5. the daemon works" wait_for 20 workers_hold 1

# 6. in the browser: the same call as supabase-js makes, by the names it sends.
user=11111111-1111-4111-8111-111111111111
as_user() {
    psql -XAtq -v ON_ERROR_STOP=1 -c 'set role authenticated' \
        -c "select set_config('request.jwt.claims', '{\"sub\": \"$user\", \"role\": \"authenticated\"}', false)" \
        -c "$1" | tail -n 1
}
like "$(blocks js)" "rpc\('enqueue_jobs'" "6. the browser calls enqueue_jobs"
batch=$(as_user "select public.enqueue_jobs(kind => 'thumbnail', payloads => '[{\"path\": \"b.jpg\"}]') ->> 'batch_id'")
like "$batch" '^[0-9a-f-]{36}$' "6. and gets its batch_id"
ok "6. SQL" sql "$(blocks sql 'insert into public.jobs')"
cat >"$daemon_dir/insert.c" <<END
#include <libpq-fe.h>
#include <stddef.h>
int main(void) {
const char *batch_id = "$batch", *user_id = "$user";
PGconn *conn = PQconnectdb("");
$(blocks c)
return PQresultStatus(res) != PGRES_COMMAND_OK;
}
END
ok "6. C compiles" run_blocks "cc -Wall -Werror -I\$(pg_config --includedir) insert.c -o insert -lpq"
ok "6. and inserts" run_blocks ./insert
touch "$daemon_dir/a.jpg" "$daemon_dir/b c.jpg"
ok "6. a shell" run_blocks "$(printf '%s\n' "${lines[@]}" | grep 'enqueue thumbnail')"

# 7. and the bar.
ok "all of them are done" wait_for 20 all_ended
is "$(sql 'select count(*) from jobs')" 5 "one from the browser, one by SQL, one by C, two by the shell"
is "$(sql "select distinct status || ' ' || (result ->> 'size') from jobs")" "succeeded 200" "all of them succeeded"
like "$(blocks js)" "rpc\('batch_status', \{ batch_id: " "7. the browser calls batch_status"
status=$(as_user "select public.batch_status(batch_id => '$batch')")
for field in $(blocks js | grep -oE 'status\.[a-z_]+' | cut -d . -f 2 | sort -u); do
    is "$(jq "has(\"$field\")" <<<"$status")" true "7. its answer has $field"
done
is "$(jq -c '[.percent == 100, .done, .succeeded]' <<<"$status")" '[true,true,2]' "7. and says all is done"

# Over HTTP: the batch is done, so the stream of events ends by itself.
gateway_ready() { curl -fsS "http://127.0.0.1:$gateway_port/readyz" >"$daemon_dir/readyz" 2>&1; }
ok "the gateway serves" wait_for 20 gateway_ready
over_http() {
    run_blocks "batch=$batch; $(blocks sh 'api/batch_status' | sed "s|:8480|:$gateway_port|; s|pgcrew token|pgcrew --config $daemon_config token|")" &&
        cat "$daemon_dir/block.log"
}
out=$(over_http)
like "$out" '"succeeded": 2' "a user's token gets the status of the batch"
like "$out" '^event: done$' "and its events, to the end"
like "$(curl -sS "http://127.0.0.1:$dashboard_port/")" '<title>pgcrew</title>' "the dashboard is there"
like "$(curl -sS "http://127.0.0.1:$dashboard_port/metrics")" '^pgcrew_up 1$' "and the metrics"

# Recurring jobs.
ok "the schedules are added" run_blocks "$(blocks sh 'pgcrew schedule add')"
is "$(sql "select count(*) from pgcrew.schedules where next_at > now()")" 2 "and are due some day"
done_testing
