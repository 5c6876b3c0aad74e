#!/bin/sh
# Make the Debian packages from a distribution archive: `make deb` calls this.
#
#   debian/build-deb.sh pgcrew-0.1.0.tar.xz OUT
#
# OUT is made anew and gets the packages, the source package and build.log.  What is
# packaged is what is shipped, never what else lies in a checkout; the .orig archive is
# the same without debian/.
set -eu

[ $# -eq 2 ] || { echo "usage: $0 ARCHIVE.tar.xz OUT" >&2; exit 2; }
archive=$(realpath "$1")
out=$(realpath -m "$2")
version=${archive##*/pgcrew-}
version=${version%.tar.xz}

rm -rf "$out"
mkdir -p "$out"
cd "$out"
tar -xf "$archive"
tar --exclude="pgcrew-$version/debian" --sort=name --owner=0 --group=0 --numeric-owner \
    --mtime="@$(dpkg-parsechangelog -l "pgcrew-$version/debian/changelog" -S Timestamp)" \
    -cJf "pgcrew_$version.orig.tar.xz" "pgcrew-$version"

# Called from a make of its own: its flags are not for this build.
unset MAKEFLAGS MFLAGS MAKELEVEL
if ! (cd "pgcrew-$version" && dpkg-buildpackage -us -uc -Jauto) >build.log 2>&1; then
    tail -40 build.log >&2
    echo "$0: the package does not build; all of it is in $out/build.log" >&2
    exit 1
fi
rm -rf "pgcrew-$version"
ls "$out"/*.deb
