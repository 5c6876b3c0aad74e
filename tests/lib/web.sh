# Tests that run JavaScript: packages of tests/web/package.json, as its lock file says, from
# npm's registry; once for a build folder.  Needs tests/lib/tap.sh.
#
#   web_install                 the packages are there, or the file fails
#   web_tap NAME.mjs [arg...]   run tests/web/NAME.mjs; its checks become checks of this file
#   web_run NAME.mjs [arg...]   run it, no more
#   web_screenshots             the folder they are kept in: $PGCREW_BUILD/screenshots
#
# Node finds packages next to the file that imports them, therefore what is run is a copy of
# tests/web in the build folder.
#
# shellcheck shell=bash

web_from=$(cd "$(dirname "${BASH_SOURCE[0]}")/../web" && pwd)
web_dir=${PGCREW_BUILD:?PGCREW_BUILD must name the build folder}/web
web_screenshots=$PGCREW_BUILD/screenshots

# A file is replaced at once: another test may be reading it.
web_copy() {
    local file
    for file in "$web_from"/*; do
        [ -f "$file" ] || continue
        cmp -s "$file" "$web_dir/${file##*/}" && continue
        cp "$file" "$web_dir/.new.$$" && mv -f "$web_dir/.new.$$" "$web_dir/${file##*/}" || return 1
    done
}

web_packages() {
    local wanted
    wanted=$(cat "$web_from/package.json" "$web_from/package-lock.json" | sha256sum) || return 1
    [ "$(cat "$web_dir/node_modules/.made-of" 2>/dev/null)" != "$wanted" ] || return 0
    (cd "$web_dir" && npm ci --ignore-scripts --no-audit --no-fund --no-progress --loglevel=error) &&
        echo "$wanted" >"$web_dir/node_modules/.made-of"
}

web_install() {
    local major said
    major=$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/')
    [ "${major:-0}" -ge 20 ] || bail "Node.js 20 or newer is needed; here is ${major:-none}"
    mkdir -p "$web_dir" "$web_screenshots"
    said=$(
        {
            flock -w 200 9 && web_copy && web_packages
        } 2>&1 9>"$web_dir.lock"
    ) || bail "npm ci failed: $said"
}

web_run() {
    local name=$1
    shift
    node "$web_dir/$name" "$@"
}

# What it says besides its checks is passed on; without its plan it has ended too early.
web_tap() {
    local line plan=no status bad=no
    while IFS= read -r line; do
        case $line in
            'ok '*) tap_pass "${line#ok * - }" ;;
            'not ok '*) bad=yes; tap_fail "${line#not ok * - }" ;;
            1..[0-9]*) plan=yes ;;
            'status '*) status=${line#status } ;;
            *) printf '# %s\n' "${line#\# }" ;;
        esac
    done < <(web_run "$@" 2>&1; echo "status $?")
    # Status 1 is that of a failed check.
    [ "$plan $bad $status" = 'yes no 0' ] || [ "$plan $bad $status" = 'yes yes 1' ] ||
        tap_fail "$1 runs to its end (status $status)"
}
