#!/bin/sh
# The steps in which PIE, PHP's installer of extensions, builds this one: phpize,
# configure, make, make install, in a clean copy of the repository.
#
#   sh tests/pie.sh           with libraries that are installed or ready; some seconds
#   sh tests/pie.sh cargo     also with the one that cargo builds; minutes
#
# Needs what `make php` has built.
#
# What has a $ in single quotes is PHP.
# shellcheck disable=SC2016
set -eu

cd "$(dirname "$0")/.."
top=$PWD
# phpize and configure cannot do with a path that holds special characters.
case $top in
*[!A-Za-z0-9/._+-]*) work=${TMPDIR:-/tmp} ;;
*) work=$top/target ;;
esac
work=$(mktemp -d "$work/pie-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
prefix=$work/prefix
# No library but the one that is installed here.
PKG_CONFIG_LIBDIR=$work/none
export PKG_CONFIG_LIBDIR
unset PKG_CONFIG_PATH EMONFEED_INCLUDE || true
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)

fail() {
    echo "pie: $*" >&2
    exit 1
}
quietly() {
    if ! "$@" >"$work/log" 2>&1; then
        tail -n 30 "$work/log" >&2
        fail "failed: $*"
    fi
}

# extension CODE: PHP, for which $extension is what composer.json says of it.
extension() { php -n -r '$extension = json_decode(file_get_contents($argv[1]), true)["php-ext"]; '"$1" "$top/composer.json"; }

# copy: a repository as PIE unpacks it, with nothing built.
copy() {
    rm -rf "$work/repository"
    mkdir "$work/repository"
    tar -C "$top" -cf - --exclude-vcs --exclude=./target --exclude=./fuzz . | tar -xpf - -C "$work/repository"
    cd "$work/repository/$(extension 'echo $extension["build-path"];')"
    quietly phpize
}

# configure WORDS OPTION...: it succeeds, and says WORDS of the library.
configure() {
    words=$1
    shift
    quietly ./configure --enable-emonfeed "$@"
    grep -q "^checking which libemonfeed.a to use\.\.\. .*$words" "$work/log" || {
        grep emonfeed "$work/log" >&2
        fail "configure does not say: $words"
    }
    echo "pie: $(grep '^checking which libemonfeed' "$work/log")"
}

# refused WORDS OPTION...: it fails, and says WORDS in its error.
refused() {
    words=$1
    shift
    ! ./configure --enable-emonfeed "$@" >"$work/log" 2>&1 || fail "configure should have said: $words"
    grep -q "^configure: error: .*$words" "$work/log" || {
        tail -n 5 "$work/log" >&2
        fail "configure does not say: $words"
    }
    echo "pie: refused: $(sed -n 's/^configure: error: //p' "$work/log" | cut -c 1-100)"
}

# installed: builds and installs what was configured, and asks the extension.
installed() {
    quietly make "-j$(nproc)"
    rm -rf "$work/root"
    quietly make install INSTALL_ROOT="$work/root"
    module=$work/root$(php-config --extension-dir)/emonfeed.so
    [ -f "$module" ] || fail "make install has not made $module"
    said=$(php -n -d extension="$module" -r 'echo phpversion("emonfeed");')
    [ "$said" = "$version" ] || fail "the extension says: $said"
    ! readelf --wide --dynamic "$module" | grep -q 'NEEDED.*emonfeed' || fail "it needs a library of emonfeed"
}

quietly make -s install PREFIX="$prefix"

# What composer.json promises of configure is so.
copy
./configure --help >"$work/help"
sed -n 's/^ *--\(with-emonfeed[a-z-]*\).*/\1/p' "$work/help" | sort >"$work/known"
extension 'echo implode("\n", array_column($extension["configure-options"], "name")), "\n";' | sort |
    diff - "$work/known" >&2 || fail "composer.json and configure have different options"

# Installed.
PKG_CONFIG_PATH=$prefix/lib/pkgconfig
export PKG_CONFIG_PATH
configure 'installed, found by pkg-config'
installed

