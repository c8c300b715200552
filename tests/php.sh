#!/bin/sh
# Builds and tests the PHP extension in target/php-ext, so that the source
# folder stays as it is.
#
#   sh tests/php.sh build       target/php-ext/modules/emonfeed.so
#   sh tests/php.sh test        all .phpt files
#   sh tests/php.sh valgrind    the same under valgrind
set -eu

task=${1:?usage: php.sh build|test|valgrind}
cd "$(dirname "$0")/.."
log=$PWD/target/php-ext.log
mkdir -p target/php-ext

# phpize refuses a path with spaces, and configure one with commas; a symbolic
# link without them will do.
root=$PWD
case $root in
*[!A-Za-z0-9/._+-]*)
    link=$(mktemp -d)
    trap 'rm -f "$link/emonfeed"; rmdir "$link"' EXIT
    trap 'exit 1' HUP INT TERM
    ln -s "$PWD" "$link/emonfeed"
    root=$link/emonfeed
    ;;
esac

quietly() {
    if ! "$@" >>"$log" 2>&1; then
        tail -n 30 "$log" >&2
        echo "Failed: $* (all of the output: target/php-ext.log)" >&2
        exit 1
    fi
}

build() {
    : >"$log"
    # -p keeps the times of files, so that make sees what changed.
    cp -Rp php-ext/. target/php-ext/
    cd "$root/target/php-ext"
    # Configured anew when its recipe, PHP or the place of the sources changes.
    state="$(php-config --version --extension-dir) $root $(cksum config.m4)"
    if [ ! -f Makefile ] || [ "$state" != "$(cat configured 2>/dev/null)" ]; then
        quietly phpize
        quietly ./configure --quiet --enable-emonfeed \
            --with-emonfeed-lib="$root/target/release/libemonfeed.a" \
            --with-emonfeed-include="$root/include"
        quietly make clean
        echo "$state" >configured
    fi
    quietly make
}

# run_tests OPTION...: every test must run and pass; a skipped one is a failure.
run_tests() {
    cd "$root/target/php-ext"
    NO_INTERACTION=1 REPORT_EXIT_STATUS=1 make test TESTS="-q --show-diff -j$(nproc) $*" 2>&1 |
        tee "$root/target/php-tests.log"
    awk '/^Number of tests/ { ran = $5 } /^Tests skipped/ { skipped = $4 } /^Tests passed/ { passed = $4 }
        END { exit !(ran > 0 && skipped == 0 && passed == ran) }' "$root/target/php-tests.log" || {
        echo "The PHP tests did not all run and pass (see above)." >&2
        exit 1
    }
}

case $task in
build)
    build
    ;;
test)
    run_tests
    ;;
valgrind)
    run_tests -m
    ;;
*)
    echo "usage: php.sh build|test|valgrind" >&2
    exit 2
    ;;
esac
