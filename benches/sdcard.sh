#!/bin/sh
# How much queries and backups read from a slow disk, and in how many requests: each
# from a cold cache, on a device that is throttled as an SD card is.
#
#   sh benches/sdcard.sh [-o FILE]      prints a report, and writes it to FILE too
#   QUICK=1 sh benches/sdcard.sh        a smaller feed, fewer feeds
#
# The device is a loop device on a file, with a file system of its own; the kernel
# counts what is asked of it, and a control group slows it down. That is for root, whom
# sudo makes of others, and so is the emptying of the cache (of the whole machine,
# before each request). Fails where a request read more than it must, or the device was
# quicker than it may be.
#
#   EMONFEED            the command to measure             [target/release/emonfeed]
#   ROWS, FEEDS         of the large feed, and for backups [9460000, 200; quick: 1000000, 20]
#   READS, WRITES       that the device does in a second   [1500, 500: cards of class A1]
#   READ_MB, WRITE_MB   the same in MB                     [20, 10]
#   BENCH_FOLDER        where all is made, and removed in the end; 2 GB are needed
#                       [target/bench-sdcard]
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
emonfeed=$(absolute "${EMONFEED:-$PWD/target/release/emonfeed}")
library=$PWD/target/release/libemonfeed.so
if [ -n "${QUICK:-}" ]; then
    rows=${ROWS:-1000000} feeds=${FEEDS:-20}
else
    rows=${ROWS:-9460000} feeds=${FEEDS:-200}
fi
reads=${READS:-1500} writes=${WRITES:-500} read_mb=${READ_MB:-20} write_mb=${WRITE_MB:-10}

# What is mounted is gone when this ends, however it does.
if [ -z "${EMONFEED_OWN_MOUNTS:-}" ]; then
    sudo=
    [ "$(id -u)" -eq 0 ] || sudo=sudo
    exec $sudo unshare --mount env EMONFEED_OWN_MOUNTS=1 EMONFEED="$emonfeed" ROWS="$rows" FEEDS="$feeds" \
        READS="$reads" WRITES="$writes" READ_MB="$read_mb" WRITE_MB="$write_mb" CC="${CC:-cc}" \
        BENCH_FOLDER="${BENCH_FOLDER:-target/bench-sdcard}" sh benches/sdcard.sh -o "$output"
fi
demand losetup mkfs.ext4 "${CC:-cc}" "$emonfeed"
[ -f "$library" ] || fail "there is no $library: run make"

work_in "${BENCH_FOLDER:-target/bench-sdcard}"
card=$work/card
group=''
let_go() {
    [ -z "$group" ] || unthrottle
    ! mountpoint -q "$card" || umount "$card"
}
mkdir "$work/lib" "$card"

ln -s "$library" "$work/lib/libemonfeed.so"
ln -s "$library" "$work/lib/$(grep -o 'libemonfeed\.so\.[0-9]*' build.rs)"
"${CC:-cc}" -std=c11 -Wall -Wextra -Wpedantic -Werror -O2 -DHAVE_OPEN_CACHED -I include \
    benches/queries/first.c -o "$work/first" -L "$work/lib" -Wl,-rpath,"$work/lib" -lemonfeed

# --- the card -----------------------------------------------------------------

