#!/bin/sh
# Measures what the library answers beside what people ask today: the MySQL
# engine of emoncms, readers of the files in PHP, and memory itself.
#
#   sh benches/queries.sh [-b FILE] [-s FILE] [-w]
#       -b FILE     the report of backup.sh, to be a part of this one
#       -s FILE     the same for sdcard.sh
#       -w          write docs/benchmarks.md and its images
#   QUICK=1 sh benches/queries.sh       a smaller feed, fewer rounds
#
# A private MariaDB server makes the tables, and answers. The report and
# queries.tsv, the same for programs, are left in target/bench.
#
#   EMONFEED        the command to measure              [target/release/emonfeed]
#   ROWS, ROUNDS    of the feed, and how often          [9460000, 9; quick: 1000000, 3]
#   HUGE_ROWS       of the largest feed, 0 for none     [100000000; quick: 0]
#   BENCH_FOLDER    where all is made, and removed in the end; 4 GB are needed,
#                   quick 300 MB [target/bench-queries]
set -eu

backup=
card=
write=
while getopts b:s:w option; do
    case $option in
    b) backup=$OPTARG ;;
    s) card=$OPTARG ;;
    w) write=yes ;;
    *) exit 2 ;;
    esac
done

called_in=$PWD
cd "$(dirname "$0")/.."
. benches/common.sh

backup=$(absolute "$backup")
card=$(absolute "$card")
emonfeed=$(absolute "${EMONFEED:-$PWD/target/release/emonfeed}")
library=$PWD/target/release/libemonfeed.so
extension=$PWD/target/php-ext/modules/emonfeed.so
output=$PWD/target/bench
mkdir -p "$output/images"
if [ -n "${QUICK:-}" ]; then
    rows=${ROWS:-1000000} rounds=${ROUNDS:-3} huge=${HUGE_ROWS:-0}
    sizes='10000 100000 1000000'
else
    rows=${ROWS:-9460000} rounds=${ROUNDS:-9} huge=${HUGE_ROWS:-100000000}
    sizes='100000 1000000 10000000'
fi
# Ranges of the feed, the longest last.
days=
for n in 1 7 30 55 180 540; do
    if [ "$((n * 17280))" -le "$rows" ] && { [ "$n" -ne 55 ] || [ "$rows" -lt 3110400 ]; }; then
        days="$days $n"
    fi
