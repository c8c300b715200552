<?php
// The reads of the 2013 model, from the file and in SQL: the same answers, and
// SQL where the file cannot be read. Random requests; EMONFEED_TEST_SEED
// repeats those of a run.

require __DIR__ . '/harness.php';
require __DIR__ . '/standins.php';
require __DIR__ . '/model2013.php';

const TABLES = [
    'two columns' => 'time INT UNSIGNED, data FLOAT, INDEX (time)',
    'three columns' => 'time INT UNSIGNED, data FLOAT, data2 FLOAT, INDEX (time)',
    'no NULLs' => 'time INT UNSIGNED NOT NULL, data FLOAT NOT NULL, UNIQUE (time)',
];
const BEGIN = 1372636800;
const DAY = 86400;
const HOUR = 3600;

/** Makes feed_<id>, and truth_<id>: its rows in the order of the file, which SQL shows where no index helps it. */
function make_feed(mysqli $sql, int $id, string $columns, array $rows, array $edits = []): void
{
    $sql->query("CREATE TABLE feed_$id ($columns) ENGINE=MyISAM");
    foreach (array_chunk($rows, 5000) as $chunk) {
        $sql->query("INSERT INTO feed_$id VALUES " . implode(',', array_map(
            fn ($row) => '(' . implode(',', array_map(fn ($cell) => $cell ?? 'NULL', $row)) . ')',
            $chunk
        )));
    }
    foreach ($edits as $edit) {
        $sql->query(str_replace('FEED', "feed_$id", $edit));
    }
    $sql->query("CREATE TABLE truth_$id ($columns, place INT AUTO_INCREMENT PRIMARY KEY, INDEX (time, place)) ENGINE=MyISAM");
    $names = implode(',', array_column($sql->query("DESCRIBE feed_$id")->fetch_all(), 0));
    $sql->query("INSERT INTO truth_$id ($names) SELECT $names FROM feed_$id IGNORE INDEX (time)");
}

/** Multiples of 1/8: every FLOAT is exact, and no sum depends on its order. Zeros and negative ones among them. */
function some_value(): float
{
    return mt_rand(0, 3) ? mt_rand(-8000, 24000) / 8 : 0.0;
}

/** @return list<list<mixed>> */
function readings(int $count, callable $gap, int $time = BEGIN): array
{
    $rows = [];
    while ($count--) {
        $rows[] = [$time, some_value()];
        $time += $gap();
    }
    return $rows;
}

/** kWh of each day at each power, as a histogram feed has it. */
function bars(int $days): array
{
    $rows = [];
    for ($day = 0; $day < $days; $day++) {
        for ($power = -50; $power <= 3000; $power += 50 * mt_rand(1, 8)) {
            $rows[] = [BEGIN + $day * DAY, mt_rand(0, 9) ? mt_rand(0, 80) / 8 : null, mt_rand(0, 19) ? $power + mt_rand(0, 1) / 2 : null];
        }
    }
    return $rows;
}

/** A time in milliseconds near the feed's rows, as a browser may send it. */
function some_moment(int $length)
{
    $ms = (BEGIN + mt_rand(-$length, 2 * $length)) * 1000 + [0, 0, 0, 1, 500, 999][mt_rand(0, 5)];
    return [$ms, (string)$ms, $ms + 0.25, "$ms.5"][mt_rand(0, 3)];
}

function some_request(int $id, int $length): array
{
    $start = some_moment($length);
    // All three kinds of answer: rows, averages, samples.
    $span = [mt_rand(-100, 100), mt_rand(0, 5000), mt_rand(5000, 5003), mt_rand(5000, 180000), mt_rand(180000, 180002), mt_rand(180000, 2000000)][mt_rand(0, 5)];
    $end = mt_rand(0, 1) ? $start + $span * 1000 : some_moment($length);
    return [$id, $start, $end, [0, '0', -1, 1, 2, mt_rand(3, 120), (string)mt_rand(3, 120), 1000][mt_rand(0, 7)]];
}

function kind_of(int $id, $start, $end, $dp): string
{
    $range = ($end - $start) / 1000;
    return $dp <= 0 || $range <= 5000 ? 'rows' : ($range <= 180000 ? 'averages' : 'samples');
}

