#!/bin/sh
# Builds and tests for other processors, in the minimal Debian 13 of debian13.sh with
# its cross compilers; QEMU runs what was built. Servers, compilers and all else that
# is not of this project is that of this machine.
#
#   sh tests/emulated.sh armhf|arm64|s390x            all that is tested there
#   sh tests/emulated.sh armhf|arm64|s390x COMMAND... another command, in the tree there
set -eu

architecture=${1:?usage: emulated.sh armhf|arm64|s390x [COMMAND...]}
shift
[ $# -gt 0 ] || set -- sh tests/emulated/all.sh
exec sh "$(dirname "$0")/debian13.sh" sh tests/emulated/prepare.sh "$architecture" "$@"
