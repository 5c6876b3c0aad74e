#!/usr/bin/env bash
# Every command and option of the tool is in its manual page and in the completion, and
# those name nothing that it does not have.
set -u
. "$(dirname "$0")/../lib/tap.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
tool=${PGCREW_BUILD:?PGCREW_BUILD must name the build folder}/pgcrew
page=$top/src/cli/pgcrew.1
completion=$top/contrib/completion/pgcrew

# "batch show", "why" ...; then "--queue" ...: what the tool says of itself.
commands() {
    "$tool" help | awk '/^commands:/ { on = 1; next } /^$/ { on = 0 } on' |
        sed -E 's/^  ([a-z]+( [a-z]+)?)( .*)?$/\1/; s/  .*//' | sed -E 's/ +$//'
}
options_of() {
    "$tool" help "$@" | grep -oE '^  +(-[a-zA-Z0-9], )?--[a-z-]+' | grep -oE -- '--[a-z-]+' | sort -u
}
page_commands() {
    sed -n 's/^\.It Cm //p' "$page" | sed -n '/^migrate Op/,/^help/p' | sed -E 's/ (Op|Ar|Fl) ?(Cm )?/ /' |
        awk '{ print ($2 == "up" || $1 ~ /^(migrate|batch|job|queue|schedule)$/) ? $1 " " $2 : $1 }' | sort -u
}
page_options() {
    grep -oE '^\.It (Fl [a-zA-Z0-9] , )?Fl Fl [a-z-]+' "$page" | sed 's/.*Fl Fl /--/' | sort -u
}
# complete WORD...: what the completion offers after these words.
complete_after() {
    bash -c '
        . "$1"; shift
        COMP_WORDS=(pgcrew "$@" ""); COMP_CWORD=$(($# + 1)); _pgcrew; printf "%s\n" "${COMPREPLY[@]}"
    ' - "$completion" "$@" | sort -u
}
complete_options() {
    bash -c '
        . "$1"; shift
        COMP_WORDS=(pgcrew "$@" "--"); COMP_CWORD=$(($# + 1)); _pgcrew; printf "%s\n" "${COMPREPLY[@]}"
    ' - "$completion" "$@" | sort -u
}

mapfile -t rows < <(commands)
ok "the tool has commands" test ${#rows[@]} -gt 20
is "$(commands | sort -u)" "$(page_commands)" "the manual page has exactly these commands"
is "$(for row in "${rows[@]}"; do read -ra words <<<"$row"; options_of "${words[@]}"; done | sort -u)" \
    "$(page_options)" "and exactly these options"
is "$(commands | cut -d ' ' -f 1 | sort -u)" "$(complete_after help | grep -v ^-)" \
    "the completion has exactly these commands"
for row in "${rows[@]}"; do
    read -ra words <<<"$row"
    is "$(complete_options "${words[@]}")" "$(options_of "${words[@]}")" "the completion has the options of $row"
    if [ ${#words[@]} -gt 1 ]; then
        ok "and its second word" grep -qx "${words[1]}" <<<"$(complete_after "${words[0]}")"
    fi
    like "$("$tool" help "${words[@]}")" 'examples:' "its help has an example"
    is "$("$tool" "${words[@]}" --help)" "$("$tool" help "${words[@]}")" "--help says the same"
done
is "$(complete_after job list --status | head -n 1)" cancelled "values are completed"

done_testing
