#!/bin/sh
# Measures `emonfeed backup` beside what people copy feeds with today: cp,
# rsync, and the loop of emoncms's old backup script.
#
#   sh benches/backup.sh [-o FILE]      prints a report, and writes it to FILE too
#   QUICK=1 sh benches/backup.sh        a fiftieth of the feeds, fewer rounds
#
# A private MariaDB server makes the tables and lets them grow, so that their
# index files are real ones. Every tool has a destination of its own on the
# same file system, and all see the same source, which is in the page cache.
#
#   EMONFEED        the command to measure      [target/release/emonfeed]
#   FEEDS, ROUNDS   how many                    [5000, 5; quick: 100, 3]
#   MANY_FEEDS      for the memory, 0 for none  [50000; quick: 500]
#   TABLE_OPTIONS   of CREATE TABLE, such as CHECKSUM=1
#   BENCH_FOLDER    where all is made, and removed in the end; 20 GB are needed,
#                   quick 1 [target/bench-backup]
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
    feeds=${FEEDS:-100} rounds=${ROUNDS:-3} many=${MANY_FEEDS:-500}
else
    feeds=${FEEDS:-5000} rounds=${ROUNDS:-5} many=${MANY_FEEDS:-50000}
fi
rows=10000
growth=1440
many_rows=20
many_growth=5
warm=0

demand cp rsync php "${CC:-cc}" "$command"
work_in "${BENCH_FOLDER:-target/bench-backup}"
results=$work/results

# --- the tables ---------------------------------------------------------------

# fill DATABASE FEEDS FROM TO: rows FROM to TO, one a minute, into each of the
# feeds, which are made if FROM is 1. As many clients work as there are cores.
fill() {
    clients=
    jobs=$(nproc)
    part=0
    while [ "$part" -lt "$jobs" ]; do
        part=$((part + 1))
        (
            cd "$server_folder"
            awk -v part="$part" -v jobs="$jobs" -v feeds="$2" -v from="$3" -v to="$4" \
                -v options="${TABLE_OPTIONS:-}" 'BEGIN {
                for (n = part; n <= feeds; n += jobs) {
                    if (from == 1)
                        printf "CREATE TABLE feed_%d (time INT UNSIGNED NOT NULL, " \
                            "data FLOAT NOT NULL, UNIQUE (time)) ENGINE=MyISAM %s;\n", n, options
                    printf "INSERT INTO feed_%d SELECT 1700000000 + 60 * seq, " \
                        "ROUND(200 + 100 * SIN(seq / 97 + %d), 1) FROM seq_%d_to_%d;\n",
                        n, n, from, to
                }
            }' | "$(client_program)" --no-defaults --protocol=socket --socket=sock "$1"
        ) &
        clients="$clients $!"
    done
    for client in $clients; do wait "$client" || fail 'the server did not take the rows'; done
    # What is in the header of an index is written with this at the latest.
    sql 'FLUSH TABLES'
}

# --- what is measured ---------------------------------------------------------

# Every tool is a function of: source, destination. It runs through `timed`,
# which notes the time, the memory and whose figures they are.
timed() { "$work/measure" "$results" "$label" "$warm" "$@" >/dev/null; }

same_device=
if "$command" backup --help | grep -q -e '--same-device'; then same_device=--same-device; fi
emonfeed() { timed "$command" backup $same_device "$1" "$2"; }
cp_all() { timed cp -a "$1" "$2"; }
# cp -a of the directory's data and definitions, without the indexes.
cp_data() {
    mkdir "$2"
    cd "$1"
    timed cp -a -t "$2" -- *.MYD *.frm
    cd - >/dev/null
}
rsync_all() { timed rsync -a "$1/" "$2/"; }
rsync_data() { timed rsync -a --include='*.MYD' --include='*.frm' --exclude='*' "$1/" "$2/"; }
append_all() { timed rsync -a --append "$1/" "$2/"; }
append_data() {
    timed rsync -a --append --include='*.MYD' --include='*.frm' --exclude='*' "$1/" "$2/"
}
old_script() { timed php -n benches/backup/old_script.php "$1" "$2"; }

# measure CASE TOOL SOURCE DESTINATION: with a source in the page cache and
# nothing left to be written, runs the tool, and then sync -f.
measure() {
    find "$3" -type f -exec cat {} + >/dev/null
    sync
    # Megabytes: what a copy may take of the page cache.
    case $1 in
    *first) warm=$(du -sm "$3" | awk '{ print $1 + 100 }') ;;
    *) warm=300 ;;
    esac
    label="$1 $2"
    "$2" "$3" "$4"
    warm=0
    label="$1 $2+sync"
    timed sync -f "$4"
}

