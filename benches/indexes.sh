#!/bin/sh
# Measures what the index of a feed's table costs on disk, and what each
# statement that emoncms writes and reads with takes with it and without.
#
#   sh benches/indexes.sh [-o FILE]     prints a report, and writes it to FILE too
#   QUICK=1 sh benches/indexes.sh       small tables, few rounds
#
# A private MariaDB server keeps the tables. Everything is in the page cache:
# these are times of the server, not of a disk.
#
#   EMONFEED        the command that reads directly; without one that line is
#                   left out [target/release/emonfeed]
#   ROWS            how many rows the tables have [100000 1000000 10000000;
#                   quick: 1000 10000 100000]
#   SECONDS_EACH    how long to repeat a statement, at the most, but for five
#                   times at the least [3; quick: 0.2]
#   BENCH_FOLDER    where all is made, and removed in the end; 1 GB is needed
#                   [target/bench-indexes]
set -eu

output=
while getopts o: option; do
    case $option in
    o) output=$OPTARG ;;
    *) exit 2 ;;
    esac
done

called_in=$PWD
cd "$(dirname "$0")/.."
. benches/common.sh

output=$(absolute "$output")
command=$(absolute "${EMONFEED:-$PWD/target/release/emonfeed}")
if [ -n "${QUICK:-}" ]; then
    rows=${ROWS:-1000 10000 100000} seconds=${SECONDS_EACH:-0.2}
else
    rows=${ROWS:-100000 1000000 10000000} seconds=${SECONDS_EACH:-3}
fi

demand php
php -m | grep -qx mysqli || fail 'this PHP has no mysqli'
[ -x "$command" ] || command=

work_in "${BENCH_FOLDER:-target/bench-indexes}"
start_server "$work/server"
# As a server has them that nobody configured.
sql 'SET GLOBAL key_buffer_size = 134217728; SET GLOBAL myisam_sort_buffer_size = 134216704;
     SET GLOBAL sync_frm = OFF; CREATE DATABASE emoncms'

# shellcheck disable=SC2086
php benches/indexes/measure.php "$work/server" "$server_pid" "$command" "$seconds" \
    "$(machine), $(df --output=fstype "$work" | tail -n 1)" \
    $rows >"$work/report.md"
cat "$work/report.md"
if [ -n "$output" ]; then cp "$work/report.md" "$output"; fi