# For servers with threads. PHP of Debian has none, but its headers will do to
# compile for one: everything that changes is in the module's globals.
sources=$(sed -n 's/^ *\[\(emonfeed\.c .*\)\],$/\1/p' config.m4)
mkdir threads
for source in $sources; do
    # shellcheck disable=SC2046
    quietly cc -c -fPIC -Wall -Werror -DZTS -DHAVE_CONFIG_H -DCOMPILE_DL_EMONFEED \
        -DZEND_ENABLE_STATIC_TSRMLS_CACHE=1 -I. -I"$prefix/include" $(php-config --includes) \
        "$source" -o "threads/${source%.c}.o"
done
# Written once, when PHP starts: classes, how their objects behave, and the number
# of the globals.
kept=$(objdump -t threads/*.o | awk '$4 == ".data" || $4 == ".bss" || $4 == "*COM*" { print $NF }' |
    grep -v -x -e '\.data' -e '\.bss' -e '[a-z]*_ce' -e '[a-z]*_handlers' -e emonfeed_globals_id -e emonfeed_module_entry || true)
[ -z "$kept" ] || fail "shared by all threads: $kept"
objdump -t threads/emonfeed.o | grep -q 'emonfeed_globals_id$' || fail "the module has no globals of threads"

# Another version is refused, whatever is of it.
sed -i 's/^Version: .*/Version: 9.8.7/' "$prefix/lib/pkgconfig/emonfeed.pc"
refused "installed libemonfeed is of version 9\.8\.7, these sources are of $version; .*--with-emonfeed-lib=bundled"
sed -i "s/^Version: .*/Version: $version/" "$prefix/lib/pkgconfig/emonfeed.pc"
sed -i.right 's/\(EMONFEED_VERSION_MINOR\) .*/\1 88/' "$prefix/include/emonfeed.h"
refused 'emonfeed\.h is of version [0-9]*\.88\.'
mv "$prefix/include/emonfeed.h.right" "$prefix/include/emonfeed.h"
mkdir "$work/fake"
echo 'const char *emonfeed_version(void) { return "9.8.7"; }' | cc -x c -c - -o "$work/fake/fake.o"
ar rc "$work/fake/libemonfeed.a" "$work/fake/fake.o"
refused 'fake/libemonfeed\.a is of version 9\.8\.7' --with-emonfeed-lib="$work/fake"
ar rc "$work/fake/libempty.a"
refused 'no program can be linked with .*libempty\.a' --with-emonfeed-lib="$work/fake/libempty.a"
mv "$prefix/lib/libemonfeed.a" "$prefix/lib/away"
refused 'libemonfeed\.a does not exist; install it'
mv "$prefix/lib/away" "$prefix/lib/libemonfeed.a"

# Named, and built before: each goes before what is installed.
configure 'named by --with-emonfeed-lib' --with-emonfeed-lib="$prefix/lib/libemonfeed.a"
mkdir -p "$work/repository/target/release"
ln "$top/target/release/libemonfeed.a" "$work/repository/target/release/" 2>/dev/null ||
    cp "$top/target/release/libemonfeed.a" "$work/repository/target/release/"
configure 'built here before'
rm -r "$work/repository/target"

# Nothing there: cargo, or advice.
configure 'bundled, built by make with cargo' --with-emonfeed-lib=bundled
unset PKG_CONFIG_PATH
configure 'bundled, built by make with cargo'
# All there is but cargo, which may lie beside what is needed.
mkdir "$work/programs"
(
    IFS=:
    for folder in $PATH; do
        ln -s "$folder"/* "$work/programs/" 2>/dev/null || true
    done
    rm -f "$work/programs/cargo"
    export PATH="$work/programs"
    refused 'no libemonfeed is installed .*install libemonfeed .*, or Rust'
)

if [ "${1:-}" = cargo ]; then
    copy
    configure 'bundled, built by make with cargo'
    installed
    echo "pie: built with cargo"
fi
