#!/usr/bin/env bash
# What must not stand in any file: unfinished work, conflict markers, blanks at line ends.
set -u
. "$(dirname "$0")/../lib/tap.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top" || exit 1

# here PATTERN: where it stands, this file left out.
here() {
    grep -rnIE --exclude-dir=.git --exclude-dir=build-aux --exclude-dir=autom4te.cache \
        --exclude=words.sh --exclude=configure --exclude='configure~' --exclude=aclocal.m4 \
        --exclude=Makefile.in --exclude-dir='build*' --exclude='*.out' \
        -e "$1" src migrations tests conf contrib debian configure.ac Makefile.am ./*.md 2>/dev/null
}

is "$(here '\b(TODO|FIXME|XXX)\b' | grep -v 'XXXXXX')" "" "nothing is left to be done later"
is "$(here '^(<<<<<<<|>>>>>>>) ')" "" "no conflict markers"
# In tests a blank may be what an answer ends with.
is "$(here '[ 	]+$' | grep -v '^tests/')" "" "no blanks at line ends"
ok "this test can find something" test -n "$(here '^struct conf')"

done_testing
