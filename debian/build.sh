#!/bin/sh
# Builds the packages of this tree in a copy of it, and leaves them in target/deb,
# or where the environment says. `make deb` calls it.
#
#   sh debian/build.sh [FOLDER]
set -eu

cd "$(dirname "$0")/.."
top=$PWD
place=${1:-target/deb}
mkdir -p "$place"
place=$(cd "$place" && pwd)
work=$place/build
case $place in
*[!A-Za-z0-9/._+~-]*)
    echo "Packages are built by tools that cannot do with spaces and special characters," >&2
    echo "as in $place. Name another folder: sh debian/build.sh FOLDER" >&2
    exit 1
    ;;
esac
[ -d explore/node_modules/uplot ] || {
    echo "The page lacks uPlot, which npm fetches: make page" >&2
    exit 1
}

# What cargo and phpize made before is used again; everything else is new.
mkdir -p "$work"
find "$work" -mindepth 1 -maxdepth 1 ! -name target -exec rm -rf {} +
rm -f "$place"/*.deb "$place"/*.changes "$place"/*.buildinfo
tar -cf - --exclude-vcs --exclude=./target --exclude=./fuzz/target . | tar -xpf - -C "$work"

cd "$work"
debian/rules debian/control
if ! dpkg-buildpackage --build=binary --no-sign >"$place/build.log" 2>&1; then
    tail -n 30 "$place/build.log" >&2
    echo "dpkg-buildpackage failed (all of its output: $place/build.log)." >&2
    exit 1
fi
# An error of lintian is a failure, what else it finds is shown.
lintian --fail-on error --allow-root "$place"/*.changes
cd "$top"
echo "Packages:"
ls "$place"/*.deb
