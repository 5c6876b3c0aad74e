# Debian packages that only some tests need, installed by those tests.
#
#   install_debian package...   as root, on a Debian host; what apt said is in $apt_said
#
# One test at a time: apt waits for some of its locks and gives up at others.
#
# shellcheck shell=bash

apt_said=

install_debian() {
    apt_said=$(
        {
            flock 9
            apt-get update -q && DEBIAN_FRONTEND=noninteractive \
                apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=120 "$@"
        } 2>&1 </dev/null 9>>"${TMPDIR:-/tmp}/pgcrew-tests-apt.lock"
    )
}
