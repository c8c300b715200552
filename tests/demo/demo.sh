#!/bin/sh
# `make demo`: builds emonfeed, makes a year of readings and does the main job
# on them. Everything it makes is in target/.
#
#   DEMO_TABLES=server   the tables are made by a MariaDB server, or it fails
#   DEMO_TABLES=writer   by the sample writer, even if a server is here
set -eu

cd "$(dirname "$0")/../.."
# Debian keeps the database server out of an ordinary user's PATH.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
make=${MAKE:-make}
work=target/demo
feeds=$work/data/emoncms
backup=$work/backup
command=target/release/emonfeed
. tests/server.sh

bold='' plain=''
if [ -t 1 ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); fi
demo_began=$(date +%s%N)
step_number=0
title() {
    step_number=$((step_number + 1))
    printf '\n%s%s. %s%s\n' "$bold" "$step_number" "$1" "$plain"
    step_began=$(date +%s%N)
}
# since NANOSECONDS: the time that has passed, as people say it.
since() {
    echo "$(($(date +%s%N) - $1))" |
        awk '{ if ($1 < 1e9) printf "%.0f ms\n", $1 / 1e6; else printf "%.1f s\n", $1 / 1e9 }'
}
took() { printf '  %s — %s\n' "$1" "$(since "$step_began")"; }
fail() {
    echo "demo: $1" >&2
    exit 1
}
# run COMMAND...: shows the line a reader could type, and runs it.
run() {
    printf '  $ %s\n' "$*"
    run_began=$(date +%s%N)
    "$@" || fail "that command failed"
    printf '  (%s, the start of the program included)\n' "$(since "$run_began")"
}

trap stop_server EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

title 'The tools'
sh tests/setup.sh demo
took 'a C compiler, PHP and phpize are here'

title 'The library, the command and the PHP extension'
$make --no-print-directory all php
rm -rf "$work"
mkdir -p "$work" "$feeds" "$backup"
$make --no-print-directory install PREFIX="$PWD/$work/installed" >"$work/install.log"
rustc --edition 2024 -O tests/demo/sample.rs -o "$work/sample"
took 'built in target/release and target/php-ext/modules'

# Both ways make the same rows, byte for byte (tests/sample.rs). Through the
# server there are an index and a table definition beside them, as in emoncms.
tables=${DEMO_TABLES:-}
why_writer='DEMO_TABLES=writer'
if [ -z "$tables" ]; then
    tables=writer
    why_writer='no MariaDB server and client program are here'
    if server_program && client_program; then tables=server; fi >/dev/null
fi
# add SPAN: the readings of a year, or of the hour after it, arrive.
add() {
    if [ "$tables" = writer ]; then
        "$work/sample" rows "$1" "$feeds"
        return
    fi
    "$work/sample" text "$1" "$work/data/tmp"
    for feed in 1 2 3; do
        sql "LOAD DATA INFILE './tmp/feed_$feed.txt' INTO TABLE emoncms.feed_$feed"
        rm "$work/data/tmp/feed_$feed.txt"
    done
}
bytes() { cat "$feeds"/feed_*.MYD | wc -c; }

title 'A year of readings every 10 seconds, as feed files'
if [ "$tables" = server ]; then
    rmdir "$feeds"
    start_server "$PWD/$work/data"
    sql 'CREATE DATABASE emoncms'
    for feed in 1 2 3; do
        sql "CREATE TABLE emoncms.feed_$feed
            (time INT UNSIGNED NOT NULL, data FLOAT NOT NULL, UNIQUE (time)) ENGINE=MyISAM"
    done
    echo "  A private $("$(server_program)" --no-defaults --version | awk '{ print $3 }') server makes the tables (no port, gone afterwards)."
else
    echo "  The sample writer makes the files (${why_writer})."
fi
add year >"$work/rows"
while read -r feed rows; do
    printf '  %s  %9d rows  %9d bytes\n' "$feed" "$rows" "$(wc -c <"$feeds/$feed.MYD")"
done <"$work/rows"
took "made in $feeds"

title 'PHP asks: a graph of the year, and daily averages'
run php -n -d extension=target/php-ext/modules/emonfeed.so -d emonfeed.datadir="$feeds" \
    tests/demo/demo.php "$feeds" "$work/php.json"

title 'A C program asks the same'
"${CC:-cc}" -std=c11 -Wall -Wextra -Wpedantic -Werror -O2 -I"$work/installed/include" \
    tests/demo/demo.c -o "$work/demo" \
    -L"$work/installed/lib" -lemonfeed -Wl,-rpath,"$PWD/$work/installed/lib"
run "$work/demo" "$feeds/feed_1.MYD" "$work/c.json"

title 'The command shows the feed, and asks the same'
run "$command" info "$feeds/feed_1.MYD"
run "$command" get "$feeds/feed_1.MYD" --start 2025-06-01 --end 2025-06-01T23:00 \
    --interval 3600 --average --plot
"$command" get "$feeds/feed_1.MYD" --start 1735689600 --end 1767225590 --interval 86400 --average \
    --format json >"$work/command.json"
for other in c command; do
    [ "$(cat "$work/php.json")" = "$(cat "$work/$other.json")" ] ||
        fail "the daily averages in $work/php.json and $work/$other.json differ"
done
echo '  PHP, C and the command gave the same 365 daily averages.'

if [ "$tables" = server ]; then
    title 'The server answers the same, for comparison'
    statement='SELECT time DIV 86400 * 86400, AVG(data) FROM emoncms.feed_1 GROUP BY 1 ORDER BY 1'
    echo "  $statement"
    sql "$statement" >"$work/sql.txt"
    took 'SQL answered'
    tr -d '[' <"$work/php.json" | tr ']' '\n' | sed 's/^,//' | grep . | tr ',' ' ' |
        paste -d ' ' - "$work/sql.txt" |
        awk '{ d = $2 - $4; if (d < 0) d = -d; if ($1 != $3 || d > 1e-9 * $4) bad++ }
            END { exit !(NR == 365 && !bad) }' ||
        fail "the averages in $work/php.json and $work/sql.txt differ"
    echo '  They are the averages PHP got, to a relative 1e-9.'
fi

# back_up BYTES: a run that has to copy just so many, and leave equal files.
back_up() {
    step_began=$(date +%s%N)
    # Both are below target/.
    printf '  $ %s\n' "$command backup --same-device $feeds $backup"
    "$command" backup --same-device "$feeds" "$backup" >"$work/backup.txt" || fail 'the backup failed'
    cat "$work/backup.txt"
    took 'that took'
    grep -q " $1 bytes copied" "$work/backup.txt" || fail "the backup had $1 bytes to copy"
    for file in "$feeds"/feed_*.MYD "$feeds"/feed_*.frm; do
        [ ! -e "$file" ] || cmp "$file" "$backup/${file##*/}" || fail "a copy is not equal to its feed"
    done
    echo '  Checked: the copies are equal to the feeds.'
}

title 'A backup copies the feeds'
back_up "$(bytes)"

title 'An hour later: new readings'
before=$(bytes)
add hour >"$work/rows"
new=$(($(bytes) - before))
took "$(awk '{ n += $2 } END { print n }' "$work/rows") rows arrived, $new bytes"

title 'The next backup copies only those'
back_up "$new"

stop_server
title 'Done'
echo "  All of it took $(since "$demo_began"). To look around:"
echo "    $command get $backup/feed_2.MYD --start 2025-01-01 --end 2025-12-31 --monthly --average"
echo "    $command --help"