done
longest=${days##* }
[ -n "$days" ] || fail 'ROWS must be 17280 or more: a day of readings'

demand php "${CC:-cc}" "$emonfeed"
[ -f "$library" ] || fail "there is no $library: run make"
[ -f "$extension" ] || fail "there is no $extension: run make php"
[ -z "$backup" ] || [ -f "$backup" ] || fail "there is no $backup"
[ -z "$card" ] || [ -f "$card" ] || fail "there is no $card"

work_in "${BENCH_FOLDER:-target/bench-queries}"

# On a machine that has other work, figures are larger and differ more.
load=$(cut -d " " -f 1 /proc/loadavg)

# --- programs -----------------------------------------------------------------

mkdir "$work/lib"
ln -s "$library" "$work/lib/libemonfeed.so"
ln -s "$library" "$work/lib/$(grep -o 'libemonfeed\.so\.[0-9]*' build.rs)"
have=
! grep -q 'emonfeed_feed_open_cached(' include/emonfeed.h || have=-DHAVE_OPEN_CACHED
# compile FILE: a program that calls the library, as its users' programs would.
compile() {
    name=${1##*/}
    "${CC:-cc}" -std=c11 -Wall -Wextra -Wpedantic -Werror -O2 $have -I include "$1" \
        -o "$work/${name%.c}" -L "$work/lib" -Wl,-rpath,"$work/lib" -lemonfeed -lm
}
for name in call first pages rows; do compile "benches/queries/$name.c"; done
compile benches/backup/measure.c

# Nothing of this machine's php.ini counts. Web servers have the opcache, so
# that what is written in PHP has it here, too.
{
    printf '%s\n' 'error_reporting = -1' 'display_errors = stderr' 'log_errors = 0' \
        'memory_limit = -1' 'date.timezone = UTC'
    built_in=$(php -n -m)
    for name in mysqlnd mysqli; do
        echo "$built_in" | grep -qix "$name" || echo "extension = $name"
    done
    if php -n -d zend_extension=opcache -r 'exit(extension_loaded("Zend OPcache") ? 0 : 1);' 2>/dev/null; then
        printf '%s\n' 'zend_extension = opcache' 'opcache.enable_cli = 1'
    fi
    echo "extension = \"$extension\""
} >"$work/php.ini"
export PHPRC="$work" PHP_INI_SCAN_DIR=
php -r 'exit(class_exists("mysqli") && class_exists("Emonfeed\Feed") ? 0 : 1);' ||
    fail 'PHP lacks mysqli or cannot load the extension'

# --- feeds --------------------------------------------------------------------

start_server "$work/server"
sql 'SET GLOBAL sync_frm = OFF; CREATE DATABASE emoncms'

# make TABLE ROWS [OPTIONS]: a table as emoncms makes it. A reading every 5 s,
# each 17th a second late; out for 20 minutes every 17 days and for 26 hours
# every four months; watts that follow the day, with noise and a kettle. rows.c
# has the same.
make() {
    sql "USE emoncms;
        CREATE TABLE $1 (time INT UNSIGNED NOT NULL, data FLOAT NOT NULL, UNIQUE (time)) ENGINE=MyISAM ${3:-};
        INSERT INTO $1 SELECT 1672531200 + 5 * seq + (seq % 17 = 0) +
                1200 * (seq DIV 300000) + 93600 * (seq DIV 2000000),
            ROUND(230 + 150 * SIN(seq / 2750) + seq * 7919 % 1000 / 10 + IF(seq % 3000 < 40, 2400, 0), 1)
            FROM seq_1_to_$2"
}

say "The server makes a feed of $rows rows"
make feed_1 "$rows"
say 'The same with a checksum'
make feed_2 "$rows" 'CHECKSUM=1'
say 'The same with one row of a hundred out of place'
# The places of deleted rows are given to those that are inserted next.
make feed_3 "$rows"
sql 'USE emoncms;
    CREATE TABLE moved ENGINE=MyISAM SELECT * FROM feed_3 WHERE CRC32(time) % 100 = 0;
    DELETE FROM feed_3 WHERE CRC32(time) % 100 = 0;
    INSERT INTO feed_3 SELECT * FROM moved ORDER BY CRC32(time + 1);
    DROP TABLE moved'
for size in $sizes; do
    say "A feed of $size rows"
    make "growth_$size" "$size"
done
sql 'FLUSH TABLES'
data=$work/server/emoncms
if [ "$huge" -gt 0 ]; then
    say "A file of $huge rows"
    "$work/rows" write "$work/growth_$huge.MYD" "$huge"
fi
# For the memory of exports: a tenth, but more than they hold at a time.
smaller=$((rows / 10))
[ "$smaller" -gt 300000 ] || smaller=300000
"$work/rows" write "$work/smaller.MYD" "$smaller"
"$work/rows" fina "$data/feed_1.MYD" "$work/fixed.dat"
sync

# --- what is measured ---------------------------------------------------------

# Exports are compared here, where no script has to hold them.
say 'Is the export the same?'
sql 'SELECT time, data FROM emoncms.feed_1 ORDER BY time' | tr '\t' ',' | cksum >"$work/wanted"
"$emonfeed" get "$data/feed_1.MYD" --rows --format csv | cksum >"$work/found"
cmp -s "$work/wanted" "$work/found" || fail 'the export as CSV is not what the server says'

# shellcheck disable=SC2086
php benches/queries/warm.php "$work" "$rounds" $days
php benches/queries/fresh.php "$work" "$rounds" "$longest" "$emonfeed"

# --- the report ---------------------------------------------------------------

{
    describe_machine "$work" "$emonfeed" \
        "$(rustc --version 2>/dev/null | cut -d ' ' -f 1,2)" \
        "MariaDB $(sql 'SELECT VERSION()')" "PHP $(php -n -r 'echo PHP_VERSION;')"
    echo "date	$(date -u +%F)"
    echo "load	$load when it began"
    echo "rows	$rows"
    echo "rounds	$rounds"
    echo "days	${days# }"
    echo "quick	${QUICK:-}"
} >"$work/about"
cp "$work/results" "$output/queries-raw.tsv"
php benches/queries/report.php "$work/about" "$work/results" "$output" "$backup" "$card" >"$output/benchmarks.md"
if [ -n "$write" ]; then
    mkdir -p docs/images
    cp "$output/benchmarks.md" docs/benchmarks.md
    cp "$output/images/benchmarks.svg" "$output/images/growth.svg" docs/images/
fi
cat "$output/benchmarks.md"
