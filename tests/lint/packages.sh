#!/usr/bin/env bash
# Who builds pgcrew is told the same everywhere: debian/control, contrib/quickstart and
# tests/packages name the same libraries.
set -u
. "$(dirname "$0")/../lib/tap.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)

control() {
    sed -n '/^Build-Depends:/,/^[A-Z]/p' "$top/debian/control" |
        grep -oE '[a-z0-9.+-]+-dev\b' | sort -u
}

quickstart() {
    sed -n '/^packages=(/,/)/p' "$top/contrib/quickstart" | grep -oE '[a-z0-9.+-]+-dev\b' | sort -u
}

# name in LIST, where a line of LIST may be a|b
tests() {
    sed 's/#.*//' "$top/tests/packages" | tr '|' '\n' | sort -u
}

# A compiler and its library are there wherever a Debian package is built.
is "$(quickstart | grep -v '^libc6-dev$')" "$(control)" "contrib/quickstart installs what debian/control says"
is "$(comm -13 <(tests) <(control))" "" "so does tests/run"
ok "and there are some" test "$(control | wc -l)" -gt 5

# What configure asks pkg-config for comes from one of them.
for module in $(sed -n 's/.*PKG_CHECK_MODULES(\[[A-Z]*\], \[\([a-z0-9.-]*\).*/\1/p' "$top/configure.ac" | sort -u); do
    case $module in
        libcrypto) package=libssl-dev ;;
        libcurl) package=libcurl4-openssl-dev ;;
        msgpack-c) package=libmsgpack-dev ;;
        yaml-0.1) package=libyaml-dev ;;
        zlib) package=zlib1g-dev ;;
        lib*) package=$module-dev ;;
        *) package=lib$module-dev ;;
    esac
    like "$(control)" "^$package$" "configure's $module is in $package"
done

done_testing