/** Prints how long the model's SQL takes, and how many times as long as the file: the median of nine calls each. */
function show_cost(string $what, callable $sql, callable $file): void
{
    $times = [[], []];
    for ($i = 0; $i < 9; $i++) {
        foreach ([$sql, $file] as $kind => $call) {
            $begin = hrtime(true);
            $call();
            $times[$kind][] = (hrtime(true) - $begin) / 1e6;
        }
    }
    [$sql_ms, $file_ms] = array_map(function (array $times): float {
        sort($times);
        return $times[4];
    }, $times);
    printf("  %-46s SQL %8.1f ms, file %6.2f ms: %d times\n", $what, $sql_ms, $file_ms, $sql_ms / $file_ms);
}

$seed = (int)(getenv('EMONFEED_TEST_SEED') ?: random_int(1, 1000000));
echo "  EMONFEED_TEST_SEED=$seed\n";
mt_srand($seed);

$sql = connect();
$shuffled = readings(4000, fn () => 40);
shuffle($shuffled);
$uneven = array_map(fn ($row) => mt_rand(0, 7) ? $row : [$row[0], null], readings(3000, fn () => mt_rand(0, 4) ? mt_rand(0, 30) : mt_rand(30, 4000)));
$edits = [
    'INSERT INTO FEED (time, data) SELECT time, data + 1 FROM FEED WHERE time % 5 = 0 LIMIT 200',
    'UPDATE FEED SET time = time + 5000 WHERE time % 11 = 0 ORDER BY time LIMIT 100',
    'DELETE FROM FEED WHERE time % 13 = 0 ORDER BY time LIMIT 200',
    'INSERT INTO FEED (time, data) SELECT time + 3, -data FROM FEED WHERE time % 3 = 0 LIMIT 150',
    'INSERT INTO FEED (time, data) VALUES (NULL, 5), (NULL, NULL), (' . BEGIN . ', NULL), (4294967295, 1)',
];
$bars = bars(60);
shuffle($bars);
// Name, columns, rows, edits, seconds that the rows cover.
$contents = [
    ['regular', 'two columns', readings(20000, fn () => 10), [], 200000],
    ['unsorted', 'two columns', $shuffled, [], 160000],
    ['with NULLs, equal times and edits', 'two columns', $uneven, $edits, 1000000],
    ['no NULLs', 'no NULLs', readings(3000, fn () => 100), [], 300000],
    ['empty', 'two columns', [], [], 100],
    ['one row', 'two columns', [[BEGIN, 0.125]], [], 100],
    ['one zero', 'no NULLs', [[BEGIN, 0]], [], 100],
    ['histogram', 'three columns', bars(60), [], 60 * DAY],
    ['unsorted histogram', 'three columns', $bars, array_merge($edits, ['DELETE FROM FEED WHERE data2 = 400.5', 'INSERT INTO FEED VALUES (4294967295, 1, 7777)']), 60 * DAY],
    ['empty histogram', 'three columns', [], [], 100],
    ['one bar', 'three columns', [[BEGIN, 0, 150]], [], 100],
    ['one bar without a value', 'three columns', [[BEGIN, null, 150]], [], 100],
];
foreach ($contents as $i => [, $columns, $rows, $changes]) {
    make_feed($sql, $i + 1, TABLES[$columns], $rows, $changes);
}

$truth = new PlainModel2013($sql, 'truth_', true);
$native = new NativeFeedModel2013($sql);

// Random requests. An answer that SQL gave would be null here.
$answered = [];
foreach ($contents as $i => [$name, $columns, , , $length]) {
    $ask = function (string $method, ...$arguments) use ($name, $truth, $native): array {
        $got = $native->$method(...$arguments);
        check("$name: $method(" . json_encode($arguments) . ')', $truth->$method(...$arguments), $got, 'nearly');
        return (array)$got;
    };
    for ($n = 0; $n < 60; $n++) {
        $request = some_request($i + 1, $length);
        $kind = kind_of(...$request);
        $answered[$kind] = ($answered[$kind] ?? 0) + ($ask('get_data', ...$request) !== []);
    }
    for ($n = 0; $columns === 'three columns' && $n < 40; $n++) {
        $ask('get_histogram_data', $i + 1, some_moment($length), some_moment($length));
        $low = mt_rand(-100, 3000);
        $ask('get_kwhd_atpower', $i + 1, $low, (string)mt_rand($low - 10, 3200));
        $points = array_map(fn () => mt_rand(-1, 60) * 50, range(1, mt_rand(2, 9)));
        sort($points);
        $ask('get_kwhd_atpowers', $i + 1, json_encode($points));
    }
}

