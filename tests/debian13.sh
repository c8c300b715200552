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
alone_in "$work"
if [ "${1:-}" != --vendored ]; then
    rm -rf "$work/vendor"
    cargo vendor --quiet --locked --versioned-dirs "$work/vendor" >/dev/null
    # Only root can make a minimal Debian and work in it.
    [ "$(id -u)" -eq 0 ] || exec sudo sh tests/debian13.sh --vendored "$@" 9<&-
else
    shift
fi

# The programs of other processors that the kernel was told how to run, by a name with
# the number of this Debian (tests/emulated/prepare.sh), are not to stay, however this
# ends.
forget() {
    [ -d "$root" ] || return 0
    # shellcheck disable=SC2016
    unshare --mount sh -c '
        mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc || exit 0
        for registered in /proc/sys/fs/binfmt_misc/emonfeed-*-"$1"; do
            [ ! -f "$registered" ] || echo -1 >"$registered"
        done' sh "$(stat -c %i "$root")"
}
root=$work/root
trap forget EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

make_base trixie "$work"
# What one that was killed has left.
forget
unpack_base trixie "$work" "$root"
mirror=$(debian_mirror)
echo "deb $mirror trixie main" >"$root/etc/apt/sources.list"
mkdir -p "$work/archives/partial" "$root/vendor" "$root/emonfeed" "$root/root/.cargo"
cat >"$root/root/.cargo/config.toml" <<'EOF'
[source.crates-io]
replace-with = "vendored"
[source.vendored]
directory = "/vendor"
[net]
offline = true
EOF
tar -cf - --exclude-vcs --exclude=./target --exclude=./fuzz/target --exclude=./explore/node_modules . |
    tar -xf - --no-same-owner -C "$root/emonfeed"
# Where pip is to trust what this machine trusts.
[ ! -f /etc/ssl/certs/ca-certificates.crt ] || cp /etc/ssl/certs/ca-certificates.crt "$root/root/"

[ $# -gt 0 ] || set -- make test
# shellcheck disable=SC2016
in_chroot "$root" '
    mount --bind "$1/../archives" "$1/var/cache/apt/archives"
    mount --bind -o ro "$1/../vendor" "$1/vendor"
    mount --rbind /dev "$1/dev"
    mount -t tmpfs tmpfs "$1/dev/shm"
    mount --rbind /sys "$1/sys"' sh -euc '
    apt-get -qq update
    # What a user of Rust has there; all else is the business of make.
    apt-get -qq install --no-install-recommends cargo rustc make ca-certificates >/dev/null
    [ ! -f /root/ca-certificates.crt ] || mv /root/ca-certificates.crt /etc/ssl/certs/
    grep PRETTY_NAME /etc/os-release
    rustc --version
    cd /emonfeed
    exec "$@"' sh "$@"
