#!/bin/sh
# Make the Debian packages from a distribution archive: `make deb` calls this.
#
#   debian/build-deb.sh pgcrew-0.1.0.tar.xz OUT
#
# OUT is made anew and gets the packages, the source package and build.log.  The
# archive becomes the .orig archive as it is, so that what is packaged is what is
# shipped, and never what else lies in a checkout.
set -eu

[ $# -eq 2 ] || { echo "usage: $0 ARCHIVE.tar.xz OUT" >&2; exit 2; }
archive=$(realpath "$1")
out=$(realpath -m "$2")
version=${archive##*/pgcrew-}
version=${version%.tar.xz}

rm -rf "$out"
mkdir -p "$out"
cp "$archive" "$out/pgcrew_$version.orig.tar.xz"
cd "$out"
tar -xf "pgcrew_$version.orig.tar.xz"
if ! (cd "pgcrew-$version" && dpkg-buildpackage -us -uc) >build.log 2>&1; then
    tail -40 build.log >&2
    echo "$0: the package does not build; all of it is in $out/build.log" >&2
    exit 1
fi
rm -rf "pgcrew-$version"
ls "$out"/*.deb
