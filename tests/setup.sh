#!/bin/sh
# Looks for the programs that the demo or the tests need, and installs what is
# missing through apt.
#
#   sh tests/setup.sh build|demo|test|soak|bench|explore|deb|test-deb|test-debian13
#   NO_INSTALL=1 sh tests/setup.sh test     only reports
#
# Nothing here starts a service: mariadb-server-core is the server program
# alone, without the unit files and accounts that mariadb-server brings. The
# package of PHP-FPM would start one, so it is only unpacked, in target/php-fpm.
set -eu

level=${1:?usage: setup.sh build|demo|test|soak|bench|explore|deb|test-deb|test-debian13}
# `make explore` itself needs less: a browser is there already.
target=$level
[ "$level" != explore ] || target=test-explore
cd "$(dirname "$0")/.."
# Debian keeps the database server out of an ordinary user's PATH.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
CC=${CC:-cc}
CXX=${CXX:-c++}

has() { command -v "$1" >/dev/null 2>&1; }
# $CC and $CXX may hold options.
# shellcheck disable=SC2086
compiles_c() { has ${CC%% *} && echo '#include <stdio.h>' | $CC -x c -fsyntax-only - 2>/dev/null; }
# shellcheck disable=SC2086
compiles_cxx() { has ${CXX%% *} && echo '#include <cstdio>' | $CXX -x c++ -fsyntax-only - 2>/dev/null; }
php_version() { php -n -r 'echo PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION;'; }
# The PHP-FPM of php's version: it loads the extension that is built for php.
has_fpm() {
    for program in "php-fpm$(php_version)" php-fpm "target/php-fpm/usr/sbin/php-fpm$(php_version)"; do
        "$program" -v 2>/dev/null | grep -q "^PHP $(php_version)\." && return
    done
    return 1
}
has_fpm_libraries() {
    has php && has_fpm && return
    for library in libacl libapparmor libsystemd; do
        ldconfig -p | grep -q "$library\.so" || return 1
    done
}
has_php_dev() { has phpize && has php-config; }
has_server() { has mariadbd || { has mysqld && mysqld --no-defaults --version | grep -q MariaDB; }; }
has_client() { has mariadb || has mysql; }
has_rsync() { has rsync; }
has_strace() { has strace; }
has_dump() { has mariadb-dump || has mysqldump; }
has_zones() { has zdump && [ -f /usr/share/zoneinfo/Australia/Lord_Howe ]; }
has_mysqli() { has php && php -m | grep -qx mysqli; }
has_faketime() { has faketime; }
has_script() { has script; }
has_time() { [ -x /usr/bin/time ]; }
has_pngquant() { has pngquant; }
has_chromium() { has chromium; }
has_acl() { has setfacl && has getfacl; }
# What makes a folder with Python's packages; Debian has it apart from Python.
has_venv() { has python3 && python3 -c 'import venv, ensurepip' 2>/dev/null; }
# A valgrind without the symbols of libc stops at its start.
runs_valgrind() { has valgrind && valgrind -q --error-exitcode=1 true >/dev/null 2>&1; }

packages=
# need CHECK PACKAGES WHAT: notes the packages if CHECK fails.
need() {
    "$1" && return
    packages="$packages $2"
    printf '  %-24s %s\n' "$2" "$3"
}

