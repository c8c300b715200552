#!/bin/sh
# In a minimal Debian: installs what builds for ARCHITECTURE and runs what was built,
# sets cargo to it, and runs COMMAND.
#
#   sh tests/emulated/prepare.sh ARCHITECTURE COMMAND...
set -eu

export ARCHITECTURE="$1"
shift
case $ARCHITECTURE in
armhf) export RUST_TARGET=armv7-unknown-linux-gnueabihf GNU=arm-linux-gnueabihf QEMU=arm ;;
arm64) export RUST_TARGET=aarch64-unknown-linux-gnu GNU=aarch64-linux-gnu QEMU=aarch64 ;;
s390x) export RUST_TARGET=s390x-unknown-linux-gnu GNU=s390x-linux-gnu QEMU=s390x ;;
*)
    echo "emulated: no idea of $ARCHITECTURE" >&2
    exit 2
    ;;
esac

dpkg --add-architecture "$ARCHITECTURE"
apt-get -qq update
apt-get -qq install --no-install-recommends "gcc-$GNU" "g++-$GNU" qemu-user qemu-user-binfmt >/dev/null
if [ "$ARCHITECTURE" = s390x ]; then
    # Without what these depend on, LLVM: only the compiler needs that.
    mkdir /tmp/rust
    (
        cd /tmp/rust
        packages=$(apt-cache depends libstd-rust-dev:s390x | sed -n 's/^ *Depends: \(libstd-rust-[0-9].*\)/\1/p')
        apt-get -qq download libstd-rust-dev:s390x "$packages"
        for package in *.deb; do dpkg-deb --extract "$package" /; done
    )
    export QEMU_LD_PREFIX="/usr/$GNU"
else
    apt-get -qq install --no-install-recommends "libc6-dev:$ARCHITECTURE" \
        "libstd-rust-dev:$ARCHITECTURE" >/dev/null
fi

# The kernel hands programs of that processor to QEMU, for whoever starts one in
# whatever folder, unless it runs them already. debian13.sh takes that back.
echo 'int main(void) { return 0; }' | "$GNU-gcc" -x c -o /tmp/runs -
if ! /tmp/runs 2>/dev/null; then
    mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
    sed "s/^:[^:]*:/:emonfeed-$QEMU-$(stat -c %i /):/" "/usr/lib/binfmt.d/qemu-$QEMU.conf" >/proc/sys/fs/binfmt_misc/register
fi

upper=$(echo "$RUST_TARGET" | tr 'a-z-' 'A-Z_')
export CARGO_BUILD_TARGET="$RUST_TARGET" "CARGO_TARGET_${upper}_LINKER=$GNU-gcc"
exec "$@"
