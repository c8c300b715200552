#!/bin/sh
# The classes for emoncms (php-ext/emoncms) beside a private MariaDB server.
#
#   sh tests/emoncms.sh                  every tests/emoncms/*_test.php, as many
#                                        at a time as there are processors
#   sh tests/emoncms.sh harness_test     that one
#
# PHP runs with settings of our own, in the tests' child processes too: nothing
# of this machine's php.ini counts, and `mysqli` finds the server by itself.
set -eu

cd "$(dirname "$0")/.."

# Each has a server of its own.
if [ $# -eq 0 ]; then
    printf '%s\n' tests/emoncms/*_test.php | xargs -n 1 -P "$(nproc)" sh tests/emoncms.sh
    exit
fi

# Debian keeps the database server out of an ordinary user's PATH.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
. tests/server.sh

extension=$PWD/target/php-ext/modules/emonfeed.so
if [ ! -f "$extension" ]; then
    echo "$extension is missing: run make php first." >&2
    exit 1
fi

# Not in target/: a socket's path may have no more than 107 bytes.
work=$(mktemp -d "${TMPDIR:-/tmp}/emonfeed-php-XXXXXX")
work=$(cd "$work" && pwd)
test_pid=
clean_up() {
    # The servers that it started too.
    [ -z "$test_pid" ] || kill -- "-$test_pid" 2>/dev/null || true
    stop_server
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' HUP TERM

socket=$work/data/sock
if [ "$(printf %s "$socket" | wc -c)" -gt 107 ]; then
    echo "$work: too long for a socket; set TMPDIR to a shorter path." >&2
    exit 1
fi
start_server "$work/data"

{
    # A zone that none of the tests asks for: no answer may depend on it.
    printf '%s\n' 'error_reporting = -1' 'display_errors = stderr' 'log_errors = 0' \
        'memory_limit = 128M' 'date.timezone = Pacific/Chatham' "mysqli.default_socket = \"$socket\""
    built_in=$(php -n -m)
    for name in mysqlnd mysqli posix tokenizer; do
        echo "$built_in" | grep -qix "$name" || echo "extension = $name"
    done
    echo "extension = \"$extension\""
    echo "emonfeed.datadir = \"$work/data/emoncms\""
} >"$work/php.ini"
export PHPRC="$work" PHP_INI_SCAN_DIR=
export EMONFEED_TEST_FOLDER="$work" EMONFEED_TEST_DATA="$work/data/emoncms"

# run FILE: with an empty database; whether it checked something, all of it
# well, and came to its end.
run() {
    sql 'DROP DATABASE IF EXISTS emoncms; CREATE DATABASE emoncms' || return
    began=$(date +%s)
    code=0
    # A group of its own, to be ended as one; waited for, so that a signal to
    # this script ends it at once.
    setsid php "$1" >"$work/output" &
    test_pid=$!
    wait "$test_pid" || code=$?
    test_pid=
    cat "$work/output"
    if [ "$code" -ne 0 ] || ! tail -n 1 "$work/output" | grep -q ': [1-9][0-9]* checks, all well$'; then
        echo "FAILED: $1 (exit code $code)"
        return 1
    fi
    echo "passed: $1 ($(($(date +%s) - began)) s)"
}

name=${1##*/}
file=tests/emoncms/${name%.php}.php
if [ ! -f "$file" ]; then
    echo "There is no test $file." >&2
    exit 1
fi
run "$file"
