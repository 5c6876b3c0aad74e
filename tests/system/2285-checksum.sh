#!/usr/bin/env bash
# The module that ships: installed, found by pkg-config, and a module of the man page's
# example compiled against the installed header.
. "$(dirname "$0")/../lib/setup.sh"
pg_start && migrate || bail 'no database'
daemon_setup

root=$daemon_dir/root
installs() { make -s -C "$build" install DESTDIR="$root" >/dev/null 2>&1; }
ok 'it is installed'                               installs
pc=$(find "$root" -name pgcrew.pc)
modules=$root$(PKG_CONFIG_PATH=$(dirname "$pc") pkg-config --variable=modulesdir pgcrew)
ok 'pkg-config knows where'                        test -f "$modules/checksum.so"

# The example of the manual, as somebody would copy it.
sed -n '/^#include <pgcrew/,/^\.Ed/p' "$repo/src/module/pgcrew-module.7" | sed 's/^\.Ed$//; s/\\e/\\/g' >"$daemon_dir/hello.c"
flags=$(PKG_CONFIG_PATH=$(dirname "$pc") PKG_CONFIG_SYSROOT_DIR=$root pkg-config --cflags pgcrew)
# shellcheck disable=SC2086  # several words
ok "the manual's example compiles"                 cc -Wall -Wextra -Werror -shared -fPIC $flags "$daemon_dir/hello.c" -o "$daemon_dir/hello.so"
printf '#include <pgcrew/handler.h>\nint main() { return PGCREW_DONE; }\n' >"$daemon_dir/a.cc"
if command -v g++ >/dev/null; then
    # shellcheck disable=SC2086
    ok 'C++ can read the header'                   g++ -Wall -Wextra -Werror -fsyntax-only $flags "$daemon_dir/a.cc"
else
    skip 'no g++'                                  'C++ can read the header'
fi

handlers "  hello: {module: $daemon_dir/hello.so}
  sha256: {module: $modules/checksum.so}
  other: {module: $modules/checksum.so, function: sha512}"
start_daemon worker.count=1 queue.poll_interval=500ms
id=$(enqueue hello '{"a": 1}')
ok 'it runs'                                       wait_for 10 job_is "$id" succeeded
is "$(job "$id" result)" '{"a": 1}'               'and answers'
head -c 3000000 /dev/urandom >"$daemon_dir/data"
id=$(enqueue sha256 "{\"path\": \"$daemon_dir/data\"}")
ok 'a file is read'                                wait_for 10 job_is "$id" succeeded
is "$(job "$id" "result ->> 'checksum'")" "$(sha256sum <"$daemon_dir/data" | cut -d' ' -f1)" 'and its checksum is right'
is "$(job "$id" "result ->> 'size'")" 3000000     'so is its size'
id=$(enqueue other "{\"path\": \"$daemon_dir/data\"}")
ok 'by another function'                           wait_for 10 job_is "$id" succeeded
is "$(job "$id" "result ->> 'checksum'")" "$(sha512sum <"$daemon_dir/data" | cut -d' ' -f1)" 'another checksum'
id=$(enqueue sha256 '{"path": "/no/such/file"}')
ok 'a file that is missing fails'                  wait_for 10 job_is "$id" failed
is "$(job "$id" error)" 'No such file or directory' 'and says so'
is "$(job "$id" attempts)" 1                      'once'
id=$(enqueue sha256 '[]')
ok 'so does a payload without a path'              wait_for 10 job_is "$id" failed
stop_daemon
done_testing
