#!/bin/sh
# Builds and tests for other processors, in a minimal Debian 13 with its cross
# compilers; QEMU runs what was built. Servers, compilers and all else that is not
# of this project is that of this machine.
#
#   sh tests/emulated.sh armhf|arm64|s390x            all that is tested there
#   sh tests/emulated.sh armhf|arm64|s390x COMMAND... another command, in the tree there
set -eu

architecture=${1:?usage: emulated.sh armhf|arm64|s390x [COMMAND...]}
shift
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
work=$PWD/target/debian13

fail() {
    echo "emulated: $*" >&2
    exit 1
}

# shellcheck source=tests/chroot.sh
. tests/chroot.sh
if [ "${1:-}" != --vendored ]; then
    vendor_crates "$work"
    # Only root can make a minimal Debian and work in it.
    [ "$(id -u)" -eq 0 ] || exec sudo sh "$0" "$architecture" --vendored "$@"
else
    shift
fi

make_base trixie "$work"
unpack_tree trixie "$work" "$work/root-$architecture"
[ $# -gt 0 ] || set -- sh tests/emulated/all.sh
in_tree "$work/root-$architecture" sh -eu tests/emulated/prepare.sh "$architecture" "$@"
