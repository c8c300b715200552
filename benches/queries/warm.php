<?php
// Measures processes that have asked before: PHP with the extension, which is
// this one, the program call.c, and what they are measured beside.
//
//   php warm.php FOLDER ROUNDS DAYS...
//
// FOLDER is that of queries.sh, DAYS are the ranges. Before any clock is
// started, the answers of all are compared.

use Emonfeed\Feed;

require __DIR__ . '/bench.php';
require __DIR__ . '/contenders.php';

[, $folder, $rounds] = $argv;
$ranges = array_map('intval', array_slice($argv, 3));
$results = new Results("$folder/results", (int) $rounds);
$data = "$folder/server/emoncms";

$mysqli = connect($folder);

function questions(mysqli $mysqli, string $table): Questions
{
    $row = $mysqli->query("SELECT MIN(time), MAX(time) FROM $table")->fetch_row();
    return new Questions(...array_map('intval', $row));
}

$caller = new Caller("$folder/call");
$caller->open('plain', "$data/feed_1.MYD");
$caller->open('checksum', "$data/feed_2.MYD");
$caller->open('unsorted', "$data/feed_3.MYD");
$hasTrusted = $caller->open('trusted', "$data/feed_1.MYD", 'trust');

$feed = new Feed("$data/feed_1.MYD");
$mysql = new MysqlEngine($mysqli, 'feed_1');
$questions = questions($mysqli, 'feed_1');
$rowReader = new RowReader("$data/feed_1.MYD");
$fixedReader = new FixedReader("$folder/fixed.dat", intdiv($questions->first, Questions::EVERY) * Questions::EVERY, Questions::EVERY);
$whole = $questions->whole();

// --- the answers --------------------------------------------------------------

fwrite(STDERR, date('H:i:s') . "  Are all answers the same?\n");
foreach ($ranges as $days) {
    $range = $questions->latest($days);
    $inC = $caller->points('plain', $range, Feed::FIRST, Feed::CLOSED_END);
    compare("$days days, C and PHP", $inC, $feed->windows(...[...$range, Feed::FIRST, Feed::CLOSED_END]), 'sameSingle');
    compare("$days days, C and MySQL", $inC, $mysql->samples(...$range), 'sameSixDigits');
    compare("$days days, C and the reader of rows", $inC, $rowReader->samples(...$range), 'sameSingle');
    compare("$days days, with a checksum", $inC, $caller->points('checksum', $range, Feed::FIRST, Feed::CLOSED_END), 'sameSingle');
    compare("$days days, unsorted", $inC, $caller->points('unsorted', $range, Feed::FIRST, Feed::CLOSED_END), 'sameSingle');
    // In an outage a fixed-interval file has no value, where a row may follow
    // before the next sample.
    $fixed = $fixedReader->samples(...$range);
    $missing = 0;
    foreach ($fixed as $i => [$time, $value]) {
        if ($value === null && $inC[$i][1] !== null) {
            $fixed[$i][1] = $inC[$i][1];
            $missing++;
        }
    }
    compare("$days days, C and the reader of fixed intervals", $inC, $fixed, 'sameSingle');
    if ($missing > 20) {
        fail("$days days: the fixed-interval file has no value for $missing samples");
    }
    $windows = $feed->windows(...[...$range, Feed::FIRST, Feed::CLOSED_END]);
    if ($feed->windowsJson(...[...$range, Feed::FIRST, Feed::CLOSED_END]) !== json_encode($windows)) {
        fail("$days days: windowsJson() is not json_encode(windows())");
    }
}

function compareAverages(string $when): void
{
    global $whole, $caller, $mysqli, $feed, $hasTrusted;
    $averages = $caller->points('plain', $whole, Feed::AVERAGE, Feed::CLIP_END);
    $ways = [
        'PHP' => $feed->windows(...[...$whole, Feed::AVERAGE, Feed::CLIP_END]),
        'MySQL' => (new MysqlEngine($mysqli, 'feed_1'))->averages(...$whole),
        'a checksum' => $caller->points('checksum', $whole, Feed::AVERAGE, Feed::CLIP_END),
        'rows out of place' => $caller->points('unsorted', $whole, Feed::AVERAGE, Feed::CLIP_END),
    ];
    if ($hasTrusted) {
        $ways['trusted counters'] = $caller->points('trusted', $whole, Feed::AVERAGE, Feed::CLIP_END);
    }
    foreach ($ways as $way => $points) {
        compare("averages $when, C and $way", $averages, $points, 'sameAverage');
    }
    // A sum of its own for what all of them could have left out.
    [$total] = $mysqli->query('SELECT COUNT(*) FROM feed_1')->fetch_row();
    $counts = $caller->points('plain', $whole, Feed::COUNT, 0);
    if (array_sum(array_column($counts, 1)) !== (float) $total) {
        fail("$when, the windows do not hold all $total rows");
    }
}
compareAverages('of all rows');
$averages = $caller->points('plain', $whole, Feed::AVERAGE, Feed::CLIP_END);
compare('averages, C and the reader of rows', $averages, $rowReader->averages(...$whole), 'sameAverage');
compare('averages, C and the reader of fixed intervals', $averages, $fixedReader->averages(...$whole), 'sameAverage');

// --- the clocks ---------------------------------------------------------------

const FAST = 30;

