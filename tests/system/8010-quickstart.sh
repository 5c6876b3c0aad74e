#!/usr/bin/env bash
# contrib/quickstart: 300 files of all sorts, wrong use, --keep and --stop.
. "$(dirname "$0")/../lib/setup.sh"
dir=$(mktemp -d "${TMPDIR:-/tmp}/pgcrew-quick.XXXXXX")
trap 'HOME=$dir/home "$repo/contrib/quickstart" --stop >/dev/null 2>&1; rm -rf "$dir"' EXIT
mkdir "$dir/home" "$dir/files"
quickstart() { env -u XDG_CACHE_HOME HOME="$dir/home" "$repo/contrib/quickstart" --build "$build" "$@" </dev/null 2>&1; }

for i in $(seq 290); do head -c $((i * 37)) /dev/urandom >"$dir/files/random $i.bin"; done
: >"$dir/files/empty"
echo text >"$dir/files/with 'quotes' and \"more\""
echo text >"$dir/files/ünïcödé – ☃"
echo text >"$dir/files/-rf"
echo text >"$dir/files/\$(touch $$)"
printf 'new\nline' >"$dir/files/new"$'\n'line
echo text >"$dir/files/tab	tab"
echo '{"json": true}' >"$dir/files/j.json"
printf '\0\0\0' >"$dir/files/zero"
head -c 3000000 /dev/zero >"$dir/files/large"
is "$(find "$dir/files" -type f -printf x | wc -c)" 300    'there are 300 files'

said=$(quickstart "$dir/files")
is "$?" 0                                                  'it ends with status 0'
like "$said" '300 files'                                   'it takes all of them'
like "$said" 'succeeded: +300'                             'the user sees 300 succeeded'
like "$said" 'failed: +0'                                  'and none failed'
like "$said" '100.0 %: 300 of 300'                         'the progress goes to the end'
not_ok 'no daemon is left'                                 pgrep -f "pgcrewd --config .*pgcrew-quickstart"
not_ok 'no file name was taken for a command'              test -e "$$"

said=$(quickstart "$dir/no such file")
is "$?" 2                                                  'a file that is not there is wrong use'
like "$said" 'no such file.*does not exist'                'and is named'
said=$(quickstart --bogus)
is "$?" 2                                                  'an unknown option is wrong use'

said=$(quickstart --keep "$dir/files/j.json")
is "$?" 0                                                  '--keep: ends with status 0'
like "$said" '--stop'                                      '--keep: says how to stop it'
kept=$(readlink "$dir/home/.cache/pgcrew-quickstart/kept")
pid=$(cat "$kept/pgcrewd.pid")
# One that nobody has waited for yet has no command line any more.
runs() { tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -q pgcrewd; }
ok '--keep: the daemon runs'                               runs
ok '--keep: and answers'                                   "$build/pgcrew" --config "$kept/pgcrew.yaml" ping
said=$(quickstart --stop)
is "$?" 0                                                  '--stop: ends with status 0'
not_ok '--stop: the daemon is gone'                        runs
not_ok '--stop: so is its folder'                          test -e "$kept"
said=$(quickstart --stop)
is "$?" 1                                                  '--stop: nothing to stop is status 1'
done_testing