truncate -s 2G "$work/image"
mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 "$work/image"
device=$(losetup --show --find --direct-io=on "$work/image")
name=${device#/dev/}
# As of the card reader of a Raspberry Pi; loop devices have that of the disk below.
echo 128 >"/sys/block/$name/queue/read_ahead_kb"
mount "$device" "$card"
# Goes with the last mount.
losetup -d "$device"

# --- feeds --------------------------------------------------------------------

mkdir "$card/bare" "$card/kept" "$card/copies"
chmod 700 "$card/kept"
start_server "$card/server"
sql 'SET GLOBAL sync_frm = OFF; CREATE DATABASE emoncms; CREATE DATABASE many'
say "A feed of $rows rows, with a table and without"
# As benches/queries.sh has it.
sql "USE emoncms;
    CREATE TABLE feed_1 (time INT UNSIGNED NOT NULL, data FLOAT NOT NULL, UNIQUE (time)) ENGINE=MyISAM;
    INSERT INTO feed_1 SELECT 1672531200 + 5 * seq + (seq % 17 = 0) +
            1200 * (seq DIV 300000) + 93600 * (seq DIV 2000000),
        ROUND(230 + 150 * SIN(seq / 2750) + seq * 7919 % 1000 / 10 + IF(seq % 3000 < 40, 2400, 0), 1)
        FROM seq_1_to_$rows"
# grow FIRST ROWS: so many rows in each of the many feeds.
grow() {
    n=0
    while [ "$n" -lt "$feeds" ]; do
        n=$((n + 1))
        echo "CREATE TABLE IF NOT EXISTS feed_$n (time INT UNSIGNED NOT NULL, data FLOAT NOT NULL, UNIQUE (time)) ENGINE=MyISAM;
            INSERT INTO feed_$n SELECT 1672531200 + 10 * ($1 + seq), seq % 1000 FROM seq_1_to_$2;"
    done >"$work/statements"
    sql "USE many; $(cat "$work/statements")"
}
say "$feeds feeds of 10,000 rows"
grow 0 10000
cp -p "$card/server/emoncms/feed_1.MYD" "$card/bare/"
# At rest, so that what is found out about them is kept.
find "$card" -name 'feed_*' -exec touch -d '2 hours ago' {} +

# --- what is measured ---------------------------------------------------------

number=$(cat "/sys/block/$name/dev")
# What is written back later is written by the kernel. The second version of control
# groups counts it as of the group whose memory it was in; the first as of the root.
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
    echo '+io +memory' >/sys/fs/cgroup/cgroup.subtree_control
    group=/sys/fs/cgroup/emonfeed-sdcard throttle="\`io.max\` of a control group"
    unthrottle() { rmdir "$group"; }
    mkdir -p "$group"
    echo "$number rbps=${read_mb}000000 wbps=${write_mb}000000 riops=$reads wiops=$writes" >"$group/io.max"
elif [ -d /sys/fs/cgroup/blkio ]; then
    group=/sys/fs/cgroup/blkio throttle="\`blkio.throttle\` of the root control group"
    throttle_to() {
        echo "$number $1" >"$group/blkio.throttle.read_bps_device"
        echo "$number $2" >"$group/blkio.throttle.write_bps_device"
        echo "$number $3" >"$group/blkio.throttle.read_iops_device"
        echo "$number $4" >"$group/blkio.throttle.write_iops_device"
    }
    unthrottle() { throttle_to 0 0 0 0; }
    throttle_to "${read_mb}000000" "${write_mb}000000" "$reads" "$writes"
else
    fail 'this kernel has no control groups that throttle devices'
fi

# counters: reads and writes of the device, and their bytes.
counters() { awk '{ printf "%d %.0f %d %.0f", $1, $3 * 512, $5, $7 * 512 }' "/sys/block/$name/stat"; }

# measure LABEL READS BYTES COMMAND...: with nothing of the card in memory. READS and
# BYTES are what a request must read of its rows. What comes on top are the directory,
# the heads of files, the catalog of a backup, and what the kernel reads ahead.
: >"$work/table"
measure() {
    label=$1 must_reads=$2 must_bytes=$3
    shift 3
    sync
    echo 3 >/proc/sys/vm/drop_caches
    before=$(counters)
    began=$(date +%s.%N)
    # In the group is who runs the command, not who looks after the device.
    sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$group" "$@" >/dev/null 2>"$work/said" || {
        cat "$work/said" >&2
        fail "failed: $label"
    }
    ended=$(date +%s.%N)
    # shellcheck disable=SC2046,SC2086
    set -- $before $(counters)
    awk -v label="$label" -v seconds="$began $ended" -v reads="$(($5 - $1))" -v bytes="$(($6 - $2))" \
        -v writes="$(($7 - $3))" -v written="$(($8 - $4))" -v must_reads="$must_reads" -v must_bytes="$must_bytes" \
        -v read_mb="$read_mb" -v write_mb="$write_mb" '
        BEGIN {
            split(seconds, time, " ")
            printf "| %s | %.2f s | %d | %d | %.2f MB | %.2f MB | %s |\n", label, time[2] - time[1],
                reads, must_reads, bytes / 1e6, must_bytes / 1e6,
                writes ? sprintf("%d of %.2f MB", writes, written / 1e6) : ""
            if (reads > 1.25 * must_reads + 50 || bytes > 1.25 * must_bytes + 500000)
                exit 1
            # The limit counts in slices of time.
            least = 0.8 * max(bytes / read_mb, written / write_mb) / 1e6
            exit least > 0.5 && time[2] - time[1] < least ? 2 : 0
        }
        function max(a, b) { return a > b ? a : b }' >>"$work/table" || {
        case $? in 2) why='the device was quicker than it may be' ;; *) why='more was read than must be' ;; esac
        tail -n 1 "$work/table" >&2
        fail "$why: $label"
    }
    say "$(tail -n 1 "$work/table")"
}

