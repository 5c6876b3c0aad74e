#!/usr/bin/env bash
# What a handler can do, one of each: {"do": "add", "a": 1, "b": 2} and so on.
. "$(dirname "$0")/pgcrew-handler.sh"

work() {
    local payload ms
    payload=$(cat)
    case $(jq -r '.do?' <<<"$payload") in
        echo) printf '%s' "$payload" ;;
        add) jq -c '{sum: (.a + .b)}' <<<"$payload" ;;
        facts) jq -nc --arg id "${facts[id]}" --arg kind "${facts[kind]}" '{id: ($id | tonumber), kind: $kind}' ;;
        progress)
            progress 50 half
            echo '{"told": 50}'
            ;;
        log)
            log 'a line of the log'
            echo 'this is no result' >&2
            echo '{"logged": true}'
            ;;
        sleep)
            ms=$(jq .ms <<<"$payload")
            sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
            echo "{\"slept\": $ms}"
            ;;
        fail) failure 'not this time' ;;
        never) failure 'it can not be done' never ;;
        snooze) failure 'not yet' snooze "$(jq .ms <<<"$payload")" ;;
        crash) no-such-program ;;
        *) failure 'nothing to do' never ;;
    esac
}

serve work 'example 1.0'