find_missing() {
    packages=
    if [ "$level" = test-debian13 ]; then
        need has_debootstrap 'debootstrap' 'makes a minimal Debian, to run the tests in'
        return
    fi
    need compiles_c 'gcc libc6-dev' 'C compiler: links the Rust code, builds the extension'
    [ "$level" = build ] && return
    need has_php 'php-cli' 'PHP, which calls the extension'
    need has_php_dev 'php-dev' 'phpize and the headers, to build the extension'
    [ "$level" = demo ] && return
    if [ "$level" = explore ]; then
        need has_strace 'strace' 'sees which files the server of the page opens'
        need has_chromium 'chromium' 'the browser that looks at the page'
        need has_pngquant 'pngquant' 'makes the picture of it small, for the README'
        return
    fi
    case $level in
    deb | test-deb)
        need has_debhelper 'debhelper dpkg-dev' 'makes Debian packages'
        # By these names: that is how packages say what they are built with.
        need has_build_essential 'build-essential' 'what every package is built with'
        need has_package_php_dev 'php-dev' 'what those of extensions are built with'
        need has_dh_php 'dh-php' 'makes those of PHP extensions'
        need has_lintian 'lintian' 'looks for mistakes in packages'
        need has_npm 'npm' 'fetches uPlot, with which the page draws'
        ;;
    esac
    [ "$level" = deb ] && return
    if [ "$level" = test-deb ]; then
        need has_debootstrap 'debootstrap' 'makes a minimal Debian, to install the packages in'
        need has_locales 'locales' 'for a build in another language'
        return
    fi
    need has_server 'mariadb-server-core' 'the server program (no service) to compare answers with'
    need has_client 'mariadb-client-core' 'its client program'
    if [ "$level" = bench ]; then
        need has_rsync 'rsync' 'copies the same feeds, to compare with'
        need has_mysqli 'php-mysql' 'PHP asks that server, as emoncms does'
        return
    fi
    need compiles_cxx 'g++' 'C++ compiler: the C header must suit C++ too'
    need has_pkg_config 'pkg-config' 'finds the installed library, as its users would'
    need runs_valgrind 'valgrind libc6-dbg' 'runs the C and PHP tests under memory checks'
    need has_fpm_libraries 'libacl1 libapparmor1 libsystemd0' 'libraries of PHP-FPM, which serves pages in the tests'
    need has_dump 'mariadb-client' 'its program that dumps tables'
    need has_mysqli 'php-mysql' 'PHP talks to that server in the tests'
    need has_zones 'libc-bin tzdata' 'time zones, to compare midnights with'
    need has_strace 'strace' 'kills backups at each of their system calls'
    need has_script 'bsdutils' 'runs backups on a terminal, to see the progress bar'
    need has_faketime 'faketime' 'runs backups while the clock jumps'
    need has_time 'time' 'measures how much memory backups take'
    need has_acl 'acl' 'lets the web server read tables, as `enable` proposes it'
    need has_venv 'python3-venv' 'Python, in which DuckDB and others read datasets'
    [ "$level" = soak ] || return 0
    need has_java 'default-jre-headless' 'Java, in which Spark reads datasets'
}
has_php() { has php; }
has_java() { has java; }
has_package() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }
has_build_essential() { has_package build-essential; }
has_package_php_dev() { has_package php-dev; }
has_debhelper() { has dh && has dpkg-buildpackage; }
has_dh_php() { has dh_php; }
has_npm() { has npm; }
has_lintian() { has lintian; }
has_debootstrap() { has debootstrap; }
has_locales() { has localedef && [ -f /usr/share/i18n/locales/tr_TR ]; }
has_pkg_config() { has pkg-config; }

# Those of Debian do, but who has others would not want them installed beside.
check_node() {
    if ! has node || ! has npm || ! node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)'; then
        echo "Node 20 or newer and npm are needed to test the page (here: $(node --version 2>/dev/null || echo none))." >&2
        echo '  Debian 13 or newer: apt-get install nodejs npm; anywhere else: https://nodejs.org' >&2
        exit 1
    fi
}

check_rust() {
    if ! has cargo || ! has rustc; then
        cat >&2 <<'END'
No Rust toolchain is here (cargo, rustc). emonfeed needs Rust 1.85 or newer:
  Debian 13 or newer:  apt-get install cargo
  anywhere else:       https://rustup.rs
END
        exit 1
    fi
    found=$(rustc --version | awk '{ print $2 }')
    wanted=$(awk -F '"' '/^rust-version/ { print $2 }' Cargo.toml)
    if ! awk -v f="$found" -v w="$wanted" 'BEGIN {
        split(f, a, "."); split(w, b, ".")
        exit !(a[1] > b[1] || a[1] == b[1] && a[2] + 0 >= b[2] + 0) }'; then
        echo "Rust $found is here, but emonfeed needs $wanted or newer (https://rustup.rs)." >&2
        exit 1
    fi
}

# phpize of one PHP builds nothing the php of another version can load.
check_php() {
    case $level in build | test-debian13) return ;; esac
    built_for=$(php-config --version)
    runs=$(php -n -r 'echo PHP_VERSION;')
    if [ "$built_for" != "$runs" ]; then
        echo "php is version $runs, but phpize and php-config belong to $built_for." >&2
        echo "Put the php, phpize and php-config of one version first in PATH." >&2
        exit 1
    fi
}

# apt-get waits for dpkg's lock by itself, but not for the locks on its lists
# and its downloads.
apt_get() {
    tries=0
    until $sudo env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
        apt-get -q -o DPkg::Lock::Timeout=600 "$@" >"$log" 2>&1 </dev/null; do
        grep -q 'Could not get lock\|Unable to lock' "$log" || return 1
        tries=$((tries + 1))
        [ "$tries" -lt 120 ] || return 1
        [ "$tries" -gt 1 ] || echo "Another apt is at work; waiting for it."
        sleep 5
    done
}

# Whether apt knows a version of each package that it could install.
all_known() {
    for package in $packages; do
        apt-cache policy "$package" 2>/dev/null | grep -q 'Candidate: [^(]' || return 1
    done
}

give_up() {
    tail -n 20 "$log" >&2
    echo "That failed (all of its output: $log). The line was:" >&2
    echo "  $line" >&2
    exit 1
}