first=1672531200
interval=$((rows * 5 / 1000))
last=$((first + interval * 1000))
end=$((first + rows * 5 + 1200 * (rows / 300000) + 93600 * (rows / 2000000)))
pages=$((rows * 9 / 4096))
# A kept summary tells of each 128 rows their first time, which look-ups read, and count,
# sum, smallest and largest. Where a window begins, all of the 128 rows are read, which
# lie in two pages one time in three.
edges=$((1001 * 4 / 3))
starts=$((rows * 8 / 128))
summary=$((rows * 36 / 128))
day=$((155520 + starts))
for kind in server/emoncms bare; do
    feed=$card/$kind/feed_1.MYD
    case $kind in bare) of='a bare file' ;; *) of='a table' ;; esac
    rm -f "$card/kept"/*
    measure "1,000 samples, $of: the first query ever" $((pages / 32)) $((rows * 9)) \
        "$work/first" "$feed" "$card/kept" $first $last $interval samples
    measure "1,000 samples" 1001 $((1001 * 4096 + starts)) \
        "$work/first" "$feed" "$card/kept" $first $last $interval samples
    measure "averages of all rows in 1,000 windows" $((edges + summary / 131072)) $((edges * 4096 + summary)) \
        "$work/first" "$feed" "$card/kept" $first $last $interval average
    measure "the same without a kept summary" $((pages / 32)) $((rows * 9)) \
        "$work/first" "$feed" - $first $last $interval average
    measure "144 samples of the last day" 38 $day \
        "$work/first" "$feed" "$card/kept" $((end - 86400)) "$end" 600 samples
    measure "144 averages of the last day" 38 $day \
        "$work/first" "$feed" "$card/kept" $((end - 86400)) "$end" 600 average
    measure "all rows of the last day as CSV" 38 $day \
        "$work/first" "$feed" "$card/kept" $((end - 86400)) "$end" 600 csv
done
backup() {
    measure "$1" "$2" "$3" "$emonfeed" backup --same-device "$card/server/many" "$card/copies"
}
# Of each feed its rows, the head of its index and its definition; the head, the last
# 512 rows, which lie in two pages or three, and five inodes; all these, the last 512
# rows of the copy, and the block of 8,192 rows that the new ones go on with.
backup "first backup of $feeds feeds of 10,000 rows" $((feeds * 3)) $((feeds * (90000 + 2 * 4096)))
backup 'backup, nothing new' $((feeds * 2)) $((feeds * (3 * 4096 + 1700)))
grow 10000 1440
backup 'backup, 1,440 more rows each' $((feeds * 4)) $((feeds * (12 * 4096 + 1700)))

{
    cat <<END
## On an SD card

\`make bench-sdcard\` measures this on a loop device with ext4 and the read-ahead of a card reader (128 KiB),
which $throttle limits to $reads reads and $writes writes
per second, $read_mb and $write_mb MB. Each line began in a new process, with nothing of the device in memory.
The counts are the kernel's for the device, so they include what the file system reads for itself. The
feed has $rows readings, $((rows * 9 / 1000000)) MB. Lines after the first have a kept summary, unless they say otherwise.

*Must* is what the answer is made of: a page for each sample; the rows around the ends of windows and a summary
of those between; all rows, if nothing is known of the feed. The script fails if a request takes more than that
by a quarter and 50 reads, or by a quarter and 500 kB.

| | time | reads | must | bytes read | must | writes |
|---|---|---|---|---|---|---|
END
    cat "$work/table"
} >"$work/report"
[ -z "$output" ] || cp "$work/report" "$output"
cat "$work/report"
