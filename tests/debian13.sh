#!/bin/sh
# All tests in a minimal Debian 13, with the Rust, PHP and MariaDB that Debian has
# there. Crates are fetched outside, and the build has no others.
#
#   sh tests/debian13.sh              `make test` (this is `make test-debian13`)
#   sh tests/debian13.sh COMMAND...   another command, in the tree there
#
# The minimal Debian is made by debootstrap, once, and kept in target/debian13; what
# is installed and built there is made anew each time.
set -eu

cd "$(dirname "$0")/.."
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
work=$PWD/target/debian13

fail() {
    echo "debian13: $*" >&2
    exit 1
}

# shellcheck source=tests/chroot.sh
. tests/chroot.sh
if [ "${1:-}" != --vendored ]; then
    vendor_crates "$work"
    # Only root can make a minimal Debian and work in it.
    [ "$(id -u)" -eq 0 ] || exec sudo sh "$0" --vendored "$@"
else
    shift
fi

make_base trixie "$work"
unpack_tree trixie "$work" "$work/root"
[ $# -gt 0 ] || set -- make test
in_tree "$work/root" "$@"
