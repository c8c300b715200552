#!/bin/sh
# Builds and tests the PHP extension in target/php-ext (with sanitizers in
# target/php-ext-sanitized), so that the source folder stays as it is.
#
#   sh tests/php.sh build       target/php-ext/modules/emonfeed.so
#   sh tests/php.sh test        all .phpt files
#   sh tests/php.sh valgrind    the same under valgrind
#   sh tests/php.sh sanitize    the same with its C parts built with
#                               AddressSanitizer and UBSan
set -eu

php=
task=${1:?usage: php.sh build|test|valgrind|sanitize}
cd "$(dirname "$0")/.."
top=$PWD
place=php-ext
[ "$task" != sanitize ] || place=php-ext-sanitized
log=$top/target/$place.log
mkdir -p "target/$place/modules"

# phpize, configure and run-tests.php cannot do with a path that holds spaces
# or other special characters: then all is done in a temporary folder.
root=$top
case $top in
*[!A-Za-z0-9/._+-]*)
    root=$(mktemp -d)
    trap 'rm -rf "$root"' EXIT
    trap 'exit 1' HUP INT TERM
    mkdir -p "$root/target/$place"
    ln -s "$top/include" "$root/include"
    ln -s "$top/target/release" "$root/target/release"
    ;;
esac

quietly() {
    if ! "$@" >>"$log" 2>&1; then
        tail -n 30 "$log" >&2
        echo "Failed: $* (all of the output: target/$place.log)" >&2
        exit 1
    fi
}

build() {
    : >"$log"
    # Only the sources: somebody may have built in php-ext too. -p keeps the
    # times of files, so that make sees what changed; tests that are no more
    # must not run.
    rm -rf "$root/target/$place/tests"
    for file in php-ext/config.m4 php-ext/*.c php-ext/*.h php-ext/*.frag php-ext/*.map \
        php-ext/*.stub.php php-ext/emoncms php-ext/tests; do
        [ "$file" = php-ext/config.h ] || cp -Rp "$file" "$root/target/$place/"
    done
    cd "$root/target/$place"
    # Configured anew when its recipe, PHP or the place of the sources changes.
    state="$(php-config --version --extension-dir) $root $(cat config.m4 ./*.frag | cksum) ${CFLAGS:-}"
    if [ ! -f Makefile ] || [ "$state" != "$(cat configured 2>/dev/null)" ]; then
        quietly phpize
        quietly ./configure --quiet --enable-emonfeed \
            --with-emonfeed-lib="$root/target/release/libemonfeed.a" \
            --with-emonfeed-include="$root/include"
        quietly make clean
        echo "$state" >configured
    fi
    quietly make
    [ "$root" = "$top" ] || cp modules/emonfeed.so "$top/target/$place/modules/"
}

# As `make` builds it, but that its C code checks itself. PHP does not, and so
# has to load what that code calls before all else; its own allocator would hide
# where a block ends. It also opens extensions with RTLD_DEEPBIND, by which they
# would find another malloc than the one that checks: that is taken away. What
# leaks is valgrind's affair: in a fatal error PHP itself leaves much behind.
sanitize() {
    CFLAGS='-g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all'
    LDFLAGS='-fsanitize=address,undefined'
    export CFLAGS LDFLAGS
    build
    nm -D modules/emonfeed.so >symbols
    for name in __asan_init __asan_report_load __asan_report_store __ubsan_handle; do
        grep -q "U $name" symbols || {
            echo "emonfeed.so was built without sanitizers: it does not call $name." >&2
            exit 1
        }
    done
    cat >shallow.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
void *dlopen(const char *path, int flags)
{
	void *(*next)(const char *, int) = (void *(*)(const char *, int)) dlsym(RTLD_NEXT, "dlopen");
	return next(path, flags & ~RTLD_DEEPBIND);
}
END
    quietly gcc -shared -fPIC -o shallow.so shallow.c
    cat >php <<END
#!/bin/sh
export LD_PRELOAD="$PWD/shallow.so $(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)"
export ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=8:verify_asan_link_order=0
export UBSAN_OPTIONS=print_stacktrace=1 USE_ZEND_ALLOC=\${USE_ZEND_ALLOC:-0}
exec "$(php-config --php-binary)" "\$@"
END
    chmod +x php
}

# plant: builds it once more with faults in one of its own files, of which one
# happens when the library is loaded, as the variable PLANTED says.
plant() {
    cat >>path.c <<'END'
#include <limits.h>
__attribute__((constructor)) static void planted(void)
{
	const char *fault = getenv("PLANTED");
	char *volatile bytes = malloc(8);
	volatile int number = INT_MAX;

	if (fault && !strcmp(fault, "overflow")) {
		bytes[8] = 1;
	}
	free(bytes);
	if (fault && !strcmp(fault, "use after free")) {
		number = bytes[0];
	}
	if (fault && !strcmp(fault, "addition")) {
		number++;
	}
}
END
    quietly make
    sees overflow heap-buffer-overflow
    sees 'use after free' heap-use-after-free
    sees addition 'signed integer overflow'
    cp -p "$top/php-ext/path.c" .
    touch path.c
    quietly make
}

# sees FAULT TEXT: whether that planted fault ends PHP, which says TEXT.
sees() {
    if PLANTED=$1 ./php -n -d extension="$PWD/modules/emonfeed.so" -r '' >planted 2>&1 ||
        ! grep -q "$2" planted; then
        cat planted >&2
        echo "A planted fault was not found: $1" >&2
        exit 1
    fi
}

# run_tests OPTION...: every test must run and pass; a skipped one is a failure.
run_tests() {
    # After a minute it would begin a slow test once more, while the first one goes on
    # and then removes its folder.
    TEST_TIMEOUT=3600 NO_INTERACTION=1 REPORT_EXIT_STATUS=1 make test ${php:+"PHP_EXECUTABLE=$php"} TESTS="-q --show-diff -j$(nproc) $*" 2>&1 |
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
    build
    run_tests
    ;;
valgrind)
    build
    run_tests -m
    ;;
sanitize)
    sanitize
    plant
    php=$PWD/php
    run_tests
    ;;
*)
    echo "usage: php.sh build|test|valgrind|sanitize" >&2
    exit 2
    ;;
esac
