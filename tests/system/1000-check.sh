#!/usr/bin/env bash
# A configuration that is wrong: file, line, what is wrong, the nearest name; status 78.
. "$(dirname "$0")/../lib/setup.sh"
dir=$(mktemp -d "${TMPDIR:-/tmp}/pgcrew-check.XXXXXX")
trap 'rm -rf "$dir"' EXIT
file=$dir/pgcrew.yaml

# says NAME CONTENT REGEX
says() {
    local said status
    printf '%s\n' "$2" >"$file"
    said=$("$build/pgcrewd" -c "$file" --check 2>&1)
    status=$?
    like "$said" "$3" "$1"
    is "$status" 78 "$1: status 78"
}

says 'an unknown key'       $'name: x\nworker.cuont: 2'                     "pgcrew.yaml:2: .*worker.cuont.*worker.count"
says 'a nested unknown key' $'worker:\n  count: 2\n  slotz: 1'              'pgcrew.yaml:3: .*slotz.*slots'
says 'a wrong type'         'worker.count: many'                            'pgcrew.yaml:1: .*worker.count'
says 'a list for a number'  'worker.count: [1, 2]'                          'pgcrew.yaml:1: .*worker.count'
says 'out of range'         'worker.slots: 0'                               'pgcrew.yaml:1: .*worker.slots.*1'
says 'a time without sense' 'queue.lease: soon'                             'pgcrew.yaml:1: .*queue.lease'
says 'a key twice'          $'worker.count: 1\nworker.count: 2'             'pgcrew.yaml:2: '
says 'no YAML at all'       $'worker: [1,\nqueue: }'                        'pgcrew.yaml:[0-9]+: '
says 'a missing program'    $'handlers:\n  mail: {exec: [/no/such/program]}' 'pgcrew.yaml:2: .*/no/such/program'
touch "$dir/plain"
says 'not executable'       $'handlers:\n  mail: {exec: ['"$dir/plain]}"    'pgcrew.yaml:2: .*plain'
says 'a folder as program'  $'handlers:\n  mail: {exec: [/usr]}'            'pgcrew.yaml:2: .*/usr'
says 'an unknown handler key' $'handlers:\n  mail: {exec: [/bin/true], timeuot: 3s}' 'pgcrew.yaml:2: .*timeuot.*timeout'
says 'an API key for a URL' 'database.url: sb_secret_abc'                   'API key'

said=$("$build/pgcrewd" -c "$dir/missing.yaml" --check 2>&1)
is "$?" 78                              'a missing file: status 78'
like "$said" 'missing.yaml'             'a missing file is named'
if [ "$(id -u)" -eq 0 ]; then
    printf 'worker.count: 1\n' >"$file"
    chmod 600 "$file"
    chmod 755 "$dir"
    said=$(setpriv --reuid=65534 --regid=65534 --clear-groups "$build/pgcrewd" -c "$file" --check 2>&1)
    is "$?" 78                          'an unreadable file: status 78'
    like "$said" 'pgcrew.yaml.*[Pp]ermission' 'an unreadable file is named, with the reason'
else
    skip 'needs root' 'an unreadable file: status 78'
    skip 'needs root' 'an unreadable file is named, with the reason'
fi

printf 'worker.count: 3\nhandlers:\n  mail: {exec: [/bin/true]}\n' >"$file"
ok 'a good file is fine'                "$build/pgcrewd" -c "$file" --check
like "$("$build/pgcrewd" -c "$file" --show-config)" 'count: *"?3' 'the configuration in force is shown'
not_ok 'an unknown option is wrong use' "$build/pgcrewd" --bogus 2>/dev/null
like "$("$build/pgcrewd" --help)" '--check' '--help names the options'
like "$("$build/pgcrewd" --version)" '[0-9]+\.[0-9]+' '--version says which'
done_testing
