# Work on many jobs of pgcrew in one program: pgcrew-handler(7) for bash.
#
#     . pgcrew-handler.sh
#     work() {
#         path=$(jq -er .path) || failure 'no path' never
#         progress 10 reading
#         jq -n --argjson size "$(stat -c %s "$path")" '{size: $size}'
#     }
#     serve work 'sizes 1.0'
#
# As in pgcrew-exec(7) the payload is the function's standard input and what it prints is
# the result; ${facts[id]}, ${facts[kind]}, ${facts[attempt]} ... say more.  One job at a
# time, in a subshell: a cancellation is heard when it has ended.
# shellcheck shell=bash disable=SC2059
declare -A facts

# failure TEXT [retry|never|snooze [WAIT_MS]]: ends the attempt; snooze is not counted.
failure() { printf '\1%s\1%s\1%s' "${2:-retry}" "${3:-}" "$1" && exit 1; }
progress() { pgcrew_put 4 =progress "#$pgcrew_job" "#${1%.*}" "${2:+=$2}"; } # PERCENT [NOTE]
log() { pgcrew_put 3 =log "#$pgcrew_job" "=$1"; }

# serve FUNCTION [NAME]: calls it for each job; returns when pgcrew wants no more.
serve() {
    : "${PGCREW_HANDLER_FD:?is not set: pgcrew starts this program, see pgcrew-handler(7)}"
    pgcrew_put 2 =hello %3 =version '#1' =name "=${2:-shell}" =in_flight '#1'
    while pgcrew_number 4; do
        pgcrew_left=$value # bytes of this frame
        pgcrew_byte        # how many elements: at least those we know
        pgcrew_value
        case $value in
            job) pgcrew_value && pgcrew_job=$value && pgcrew_value && pgcrew_value && pgcrew_run "$1" ;;
            drain | quit) return ;;
        esac
        head -c "$pgcrew_left" <&3 >/dev/null # what a later version has added
    done
}

pgcrew_run() {
    local said status again wait_ms error
    said=$(printf '%s' "$value" | "$1")
    status=$?
    IFS=$'\1' read -r -d '' _ again wait_ms error < <(printf %s "$said")
    if [ $status -eq 0 ]; then
        pgcrew_put 3 =result "#$pgcrew_job" "${said:+=$said}"
    else
        pgcrew_put 3 =failure "#$pgcrew_job" "%$((2 + 0${wait_ms:+1}))" =again "=${again:-retry}" \
            =error "=${error:-exit status $status}" ${wait_ms:+=wait_ms "#$wait_ms"}
    fi
}

# put N ELEMENT...: an array of N: =TEXT, #NUMBER, %PAIRS (which follow), anything else is nil
pgcrew_put() {
    local LC_ALL=C element hex format='' texts=()
    for element in "${@:2}"; do
        case $element in
            =*) pgcrew_hex 4 $((${#element} - 1)) && format+="\\xdb$hex%s" && texts+=("${element:1}") ;;
            '#'*) pgcrew_hex 8 "${element:1}" && format+="\\xcf$hex" ;;
            %*) format+="\\x8${element:1}" ;;
            *) format+='\xc0' ;;
        esac
    done
    pgcrew_hex 4 "$(printf "\\x9$1$format" "${texts[@]}" | wc -c)"
    printf "$hex\\x9$1$format" "${texts[@]}" >&3
}

pgcrew_hex() { # BYTES NUMBER: $hex is what printf makes those bytes of
    local i
    hex=
    for ((i = $1 * 8 - 8; i >= 0; i -= 8)); do printf -v hex '%s\\x%02x' "$hex" $(($2 >> i & 255)); done
}

pgcrew_byte() {
    local LC_ALL=C
    IFS= read -r -d '' -n 1 -u 3 byte || exit 0 # pgcrew is gone
    printf -v byte %d "'$byte"
    byte=$((byte & 255)) pgcrew_left=$((pgcrew_left - 1))
}
pgcrew_number() { # BYTES
    local i
    for ((i = value = 0; i < $1; i++)); do pgcrew_byte && value=$((value << 8 | byte)); done
}
pgcrew_text() { # BYTES
    local LC_ALL=C
    IFS= read -r -N "$1" -u 3 value && pgcrew_left=$((pgcrew_left - $1))
}

pgcrew_value() { # the next one: $value, or ${facts[...]} if it is a map
    local n=-1 key
    pgcrew_byte
    if ((byte < 0x80)); then value=$byte
    elif ((byte < 0x90)); then n=$((byte & 15))
    elif ((byte < 0xc0)); then pgcrew_text $((byte & 31))
    elif ((byte >= 0xcc && byte <= 0xcf)); then pgcrew_number $((1 << (byte & 3)))
    elif ((byte >= 0xd9 && byte <= 0xdb)); then pgcrew_number $((1 << (byte - 0xd9))) && pgcrew_text "$value"
    elif ((byte == 0xde)); then pgcrew_number 2 && n=$value
    else value=
    fi
    for (( ; n > 0; n--)); do pgcrew_value && key=$value && pgcrew_value && facts[$key]=$value; done
}
