#!/bin/bash
# A handler that keeps a ledger outside of the database: what began, what ended, what was
# ended, and what ran although another attempt of the same job still did.
#
#   handler.sh LEDGER HOST [CLIENT]
#
# The payload is how many milliseconds the job takes.  With CLIENT, the client of
# contrib/handlers/shell, it serves jobs; else it is one attempt of exec.
#
# The lock of a job is held by whatever is left of an attempt, so the kernel says whether
# two overlap, and no clock.
umask 0 # hosts with other users write here, too
ledger=$1 host=$2 client=${3:-}

note() { # WHAT JOB ATTEMPT
    printf '%s %s %s %s %s\n' "$1" "$2" "$3" "$EPOCHREALTIME" "$host" >>"$ledger/lines"
}

attempt() { # JOB ATTEMPT MS
    local job=$1 number=$2
    trap 'note killed "$job" "$number"; exit 143' TERM
    exec 9>>"$ledger/locks/$job"
    flock -n 9 || note twice "$job" "$number"
    note begin "$job" "$number"
    sleep "$(($3 / 1000)).$(printf %03d $(($3 % 1000)))" &
    wait $!
    # From here on it counts as done.
    trap '' TERM
    note end "$job" "$number"
}

work() {
    local ms
    read -r ms || [ -n "$ms" ]
    attempt "${facts[id]}" "${facts[attempt]}" "$ms"
}

if [ -n "$client" ]; then
    # shellcheck source=contrib/handlers/shell/pgcrew-handler.sh
    . "$client"
    serve work 'ledger 1'
else
    read -r ms || [ -n "$ms" ]
    attempt "$PGCREW_JOB_ID" "$PGCREW_ATTEMPT" "$ms"
fi
