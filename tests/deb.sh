#!/bin/sh
# The Debian packages: built twice and compared, then installed, used, upgraded
# and purged in a minimal Debian of the release that runs here.
#
#   sh tests/deb.sh              all of it (`make test-deb`)
#   sh tests/deb.sh build        only the builds
#   sh tests/deb.sh install      only what is done with the packages; root alone can
#   sh tests/deb.sh install whole    of that only tests/deb/whole.sh
#
# The minimal Debian is made by debootstrap, once, and kept in target/test-deb;
# later runs bring its package lists up to date. Mount points and processes of the
# test lie in namespaces of their own, and are gone when it ends.
set -eu

cd "$(dirname "$0")/.."
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
top=$PWD
work=$top/target/test-deb
packages=$top/target/deb

say() { echo "deb: $*"; }
fail() {
    echo "deb: $*" >&2
    exit 1
}
# quietly NAME COMMAND...: shows its output, which is kept in NAME.log, if it fails.
quietly() {
    log=$work/$1.log
    shift
    if ! "$@" >"$log" 2>&1; then
        tail -n 40 "$log" >&2
        fail "failed: $* (all of the output: $log)"
    fi
}

# The same tree somewhere else, by somebody else. A locale of Turkish writes a
# capital i with a dot and sorts as it likes.
build_again() {
    rm -rf "$work/another" "$work/locale"
    mkdir -p "$work/locale" "$work/another/source"
    localedef --no-archive -i tr_TR -f UTF-8 "$work/locale/tr_TR.UTF-8"
    (
        umask 027
        LOCPATH=$work/locale LC_ALL=tr_TR.UTF-8 TZ=Pacific/Kiritimati CARGO_BUILD_JOBS=1
        export LOCPATH LC_ALL TZ CARGO_BUILD_JOBS
        [ "$(date +%Z)" = +14 ] || fail "the time zone of the second build does not count"
        [ "$(locale decimal_point)" = , ] || fail "the locale of the second build does not count"
        # Without the times of the files.
        tar -cf - --exclude-vcs --exclude=./target --exclude=./fuzz/target . |
            tar -xmpf - -C "$work/another/source"
        sh "$work/another/source/debian/build.sh" "$work/another/place/of/the/tree"
    )
}

compare() {
    for package in "$packages"/*.deb; do
        cmp "$package" "$work/another/place/of/the/tree/${package##*/}" ||
            fail "two builds of ${package##*/} differ"
    done
    # Nothing tells where they were built.
    count=0
    for package in "$packages"/*.deb; do
        count=$((count + 1))
        rm -rf "$work/look"
        dpkg-deb --raw-extract "$package" "$work/look"
        for place in "$top" "${CARGO_HOME:-$HOME/.cargo}" "$(rustc --print sysroot)"; do
            ! grep -rqF -e "$place" "$work/look" ||
                fail "${package##*/} holds the path $place: $(grep -rlF -e "$place" "$work/look")"
        done
    done
    rm -rf "$work/look"
    say "two builds of $count packages are byte-identical"
}

# A lower version of the same tree, with another /etc/emonfeed.conf and another
# setting for PHP.
build_older() {
    rm -rf "$work/older"
    mkdir -p "$work/older"
    cd "$packages/build"
    sed -i '1s/(\(.*\))/(\1~older)/' debian/changelog
    echo '# As it was.' >>docs/backup/emonfeed.conf
    echo '; As it was.' >>debian/emonfeed.ini
    quietly build-older dpkg-buildpackage --build=binary --no-sign
    mv ../*~older* "$work/older/"
    cd "$top"
}

build() {
    say "building"
    sh debian/build.sh
    say "building once more, elsewhere"
    quietly build-again build_again
    compare
    say "building a lower version"
    build_older
}

# shellcheck source=tests/chroot.sh
. tests/chroot.sh
# The release that runs here; the packages are made for it.
# shellcheck source=/dev/null
release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")

# phase NAME: tests/deb/NAME.sh, in a minimal Debian of its own.
phase() {
    root=$work/root
    rm -rf "$work/stage"
    mkdir -p "$work/archives/partial" "$work/stage/new" "$work/stage/older"
    unpack_base "$release" "$work" "$root"
    debian_sources | awk -v release="$release" \
        '$2 == release || index($2, release "-") == 1 { print "deb", $0 }' >"$root/etc/apt/sources.list"
    cp "$packages"/*.deb "$work/stage/new/"
    cp "$work"/older/*.deb "$work/stage/older/"
    cp README.md tests/deb/* "$work/stage/"
    say "$1"
    # shellcheck disable=SC2016
    in_chroot "$root" '
        mount -t tmpfs tmpfs "$1/tmp"
        mount -t tmpfs tmpfs "$1/run"
        mount --bind "$1/../archives" "$1/var/cache/apt/archives"
        mount --bind "$1/../stage" "$1/srv"' sh "/srv/$1.sh" || fail "$1 failed"
}

install_them() {
    [ "$(id -u)" -eq 0 ] || fail "only root can make a minimal Debian and work in it: sudo sh tests/deb.sh install"
    [ -d "$work/older" ] || fail "there are no packages: sh tests/deb.sh build"
    make_base "$release" "$work"
    for name in ${1:-php_alone dev_alone whole}; do
        phase "$name"
    done
    rm -rf "$work/root" "$work/stage"
    say "all is well"
}

alone_in "$work"
case ${1:-} in
build) build ;;
install) install_them "${2:-}" ;;
'')
    build
    if [ "$(id -u)" -eq 0 ]; then
        install_them
    else
        exec sudo sh tests/deb.sh install 9<&-
    fi
    ;;
*)
    echo "usage: deb.sh [build|install [PHASE]]" >&2
    exit 2
    ;;
esac