foreach (['rows', 'averages', 'samples'] as $kind) {
    check_that("enough answers were $kind: $answered[$kind]", $answered[$kind] >= 20);
}

// The edges of a request, where they matter.
$ms = BEGIN * 1000;
check('a start between two rows', [[$ms + 20000, true], [$ms + 10000, true]],
    array_map(fn ($point) => [$point[0], is_float($point[1])], $native->get_data(1, $ms + 0.5, $ms + 20000, 0)));
$expected = fn (string $where) => array_map(fn ($row) => [(float)$row[0], (float)$row[1]],
    $sql->query("SELECT data2 * 1e0, SUM(data) FROM feed_8 WHERE data2 IS NOT NULL AND $where GROUP BY data2 ORDER BY data2")->fetch_all());
$numbers = fn (array $bars) => array_map(fn ($bar) => [$bar[0], (float)$bar[1]], $bars);
$first_day = $expected('time = ' . BEGIN);
check_that('the first day has bars', count($first_day) > 3);
check('the start is in', $first_day, $numbers($native->get_histogram_data(8, $ms, $ms + 1)));
check('a start a quarter of a millisecond late is not', [], $native->get_histogram_data(8, $ms + 0.25, $ms + 1000));
check('the end is out', [], $native->get_histogram_data(8, $ms - 1000, $ms));
check('an end a quarter of a millisecond late is not', $first_day, $numbers($native->get_histogram_data(8, $ms - 1000, "$ms.25")));

// An end of 0 is now: later rows are no part of the answer, all others are.
foreach ([3, 9] as $id) {
    check_that("feed $id has a row of 2106", $sql->query("SELECT 1 FROM feed_$id WHERE time = 4294967295")->num_rows > 0);
}
foreach ([0, '0', '', null, 'now'] as $end) {
    check('get_data until ' . json_encode($end), $truth->get_data(3, 0, 4000000000000, 0), $native->get_data(3, 0, $end, 0));
    check('get_histogram_data until ' . json_encode($end), $truth->get_histogram_data(9, 0, 4000000000000), $native->get_histogram_data(9, 0, $end));
}

// Zeros are values.
check('a zero among samples', [[$ms, 0.0]], $native->get_data(7, $ms, $ms + 200000000, 10));
check('a zero among rows', [[$ms, 0.0]], $native->get_data(7, $ms, $ms, 0));

// Numbers, and the shapes a view can rely on.
$sql->query('CREATE TABLE feed_20 (' . TABLES['three columns'] . ') ENGINE=MyISAM');
$sql->query('INSERT INTO feed_20 VALUES (' . BEGIN . ', 0.1, 0.2), (' . (BEGIN + 1) . ', 16777215, 0.3)');
check('values as they were written, with all their digits', [[$ms + 1000, 16777215.0], [$ms, 0.1]], $native->get_data(20, $ms, $ms + 1000, 0));
check('powers as they were written', [0.2, 0.3], array_column($native->get_histogram_data(20, 0, 0), 0));
check('types of a histogram', [[150.0, 0.0]], $native->get_histogram_data(11, 0, 0));
check('a bar without a value', [[150.0, null]], $native->get_histogram_data(12, 0, 0));
check('types of a range', [[$ms, 0.0]], $native->get_kwhd_atpower(11, 0, 200));
check('a range without a value', [[$ms, null]], $native->get_kwhd_atpower(12, '0', 200));
check('both ends of a range are in', [1, 1, 0, 0], array_map('count', [
    $native->get_kwhd_atpower(11, 0, 150), $native->get_kwhd_atpower(11, 150, 200),
    $native->get_kwhd_atpower(11, 0, 149), $native->get_kwhd_atpower(11, 151, 200),
]));
check('ranges: five numbers', [[BEGIN, 0, 0.0, 0, 0]], $native->get_kwhd_atpowers(11, '[0,100,200]'));
check('ranges: as many as asked for', [[BEGIN, 0, 0, 0, 0, 0, 0.0]], $native->get_kwhd_atpowers(11, '[0,1,2,3,4,5,200]'));
check('ranges in quotes, escaped', [[BEGIN, 0, 0.0, 0, 0]], $native->get_kwhd_atpowers(11, '[\"0\",\"100\",\"200\"]'));
foreach (['', 'x', '5', '{"a":0,"b":200}', '[]', '[0]', null] as $points) {
    check('no ranges: ' . json_encode($points), [], $native->get_kwhd_atpowers(11, $points));
}
check('nothing was logged so far', [], EmonLogger::$lines);

