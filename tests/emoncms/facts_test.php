<?php
// What is asked about a feed as a whole, or at one moment: lastvalue, get_meta,
// get_feed_size, get_value, get_sha256sum; and that every answer is that of the
// rows as they are now.

require __DIR__ . '/harness.php';
require __DIR__ . '/feeds.php';

function check_facts(TestFeed $feed, mysqli $db, string $when = ''): void
{
    $name = "$feed->name$when";
    $id = $feed->id;
    check("$name: lastvalue($id)", Expected::last($feed->truth), $feed->engine->lastvalue($id), 'same_single');
    $meta = $feed->is_mysql() ? Expected::mysql_meta($feed->truth, $id) : Expected::php_meta($feed->truth, $id);
    check("$name: get_meta($id)", $meta, $feed->engine->get_meta($id), 'same_single');
    check("$name: get_feed_size($id)", size($feed, $db), $feed->engine->get_feed_size($id));
    check("$name: lastvalue('$id')", Expected::last($feed->truth), $feed->engine->lastvalue((string)$id), 'same_single');
}

function size(TestFeed $feed, mysqli $db): int
{
    if (!$feed->is_mysql()) {
        clearstatcache();
        return filesize($feed->file());
    }
    $status = $db->query("SHOW TABLE STATUS LIKE 'feed\\_$feed->id'")->fetch_assoc();
    return $status['Data_length'] + $status['Index_length'];
}

function check_values(TestFeed $feed): void
{
    $times = [-5, 0, $feed->begin() - 1, $feed->finish() + 1, 4294967296, (string)$feed->begin(), $feed->begin() + 0.7];
    for ($i = 0; $i < 60 && $feed->times !== []; $i++) {
        $time = $feed->times[array_rand($feed->times)];
        array_push($times, $time - 1, $time, $time + 1);
    }
    foreach ($times as $time) {
        check("$feed->name: get_value($feed->id, " . brief($time) . ')', Expected::value($feed->truth, $time), $feed->engine->get_value($feed->id, $time), 'same_single');
    }
}

function check_sums(TestFeed $feed): void
{
    $rows = file_get_contents($feed->file());
    $count = intdiv(strlen($rows), 9);
    foreach (array_unique([0, 1, 2, intdiv($count, 2), $count]) as $points) {
        if ($points <= $count) {
            check(
                "$feed->name: get_sha256sum($feed->id, $points)",
                hash('sha256', substr($rows, 0, 9 * ($points ?: $count))),
                $feed->engine->get_sha256sum($feed->id, $points)
            );
        }
    }
    check("$feed->name: get_sha256sum($feed->id)", hash('sha256', substr($rows, 0, 9 * $count)), $feed->engine->get_sha256sum($feed->id));
}

Parents::$forbidden = true;
$db = connect();
$make = new Feeds($db);
$feeds = $make->all();
foreach ($feeds as $feed) {
    check_facts($feed, $db);
    if (!$feed->is_mysql()) {
        check_values($feed);
        check_sums($feed);
    }
}

// A row that is being written when it is read is not there yet.
foreach (array_filter($feeds, fn ($feed) => !$feed->is_mysql()) as $feed) {
    file_put_contents($feed->file(), "\xf9\x01\x02\x03", FILE_APPEND);
    check_facts($feed, $db, ' with half a row');
    check_sums($feed);
}

// One and the same object, while rows come, change and go.
foreach (['2013', 'today'] as $generation) {
    [$feed] = $make->make('written to', fn () => [[1700000000, 1.5], [1700000010, 2.5]], null, [$generation]);
    $feed->truth = new PlainSql($db, $feed->truth->table === "feed_$feed->id" ? $feed->truth->table : "feed_$feed->id");
    $table = "feed_$feed->id";
    $statements = [
        'as it is' => 'DO 1',
        'after a row' => "INSERT INTO $table VALUES (1700000020, -7.25)",
        'after many rows' => "INSERT INTO $table SELECT 1700000100 + seq, seq / 8 FROM seq_1_to_3000",
        'after an edit' => "UPDATE $table SET data = data * 3",
        'after times changed' => "UPDATE $table SET time = time + 100000 WHERE time % 2 ORDER BY time DESC",
        'after a deletion' => "DELETE FROM $table WHERE time % 3 = 0",
        'after slots were used again' => "INSERT INTO $table SELECT 1700200000 - 3 * seq, seq FROM seq_1_to_500",
        'after its first rows went' => "DELETE FROM $table WHERE time < 1700001000",
        'after OPTIMIZE' => "OPTIMIZE TABLE $table",
        'after ALTER' => "ALTER TABLE $table ORDER BY time",
        'after a row more' => "INSERT INTO $table VALUES (1800000000, 0.3)",
        'after TRUNCATE' => "TRUNCATE $table",
        'after the first row again' => "INSERT INTO $table VALUES (1700000000, 4)",
        'after the table was made anew' => "CREATE OR REPLACE TABLE $table (time INT UNSIGNED, data FLOAT) ENGINE=MyISAM",
        'after its row' => "INSERT INTO $table VALUES (1700000005, 0.7)",
    ];
    foreach ($statements as $when => $statement) {
        $result = $db->query($statement);
        if ($result instanceof mysqli_result) {
            $result->free();
        }
        check_facts($feed, $db, " $when");
        foreach ([[1700000000, 1700250000, 5000], [1700000000, 1700000040, 10]] as [$start, $end, $interval]) {
            foreach ([0, 1] as $average) {
                $expected = $feed->combined($start, $end, $interval, $average, 'UTC', 1);
                check_combined($feed, $when, $expected, $start, $end, $interval, $average);
            }
        }
    }
}

[$feed] = $make->make('written to', fn () => [], null, ['php']);
$truth = $feed->truth->table;
for ($i = 0; $i < 200; $i++) {
    $time = 1700000000 + 10 * $i;
    $value = shortest(unpack('g', pack('g', random_value()))[1]);
    $feed->engine->post($feed->id, $time, $value);
    $db->query("INSERT INTO $truth (time, data) VALUES ($time, " . var_export($value, true) . ')');
    if ($i % 20 === 0) {
        check_facts($feed, $db, " after $i rows more");
        check_combined($feed, "after $i rows", $feed->combined(1699999995, $time + 20, 35, 1, 'UTC', 1), 1699999995, $time + 20, 35, 1);
    }
}
$feed->engine->trim($feed->id, 1700000500);
$db->query("DELETE FROM $truth WHERE time < 1700000500");
check_facts($feed, $db, ' after trim');
$feed->engine->clear($feed->id);
$db->query("DELETE FROM $truth");
check_facts($feed, $db, ' after clear');
finish();