// An array equal to the answer of windows(), made by PHP itself.
function build(array $values, int $start, int $interval): array
{
    $points = [];
    $time = $start;
    foreach ($values as $value) {
        $points[] = [$time, $value];
        $time += $interval;
    }
    return $points;
}

foreach ($ranges as $days) {
    $range = $questions->latest($days);
    [$start, , $interval] = $range;
    $arguments = [...$range, Feed::FIRST, Feed::CLOSED_END];
    $values = array_column($feed->windows(...$arguments), 1);
    $results->turns("samples $days", [
        'c' => fn() => $caller->windows('plain', $range, Feed::FIRST, Feed::CLOSED_END, FAST),
        'c-json' => fn() => $caller->json('plain', $range, Feed::FIRST, Feed::CLOSED_END, FAST),
        'php' => fn() => timed(fn() => $feed->windows(...$arguments), FAST),
        'php-json' => fn() => timed(fn() => $feed->windowsJson(...$arguments), FAST),
        'json-encode' => fn() => timed(fn() => json_encode($feed->windows(...$arguments)), FAST),
        'loop' => fn() => timed(fn() => build($values, $start, $interval), FAST),
        'mysql' => fn() => timed(fn() => $mysql->samples(...$range), 0),
        'rows' => fn() => timed(fn() => $rowReader->samples(...$range), 1),
        'fixed' => fn() => timed(fn() => $fixedReader->samples(...$range), FAST),
        'checksum' => fn() => $caller->windows('checksum', $range, Feed::FIRST, Feed::CLOSED_END, FAST),
        'unsorted' => fn() => $caller->windows('unsorted', $range, Feed::FIRST, Feed::CLOSED_END, FAST),
    ]);
}

$average = fn(string $name, int $repeats) => $caller->windows($name, $whole, Feed::AVERAGE, Feed::CLIP_END, $repeats);
$results->turns('average', [
    'words' => fn() => $caller->words("$data/feed_1.MYD", 5),
    'again' => fn() => $average('plain', 5),
    'again-checksum' => fn() => $average('checksum', 5),
    'again-trusted' => fn() => $hasTrusted ? $average('trusted', 5) : null,
    'again-unsorted' => fn() => $average('unsorted', 5),
    'php' => fn() => timed(fn() => $feed->windows(...[...$whole, Feed::AVERAGE, Feed::CLIP_END]), 5),
    'mysql' => fn() => timed(fn() => $mysql->averages(...$whole), 0),
    'rows' => fn() => timed(fn() => $rowReader->averages(...$whole), 0),
    'fixed' => fn() => timed(fn() => $fixedReader->averages(...$whole), 0),
]);

// What a pause alone costs, as after each of the rows below: other things are
// in the processor's caches by then.
const PAUSE = 100000;
$results->turns('rested', [
    'plain' => fn() => $average('plain', 0),
    'checksum' => fn() => $average('checksum', 0),
], fn() => usleep(PAUSE));

// Each call is the first after one more row. File times are taken from ticks,
// so that what was written this very moment is read twice: that has a line of
// its own.
$last = $questions->last;
$grow = function (int $microseconds) use ($mysqli, &$last) {
    $last += Questions::EVERY;
    foreach ([1, 2] as $number) {
        $mysqli->query("INSERT INTO feed_$number (time, data) VALUES ($last, 230.5)");
    }
    usleep($microseconds);
};
$results->turns('grown', [
    'plain' => fn() => $average('plain', 0),
    'checksum' => fn() => $average('checksum', 0),
    'trusted' => fn() => $hasTrusted ? $average('trusted', 0) : null,
    'samples' => fn() => $caller->windows('plain', $questions->latest(max($ranges)), Feed::FIRST, Feed::CLOSED_END, 0),
], fn() => $grow(PAUSE));
$results->turns('grown-now', [
    'plain' => fn() => $average('plain', 0),
    'checksum' => fn() => $average('checksum', 0),
], fn() => $grow(0));
$mysqli->query("INSERT INTO feed_3 SELECT * FROM feed_1 WHERE time > $questions->last ORDER BY time");
compareAverages('after rows were added');

// --- feeds of several sizes ---------------------------------------------------

// The largest is a file without a table.
foreach ([...glob("$data/growth_*.MYD"), ...glob("$folder/growth_*.MYD")] as $path) {
    $table = basename($path, '.MYD');
    $rows = (int) substr($table, strlen('growth_'));
    $hasTable = dirname($path) === $data;
    $reader = new RowReader($path);
    $caller->open($table, $path);
    $range = ($hasTable ? questions($mysqli, $table) : new Questions(...$reader->span()))->all();
    $engine = new MysqlEngine($mysqli, $table);
    $inC = $caller->points($table, $range, Feed::FIRST, Feed::CLOSED_END);
    compare("$rows rows, C and the reader of rows", $inC, $reader->samples(...$range), 'sameSingle');
    if ($hasTable) {
        compare("$rows rows, C and MySQL", $inC, $engine->samples(...$range), 'sameSixDigits');
    }
    $results->turns("growth $rows", [
        'c' => fn() => $caller->windows($table, $range, Feed::FIRST, Feed::CLOSED_END, FAST),
        'rows' => fn() => timed(fn() => $reader->samples(...$range), 1),
        'mysql' => fn() => $hasTable ? timed(fn() => $engine->samples(...$range), 0) : null,
    ]);
}
$caller->close();