fetch_fpm() {
    package=php$(php_version)-fpm
    line="mkdir -p target/php-fpm && cd target/php-fpm && apt-get download $package && dpkg-deb --extract ${package}_*.deb ."
    echo "Missing for \`make $target\`: PHP-FPM of PHP $(php_version), which serves pages in the tests."
    if [ -n "${NO_INSTALL:-}" ] || ! has apt-get; then
        echo "Put a php-fpm$(php_version) into PATH, or do this:"
        echo "  $line"
        exit 1
    fi
    echo "Unpacking it in target/php-fpm (nothing is installed, no service starts):"
    echo "  $line"
    rm -rf target/php-fpm
    mkdir -p target/php-fpm
    # Without a list, or with one older than the archive, there is nothing to download.
    download || { apt_get update && download; } || give_up
    dpkg-deb --extract target/php-fpm/*.deb target/php-fpm >"$log" 2>&1 || give_up
    rm target/php-fpm/*.deb
    if ! has_fpm; then
        "target/php-fpm/usr/sbin/php-fpm$(php_version)" -v >&2 || true
        echo "PHP-FPM was unpacked, but does not run as PHP $(php_version)." >&2
        exit 1
    fi
}
download() { (cd target/php-fpm && apt-get -q download "$package") >"$log" 2>&1; }

# The engines that read datasets in the tests, in target/python.
has_engines() {
    lists=tests/export/requirements.txt
    [ "$level" != soak ] || lists="$lists tests/export/requirements-soak.txt"
    # shellcheck disable=SC2086
    cat $lists | while IFS='=' read -r name version; do
        target/python/bin/python -c "import $name; exit($name.__version__ != '${version#=}')" || return
    done 2>/dev/null
}
fetch_engines() {
    lists='-r tests/export/requirements.txt'
    [ "$level" != soak ] || lists="$lists -r tests/export/requirements-soak.txt"
    line="python3 -m venv target/python && target/python/bin/pip install $lists"
    echo "Missing for \`make $level\`: engines that read datasets (tests/export), from PyPI."
    if [ -n "${NO_INSTALL:-}" ]; then
        echo "To put them into target/python (nothing else is touched):"
        echo "  $line"
        exit 1
    fi
    echo "Putting them into target/python (nothing else is touched):"
    echo "  $line"
    mkdir -p target
    # shellcheck disable=SC2086
    { python3 -m venv target/python && target/python/bin/pip install $lists; } >"$log" 2>&1 || give_up
    has_engines || {
        target/python/bin/python -c 'import duckdb, pyarrow' >&2 || true
        echo "They were installed, but cannot be loaded." >&2
        exit 1
    }
}

# A nightly compiler with Miri and the sources of the standard library, and
# cargo-fuzz.
has_nightly() { cargo +nightly miri --version && [ -d "$(rustc +nightly --print sysroot)/lib/rustlib/src" ]; }
fetch_rust_tools() {
    nightly='rustup toolchain install nightly --profile minimal --component miri --component rust-src'
    fuzz='cargo install cargo-fuzz --locked'
    missing=
    has_nightly >/dev/null 2>&1 || missing=$nightly
    has cargo-fuzz || missing="${missing:+$missing && }$fuzz"
    [ -n "$missing" ] || return 0
    echo "Missing for \`make soak\`: $missing"
    if [ -n "${NO_INSTALL:-}" ] || ! sh -c "$missing"; then
        echo 'That is for rustup (https://rustup.rs): `make soak` needs it, nothing else does.' >&2
        exit 1
    fi
}

log=$PWD/target/setup.log
sudo=
[ "$(id -u)" -eq 0 ] || sudo=sudo
check_rust

report=$(find_missing; echo "packages:$packages")
packages=${report##*packages:}
report=${report%packages:*}
if [ -n "$packages" ]; then
    line="${sudo:+sudo }apt-get install --no-install-recommends$packages"
    update=
    all_known || update="${sudo:+sudo }apt-get update"

    echo "Missing for \`make $target\`:"
    printf '%s' "$report"
    if [ -n "${NO_INSTALL:-}" ]; then
        echo "NO_INSTALL is set, so nothing is installed. To do it yourself:"
        echo "  ${update:+$update && }$line"
        exit 1
    fi
    if ! has apt-get; then
        echo "This machine has no apt-get. Install the above the way it is done here," >&2
        echo "and start again. (The names are those of Debian 12's packages.)" >&2
        exit 1
    fi
    if [ -n "$sudo" ] && ! has sudo; then
        echo "There is no sudo here. As root, run:" >&2
        echo "  ${update:+${update#sudo } && }${line#sudo }" >&2
        exit 1
    fi

    mkdir -p target
    begin=$(date +%s)
    if [ -n "$update" ]; then
        echo "Reading apt's package lists: $update"
        apt_get update || give_up
    fi
    echo "Installing them: $line"
    # A list older than the archive names packages that are gone from it.
    # shellcheck disable=SC2086
    apt_get install -y --no-install-recommends $packages ||
        { apt_get update && apt_get install -y --no-install-recommends $packages; } ||
        give_up
    echo "Installed in $(($(date +%s) - begin)) s."

    report=$(find_missing)
    if [ -n "$report" ]; then
        echo "Still missing after the installation:" >&2
        echo "$report" >&2
        exit 1
    fi
fi

check_php
case $level in
explore) check_node ;;
test | soak)
    has_fpm || fetch_fpm
    has_engines || fetch_engines
    ;;
esac
[ "$level" != soak ] || fetch_rust_tools
