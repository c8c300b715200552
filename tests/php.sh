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
top=$PWD
log=$top/target/php-ext.log
mkdir -p target/php-ext/modules

# phpize, configure and run-tests.php cannot do with a path that holds spaces
# or other special characters: then all is done in a temporary folder.
root=$top
case $top in
*[!A-Za-z0-9/._+-]*)
    root=$(mktemp -d)
    trap 'rm -rf "$root"' EXIT
    trap 'exit 1' HUP INT TERM
    mkdir -p "$root/target/php-ext"
    ln -s "$top/include" "$root/include"
    ln -s "$top/target/release" "$root/target/release"
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
    # Only the sources: somebody may have built in php-ext too. -p keeps the
    # times of files, so that make sees what changed; tests that are no more
    # must not run.
    rm -rf "$root/target/php-ext/tests"
    for file in php-ext/config.m4 php-ext/*.c php-ext/*.h php-ext/*.frag php-ext/*.map \
        php-ext/*.stub.php php-ext/tests; do
        [ "$file" = php-ext/config.h ] || cp -Rp "$file" "$root/target/php-ext/"
    done
    cd "$root/target/php-ext"
    # Configured anew when its recipe, PHP or the place of the sources changes.
    state="$(php-config --version --extension-dir) $root $(cat config.m4 ./*.frag | cksum)"
    if [ ! -f Makefile ] || [ "$state" != "$(cat configured 2>/dev/null)" ]; then
        quietly phpize
        quietly ./configure --quiet --enable-emonfeed \
            --with-emonfeed-lib="$root/target/release/libemonfeed.a" \
            --with-emonfeed-include="$root/include"
        quietly make clean
        echo "$state" >configured
    fi
    quietly make
    [ "$root" = "$top" ] || cp modules/emonfeed.so "$top/target/php-ext/modules/"
}

# run_tests OPTION...: every test must run and pass; a skipped one is a failure.
run_tests() {
    build
    NO_INTERACTION=1 REPORT_EXIT_STATUS=1 make test TESTS="-q --show-diff -j$(nproc) $*" 2>&1 |
        tee "$top/target/php-tests.log"
    awk '/^Number of tests/ { ran = $5 } /^Tests skipped/ { skipped = $4 } /^Tests passed/ { passed = $4 }
        END { exit !(ran > 0 && skipped == 0 && passed == ran) }' "$top/target/php-tests.log" || {
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