# in_turn ROUND TOOL...: the tools in another order each round.
in_turn() {
    turn=$1
    shift
    turn=$((turn % $#))
    while [ "$turn" -gt 0 ]; do
        first=$1
        shift
        set -- "$@" "$first"
        turn=$((turn - 1))
    done
    echo "$@"
}

# check SOURCE DESTINATION: figures of a copy that is not equal are worth nothing.
check() {
    (cd "$1" && find . -name '*.MYD' -o -name '*.frm') | LC_ALL=C sort >"$work/names"
    (cd "$1" && xargs cat <"$work/names" | sha256sum) >"$work/wanted"
    (cd "$2" && xargs cat <"$work/names" | sha256sum) >"$work/found"
    cmp -s "$work/wanted" "$work/found" || fail "the copy in $2 is not equal to its source"
}

mkdir -p "$work/to"
: >"$results"
"${CC:-cc}" -std=c11 -Wall -Wextra -Wpedantic -O2 benches/backup/measure.c -o "$work/measure"
start_server "$work/server"
# The definitions need not survive a power cut.
sql 'SET GLOBAL sync_frm = OFF; CREATE DATABASE emoncms; CREATE DATABASE many'
source=$work/server/emoncms
to=$work/to

say "The server makes $feeds feeds of $rows rows"
fill emoncms "$feeds" 1 "$rows"

# They all stay until the end: where files were just removed, ext4 without a
# journal searches long for an inode that was not.
round=0
while [ "$round" -lt "$rounds" ]; do
    round=$((round + 1))
    say "First copy, round $round of $rounds"
    for tool in $(in_turn "$round" emonfeed cp_all cp_data); do
        measure first "$tool" "$source" "$to/first-$tool-$round"
        check "$source" "$to/first-$tool-$round"
    done
done

incremental='emonfeed append_all append_data old_script'
say 'Each of the tools makes the copy it goes on from'
for tool in $incremental; do
    mkdir -m 700 "$to/$tool"
    label=preparation
    "$tool" "$source" "$to/$tool"
done
# The old script leaves the definitions out.
cp -a "$source"/*.frm "$to/old_script"
last=$rows
round=0
while [ "$round" -lt "$rounds" ]; do
    round=$((round + 1))
    say "$growth more rows, round $round of $rounds"
    fill emoncms "$feeds" "$((last + 1))" "$((last + growth))"
    last=$((last + growth))
    # shellcheck disable=SC2046,SC2086
    for tool in $(in_turn "$round" $incremental); do
        measure grown "$tool" "$source" "$to/$tool"
        check "$source" "$to/$tool"
    done
done

# With --append, rsync leaves an index whose size is the same as it was.
label=preparation
emonfeed "$source" "$to/emonfeed"
rsync_all "$source" "$to/append_all"
rsync_data "$source" "$to/append_data"
round=0
while [ "$round" -lt "$rounds" ]; do
    round=$((round + 1))
    say "Nothing new, round $round of $rounds"
    for tool in $(in_turn "$round" emonfeed rsync_all rsync_data old_script); do
        case $tool in
        rsync_*) destination=$to/append_${tool#rsync_} ;;
        *) destination=$to/$tool ;;
        esac
        measure same "$tool" "$source" "$destination"
    done
done

if [ "$many" -gt 0 ]; then
    source=$work/server/many
    say "The server makes $many feeds of $many_rows rows"
    fill many "$many" 1 "$many_rows"
    mkdir -m 700 "$to/many"
    say 'Memory: first copy'
    measure many-first emonfeed "$source" "$to/many"
    check "$source" "$to/many"
    say "Memory: $many_growth more rows"
    fill many "$many" "$((many_rows + 1))" "$((many_rows + many_growth))"
    measure many-grown emonfeed "$source" "$to/many"
    check "$source" "$to/many"
    say 'Memory: nothing new'
    measure many-same emonfeed "$source" "$to/many"
fi

# --- the report ---------------------------------------------------------------

{
    describe_machine "$work" "$command" "$(rsync --version | awk 'NR == 1 { print $1, $3 }')" \
        "$(cp --version | awk 'NR == 1 { print $1, $NF, "(coreutils)" }')" \
        "PHP $(php -n -r 'echo PHP_VERSION;')" "tables of MariaDB $(sql 'SELECT VERSION()')"
    echo "feeds	$feeds"
    echo "rows	$rows"
    echo "growth	$growth"
    echo "rounds	$rounds"
    echo "many	$many"
    echo "many rows	$many_rows"
    echo "many growth	$many_growth"
    echo "options	${TABLE_OPTIONS:-}"
} >"$work/about"
php -n benches/backup/report.php "$work/about" "$results" >"$work/report.md"
cat "$work/report.md"
if [ -n "$output" ]; then cp "$work/report.md" "$output"; fi
