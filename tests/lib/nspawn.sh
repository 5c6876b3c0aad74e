# A Debian machine of its own with a real systemd as PID 1, for tests of the package
# and of the unit: systemd-nspawn on a folder made by mmdebstrap.
#
#   nspawn_why_not           a reason why this host cannot; empty when it can
#   nspawn_fetch package...  what a machine with these packages is made of (systemd, dbus
#                            and procps always); kept in a cache
#   nspawn_boot              a fresh machine of that
#   in_machine cmd...        run there, as root, with a plain environment
#   make_package             `make deb`, once for all tests; sets $deb
#   make_next_package        the same program as the next version, with a migration; $next_deb
#   machine_put file path    copy a file into it
#   nspawn_cleanup           power it off and remove it
#
# nspawn_options: more options of systemd-nspawn, as --bind=...
#
# Needs root.  The machine has no network but its own loopback, so that its PostgreSQL
# and one of this host do not meet.
#
# shellcheck shell=bash

# shellcheck source=tests/lib/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

nspawn_options=()

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

# --- packages --------------------------------------------------------------------------

need_package_tools() {
    local tool tools=()
    for tool in dpkg-buildpackage:dpkg-dev dh:debhelper; do
        command -v "${tool%%:*}" >/dev/null || tools+=("${tool#*:}")
    done
    [ ${#tools[@]} -eq 0 ] || install_debian "${tools[@]}" || skip_all "cannot install ${tools[*]}"
}

# What a package is made of, as one word.
sources_key() {
    (cd "$(dirname "${BASH_SOURCE[0]}")/../.." &&
        find configure.ac Makefile.am src conf contrib debian include migrations tests/tests.am tests/lib/nspawn.sh \
            -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-16)
}

# build_once NAME how...: into $build/packages/NAME-KEY/deb, where the second test finds what
# the first has made; prints the package.  The package's own tests run elsewhere.
build_once() {
    local name=$1 key folder
    shift
    key=$(sources_key)
    folder=$build/packages/$name-$key
    mkdir -p "$build/packages"
    (
        # `make dist` writes into the build folder: one at a time.
        flock 9
        [ -e "$folder/done" ] && exit
        rm -rf "$build/packages/$name-"*
        mkdir -p "$folder"
        DEB_BUILD_OPTIONS='nocheck noautodbgsym' "$@" "$folder" >"$folder/log" 2>&1 && touch "$folder/done"
    ) 9>>"$build/packages/lock" || { tail -n 40 "$folder/log" | sed 's/^/# /' >&2; return 1; }
    find "$folder/deb" -name 'pgcrew_*.deb'
}

deb_of_build() {
    make -s -C "$build" deb deb_out="$1/deb"
}

make_package() {
    need_package_tools
    deb=$(build_once this deb_of_build) || bail 'the package does not build'
}

next_migration() { # OF SINCE
    cat <<SQL
do \$do\$
declare
  f record;
begin
  perform pg_advisory_xact_lock(1885823858, 0);
  alter table public.jobs add column if not exists of_the_next text;
  for f in select pg_get_functiondef(p.oid) as text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
            where n.nspname = 'pgcrew' and p.prokind = 'f' loop
    execute f.text;
  end loop;
  insert into pgcrew.migrations (version, file) values ($1, '00$1_next.sql') on conflict (version) do nothing;
  comment on table public.jobs is 'pgcrew job queue; schema version $1; programs since $2';
end
\$do\$;
SQL
}

# Its migration touches a table and every function while others use them, and says that
# programs of the version before fit.
deb_of_next() {
    local out=$1 from source now next
    from=$(dirname "$deb")
    source=$out/pgcrew-0.9.9
    mkdir -p "$source"
    tar -xf "$from"/pgcrew_*.orig.tar.xz -C "$source" --strip-components=1 &&
        tar -xf "$from"/pgcrew_*.debian.tar.xz -C "$source" || return 1
    now=$(sed -n 's/^#define QUEUE_SCHEMA_VERSION //p' "$source/src/queue/queue.h")
    next=$((now + 1))
    next_migration "$next" "$now" >"$source/migrations/00${next}_next.sql"
    sed -i "s|^\(\tmigrations/00${now}_.*\.sql\)\$|\1 \\\\\n\tmigrations/00${next}_next.sql|" "$source/migrations/room.am"
    sed -i "s/^\(#define QUEUE_SCHEMA_VERSION\) .*/\1 $next/" "$source/src/queue/queue.h"
    sed -i 's/^AC_INIT(\[pgcrew\], \[[^]]*\]/AC_INIT([pgcrew], [0.9.9]/' "$source/configure.ac"
    sed -i '1s/(.*)/(0.9.9-1)/' "$source/debian/changelog"
    tar -C "$out" -cJf "$out/pgcrew-0.9.9.tar.xz" pgcrew-0.9.9 &&
        "$source/debian/build-deb.sh" "$out/pgcrew-0.9.9.tar.xz" "$out/deb"
}

make_next_package() {
    next_deb=$(build_once next deb_of_next) || bail 'the next package does not build'
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
        --private-network --machine="$nspawn_name" "${nspawn_options[@]}" -D "$nspawn_dir/root" --console=pipe \
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
