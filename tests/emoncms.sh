#!/bin/sh
# The classes for emoncms (php-ext/emoncms) beside a private MariaDB server.
#
#   sh tests/emoncms.sh                  every tests/emoncms/*_test.php, as many
#                                        at a time as there are processors
#   sh tests/emoncms.sh harness_test     that one
set -eu

cd "$(dirname "$0")/.."

# Each has a server of its own.
if [ $# -eq 0 ]; then
    printf '%s\n' tests/emoncms/*_test.php | xargs -n 1 -P "$(nproc)" sh tests/emoncms.sh
    exit
fi

name=${1##*/}
file=tests/emoncms/${name%.php}.php
if [ ! -f "$file" ]; then
    echo "There is no test $file." >&2
    exit 1
fi
. tests/php_beside_server.sh
echo "emonfeed.datadir = \"$work/data/emoncms\"" >>"$work/php.ini"
sql 'CREATE DATABASE emoncms'

# Whether it checked something, all of it well, and came to its end.
began=$(date +%s)
run_php "$file" >"$work/output"
cat "$work/output"
if [ "$code" -ne 0 ] || ! tail -n 1 "$work/output" | grep -q ': [1-9][0-9]* checks, all well$'; then
    echo "FAILED: $file (exit code $code)"
    exit 1
fi
echo "passed: $file ($(($(date +%s) - began)) s)"
