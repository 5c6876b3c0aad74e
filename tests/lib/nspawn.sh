# A Debian machine of its own with a real systemd as PID 1, for tests of the package
# and of the unit: systemd-nspawn on a folder made by mmdebstrap.
#
#   nspawn_why_not           a reason why this host cannot; empty when it can
#   nspawn_fetch package...  what a machine with these packages is made of (systemd, dbus
#                            and procps always); kept in a cache
#   nspawn_boot              a fresh machine of that
#   in_machine cmd...        run there, as root, with a plain environment
#   make_package dir         `make deb` into dir/deb; sets $deb
#   machine_put file path    copy a file into it
#   nspawn_cleanup           power it off and remove it
#
# Needs root.  The machine has no network but its own loopback, so that its PostgreSQL
# and one of this host do not meet.
#
# shellcheck shell=bash

# shellcheck source=tests/lib/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

nspawn_suite() {
    # shellcheck source=/dev/null
    (. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")
}

# Tools that are missing are installed; that needs a Debian host and its archive.
nspawn_why_not() {
    local missing=() tool
    [ "$(id -u)" -eq 0 ] || { echo 'only root can boot a machine'; return; }
    command -v apt-get >/dev/null || { echo 'not a Debian host: no apt-get'; return; }
    for tool in systemd-nspawn:systemd-container mmdebstrap:mmdebstrap nsenter:util-linux; do
        command -v "${tool%%:*}" >/dev/null || missing+=("${tool#*:}")
    done
    if [ ${#missing[@]} -gt 0 ] && ! install_debian "${missing[@]}"; then
        echo "cannot install ${missing[*]}"
    elif ! unshare --mount --pid --fork true 2>/dev/null; then
        echo 'this host allows no namespaces'
    fi
}

# The package, made of the build folder; ends the file when that cannot be done.
make_package() {
    local dir=$1 tool tools=()
    for tool in dpkg-buildpackage:dpkg-dev dh:debhelper; do
        command -v "${tool%%:*}" >/dev/null || tools+=("${tool#*:}")
    done
    [ ${#tools[@]} -eq 0 ] || install_debian "${tools[@]}" || skip_all "cannot install ${tools[*]}"
    # One test at a time: `make dist` writes into the build folder.  The package's own tests
    # run elsewhere.
    if ! DEB_BUILD_OPTIONS=nocheck flock "$build/Makefile" make -s -C "$build" deb deb_out="$dir/deb" \
        >"$dir/deb.log" 2>&1; then
        tail -n 40 "$dir/deb.log"
        bail 'the package does not build'
    fi
    deb=$(find "$dir/deb" -name 'pgcrew_*.deb')
}

# --- the folder ------------------------------------------------------------------------

# Made once a week for a list of packages: reruns unpack it in seconds.
nspawn_fetch() {
    local cache packages key tarball
    packages=$(printf '%s\n' systemd-sysv dbus procps "$@" | sort -u | paste -sd,)
    cache=${PGCREW_TEST_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/pgcrew-tests}
    key=$(printf '%s %s %s' "$(nspawn_suite)" "$packages" "$(date +%G-%V)" | sha256sum | cut -c 1-16)
    tarball=$cache/machine-$key.tar
    mkdir -p "$cache"
    # One test at a time: the second finds what the first has made.
    exec 8>"$cache/lock" && flock 8
    if [ ! -f "$tarball" ]; then
        rm -f "$cache"/machine-*.tar
        # shellcheck disable=SC2016  # the hook's own $1
        mmdebstrap --quiet --variant=apt --include="$packages" \
            --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
            --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-include=/usr/share/doc/pgcrew*' \
            --dpkgopt='path-include=/usr/share/man/*/pgcrew*' \
            --aptopt='Acquire::Languages "none"' --customize-hook='rm -rf "$1"/var/lib/apt/lists/*_*' \
            "$(nspawn_suite)" "$tarball.$$.tar" >"$cache/mmdebstrap.log" 2>&1 || {
            rm -f "$tarball.$$.tar"
            return 1
        }
        mv "$tarball.$$.tar" "$tarball"
    fi
    exec 8>&-
    nspawn_tarball=$tarball
}

# --- the machine -----------------------------------------------------------------------

# systemd-nspawn makes control groups beside its own: give it some to be in.
nspawn_own_groups() {
    local hierarchy
    for hierarchy in /sys/fs/cgroup/unified /sys/fs/cgroup/systemd /sys/fs/cgroup; do
        if [ -e "$hierarchy/cgroup.procs" ] && mkdir -p "$hierarchy/$nspawn_name" 2>/dev/null; then
            nspawn_groups+=("$hierarchy/$nspawn_name")
        fi
    done
}

nspawn_start() {
    local group
    for group in "${nspawn_groups[@]}"; do
        echo "$BASHPID" >"$group/cgroup.procs"
    done
    # When the test is killed, TERM asks the machine to power off.
    SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 exec setpriv --pdeathsig TERM systemd-nspawn --boot --register=no --keep-unit \
        --private-network --machine="$nspawn_name" -D "$nspawn_dir/root" --console=pipe \
        >"$nspawn_dir/console.log" 2>&1 </dev/null
}

nspawn_is_up() {
    nspawn_leader=$(pgrep -P "$nspawn_pid" | head -n 1)
    [ -n "$nspawn_leader" ] && in_machine systemctl is-system-running | grep -qE 'running|degraded'
}

nspawn_boot() {
    local deadline
    nspawn_groups=()
    nspawn_name=pgcrew-test-$$
    nspawn_dir=$(mktemp -d "${TMPDIR:-/tmp}/pgcrew-machine.XXXXXX") || return 1
    mkdir "$nspawn_dir/root"
    tar -xf "$nspawn_tarball" -C "$nspawn_dir/root" --numeric-owner || return 1
    nspawn_own_groups
    nspawn_start &
    nspawn_pid=$!
    deadline=$((SECONDS + 60))
    until nspawn_is_up 2>/dev/null; do
        if nspawn_is_down || [ $SECONDS -ge "$deadline" ]; then
            tail -n 20 "$nspawn_dir/console.log"
            return 1
        fi
        sleep 0.1
    done
}

in_machine() {
    nsenter -t "$nspawn_leader" -m -p -n -i -u -C -- \
        env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 SYSTEMD_PAGER='' \
        DEBIAN_FRONTEND=noninteractive "$@"
}

machine_put() {
    cp "$1" "$nspawn_dir/root$2"
}

nspawn_is_down() {
    ! kill -0 "$nspawn_pid" 2>/dev/null
}

nspawn_cleanup() {
    local group deadline=$((SECONDS + 20))
    [ -n "${nspawn_dir:-}" ] || return 0
    if [ -n "${nspawn_pid:-}" ]; then
        in_machine systemctl poweroff >/dev/null 2>&1
        until nspawn_is_down || [ $SECONDS -ge $deadline ]; do sleep 0.1; done
        # Its init first: it does not end with the one who started it.
        nspawn_is_down || kill -KILL ${nspawn_leader:-$(pgrep -P "$nspawn_pid")} "$nspawn_pid"
        wait "$nspawn_pid" 2>/dev/null
    fi
    for group in "${nspawn_groups[@]}"; do
        find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null
    done
    rm -rf --one-file-system "$nspawn_dir"
    nspawn_dir=
}