// What no one can answer is said, and never sent to SQL.
$refused = fn ($answer) => is_array($answer) && $answer['success'] === false && strpos($answer['message'], '/') === false;
check_that('too many points', $refused($native->get_data(1, 0, 0, 20000000)));
check_that('an endless range', $refused($native->get_data(1, 0, '1e999', 800)));
check_that('feed 0', $refused($native->get_data(0, 0, 0, 800)));
check_that('a histogram of a feed that is none', $refused($native->get_histogram_data(1, 0, 0)));
check_that('ranges of a feed that is none', $refused($native->get_kwhd_atpowers(1, '[0,1]')));
check('each reason is logged once', 4, count(array_unique(EmonLogger::$lines)));
check('... and no more than once', 4, count(EmonLogger::$lines));
$program = sprintf(
    'require %s; $model = new WiredModel2013(new mysqli("localhost", "root", "", "emoncms"));
    echo json_encode($model->get_data(1, 0, 0, 0));',
    var_export(__DIR__ . '/model2013.php', true)
);
[$output, , $code] = run_php(['-d', 'memory_limit=2M', '-r', $program]);
check('more than memory_limit allows', [0, refusal(NativeFeedModel2013::TOO_MUCH)], [$code, json_decode($output, true)]);

// SQL where the file cannot be read, in the model as the page says to change it.
$wired = new WiredModel2013($sql);
check('the model asks the file', $truth->get_data(1, $ms, $ms + 100000, 0), $wired->get_data(1, $ms, $ms + 100000, 0));
$sql->query('CREATE TABLE feed_90 ENGINE=Aria SELECT * FROM feed_1');
$sql->query('CREATE VIEW feed_91 AS SELECT * FROM feed_8');
$sql->query('CREATE TABLE feed_92 LIKE feed_8');
$sql->query('INSERT INTO feed_92 SELECT * FROM feed_8');
$sql->query('FLUSH TABLES');
$path = table_folder() . '/feed_92.MYI';
rename($path, "$path.away");
foreach ([90 => 'storage engine', 91 => 'feed_91.MYD', 92 => 'feed_92.MYI'] as $id => $why) {
    EmonLogger::$lines = [];
    check("feed_$id is left to SQL", null, $native->get_data($id, $ms, $ms + 100000, 0));
    $native->get_data($id, $ms, $ms + 100000, 0);
    check("feed_$id: one line of log", 1, count(EmonLogger::$lines));
    check_that("feed_$id: that says why: " . EmonLogger::$lines[0], preg_match("/^WARN emonfeed: SQL answers, because .*$why/", EmonLogger::$lines[0]) === 1);
}
rename("$path.away", $path);
check('SQL answers for an Aria table', $truth->get_data(1, $ms, $ms + 9000000, 20), $wired->get_data(90, $ms, $ms + 9000000, 20), 'nearly');
foreach (['get_histogram_data' => [0, 0], 'get_kwhd_atpower' => [0, 900], 'get_kwhd_atpowers' => ['[0,500,900]']] as $method => $arguments) {
    check("SQL answers $method for a view", $truth->$method(8, ...$arguments), $wired->$method(91, ...$arguments), 'nearly');
}

// A database on another machine has no files here.
EmonLogger::$lines = [];
$elsewhere = new NativeFeedModel2013((object) ['host_info' => 'db.example via TCP/IP']);
check('a database elsewhere', [null, null], [$elsewhere->get_data(1, 0, 0, 800), $elsewhere->get_histogram_data(8, 0, 0)]);
check('a database elsewhere: one line',
    ['WARN emonfeed: SQL answers, because the database is not on this machine (db.example via TCP/IP)'], EmonLogger::$lines);

// Without the setting, and without the extension; an emoncms of 2013 has no EmonLogger.
$program = new_folder('model2013') . 'ask.php';
file_put_contents($program, sprintf(
    '<?php require %s; $model = new WiredModel2013(new mysqli("localhost", "root", "", "emoncms"));
    echo serialize([$model->get_data(1, %d, %d, 0), $model->get_kwhd_atpower(8, 0, 900), $model->get_kwhd_atpower(8, 0, 900)]);',
    var_export(__DIR__ . '/model2013.php', true),
    $ms,
    $ms + 100000
));
$settings = dirname($program) . '/php.ini';
file_put_contents($settings, preg_replace('/^extension = .*emonfeed.*$/m', '', file_get_contents(getenv('PHPRC') . '/php.ini')));
$left = new_folder('left');
foreach (glob(table_folder() . '/feed_[18].*') as $file) {
    copy($file, $left . basename($file));
}
$runs = [
    'files left behind by a move' => [['-d', "emonfeed.datadir=$left"], 'the database keeps its tables in'],
    'no emonfeed.datadir' => [['-d', 'emonfeed.datadir='], 'emonfeed.datadir is not set'],
    'no extension' => [['-c', $settings], 'the PHP extension emonfeed is not loaded'],
];
foreach ($runs as $what => [$options, $why]) {
    [$output, $errors, $code] = run_php(array_merge($options, ['-d', 'log_errors=1', '-d', 'error_log=', $program]));
    check("$what: SQL answers", [0, serialize([
        $truth->get_data(1, $ms, $ms + 100000, 0), $truth->get_kwhd_atpower(8, 0, 900), $truth->get_kwhd_atpower(8, 0, 900),
    ])], [$code, $output]);
    check("$what: one line, in PHP's log: $errors", 1, substr_count($errors, 'emonfeed: SQL answers, because'));
    check_that("$what: it says why", strpos($errors, $why) !== false);
}

// What it costs: a year of readings every 10 seconds, and five years of bars.
$sql->query('CREATE TABLE feed_200 (' . TABLES['two columns'] . ') ENGINE=MyISAM
    SELECT ' . BEGIN . ' + seq * 10 AS time, seq % 3000 / 8 AS data FROM seq_0_to_3153599');
$sql->query('CREATE TABLE feed_201 (' . TABLES['three columns'] . ') ENGINE=MyISAM
    SELECT ' . BEGIN . ' + seq DIV 60 * 86400 AS time, seq % 7 / 8 AS data, seq % 60 * 50 AS data2 FROM seq_0_to_109499');
$model = new PlainModel2013($sql);
$year = [$ms, $ms + 365 * DAY * 1000];
$calls = [
    'get_data, a year in 1000 points' => ['get_data', 200, $year[0], $year[1], 1000],
    'get_data, a day in 1000 averages' => ['get_data', 200, $year[1] - DAY * 1000, $year[1], 1000],
    'get_data, an hour of rows' => ['get_data', 200, $year[1] - HOUR * 1000, $year[1], 1000],
    'get_histogram_data, five years' => ['get_histogram_data', 201, 0, 0],
    'get_kwhd_atpower, five years' => ['get_kwhd_atpower', 201, 0, 1000],
    'get_kwhd_atpowers, five years, four ranges' => ['get_kwhd_atpowers', 201, '[0,500,1000,2000,3000]'],
];
foreach ($calls as $what => $arguments) {
    $method = array_shift($arguments);
    check($what, $model->$method(...$arguments), $native->$method(...$arguments), 'nearly');
    show_cost($what, fn () => $model->$method(...$arguments), fn () => $native->$method(...$arguments));
}

// The page shows the lines that ran here.
$page = file_get_contents(__DIR__ . '/../../docs/emoncms-2013.md');
preg_match_all('/^ +(if \(\(\$data = .*)$/m', file_get_contents(__DIR__ . '/model2013.php'), $lines);
check('four lines', 4, count($lines[1]));
foreach ($lines[1] as $line) {
    check_that("docs/emoncms-2013.md has: $line", strpos($page, $line) !== false);
}

finish();
