<?php
// What benches/indexes.sh measures, and its report, in Markdown.
//
//   php measure.php FOLDER PID EMONFEED SECONDS MACHINE ROWS...
//
// FOLDER holds the private server's data and its socket, PID is its process,
// EMONFEED the command or empty.

[, $folder, $pid, $emonfeed, $seconds, $machine] = $argv;
$sizes = array_map('intval', array_slice($argv, 6));
$largest = max($sizes);

const BEGIN = 1400000000;
const STEP = 10;
// Columns, key and what else there is to the tables that emoncms makes.
const TODAY = 'time INT UNSIGNED NOT NULL, data FLOAT NOT NULL';
const OF_2013 = 'time INT UNSIGNED, data FLOAT';

// name => columns, key, options, statement once it is filled
const KEPT = [
    'today, UNIQUE' => [TODAY, ', UNIQUE (time)', '', ''],
    'today, no key' => [TODAY, '', '', ''],
    '2013, INDEX' => [OF_2013, ', INDEX (time)', '', ''],
    '2013, no key' => [OF_2013, '', '', ''],
];
// Between the two: at the largest size only. PACK_KEYS leaves a key that is
// unique and short as it is.
const BETWEEN = [
    'today, plain INDEX' => [TODAY, ', INDEX (time)', '', ''],
    'today, UNIQUE, MAX_ROWS' => [TODAY, ', UNIQUE (time)', 'MAX_ROWS=4000000000', ''],
    'today, UNIQUE, DELAY_KEY_WRITE' => [TODAY, ', UNIQUE (time)', 'DELAY_KEY_WRITE=1', ''],
    '2013, INDEX, MAX_ROWS' => [OF_2013, ', INDEX (time)', 'MAX_ROWS=4000000000', ''],
    '2013, INDEX, MAX_ROWS, PACK_KEYS' => [OF_2013, ', INDEX (time)', 'MAX_ROWS=4000000000 PACK_KEYS=1', ''],
    '2013, keys disabled' => [OF_2013, ', INDEX (time)', '', 'ALTER TABLE feed_1 DISABLE KEYS'],
];
// In the order they are measured in: what leaves holes comes last.
const STATEMENTS = [
    'nothing' => '`DO 1`: what a call costs',
    'insert' => '`INSERT`, a new row',
    'post' => '`INSERT … ON DUPLICATE KEY UPDATE`, a new row',
    'update last' => '`SELECT` + `UPDATE` by time, the last row',
    'update old' => '`SELECT` + `UPDATE` by time, an old row',
    'read' => '`SELECT … BETWEEN … ORDER BY time LIMIT 1`',
    'last' => '`SELECT … ORDER BY time DESC LIMIT 1`',
    'post old' => '`INSERT … ON DUPLICATE KEY UPDATE`, an old row',
    'delete' => '`DELETE` by time `LIMIT 1`, an old row',
    'delete range' => '`DELETE` of an hour',
];

mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
// The socket is called by its bare name: a path may be too long.
chdir($folder);
$db = new mysqli('localhost', 'root', '', 'emoncms', 0, 'sock');
mt_srand(1);

function say(string $text): void
{
    fprintf(STDERR, "%s  %s\n", date('H:i:s'), $text);
}

function median(array $values): float
{
    sort($values);
    $middle = intdiv(count($values) - 1, 2);
    return ($values[$middle] + $values[count($values) - 1 - $middle]) / 2;
}

function seconds(callable $call): float
{
    $begin = hrtime(true);
    $call();
    return (hrtime(true) - $begin) / 1e9;
}

function bytes(string $table, string $suffix): int
{
    clearstatcache();
    return filesize("emoncms/$table.$suffix");
}

// Bytes that the server has given to write(), sockets not among them.
function written(): int
{
    global $pid;
    preg_match('/^wchar: (\d+)/m', file_get_contents("/proc/$pid/io"), $found);
    return (int) $found[1];
}

// A new table of that many rows.
function fill(string $table, array $variant, int $rows): void
{
    global $db;
    [$columns, $key, $options, $after] = $variant;
    $db->query("DROP TABLE IF EXISTS $table");
    $db->query("CREATE TABLE $table ($columns$key) ENGINE=MyISAM $options");
    $db->query("INSERT INTO $table SELECT " . BEGIN . ' + ' . STEP . ' * seq, ROUND(200 + 100 * SIN(seq / 97), 1)'
        . ' FROM seq_0_to_' . ($rows - 1));
    if ($after !== '') {
        $db->query($after);
    }
    $db->query('FLUSH TABLES');
    $db->query("SELECT SUM(data) FROM $table")->fetch_all();
}

// The statements, as text, as emoncms sends them: name => function that makes
// the next one. A statement of two is sent as emoncms does, one by one.
function statements(int $rows): array
{
    $next = $rows;
    $new = function () use (&$next) { return BEGIN + STEP * $next++; };
    $old = fn () => BEGIN + STEP * mt_rand(0, $rows - 1);
    $value = fn () => mt_rand(1, 1 << 20) / 8;
    $post = fn ($time) => ["INSERT INTO feed_1 (time,data) VALUES ('$time','{$value()}') ON DUPLICATE KEY UPDATE data=VALUES(data)"];
    $update = fn ($time) => [
        "SELECT * FROM feed_1 WHERE time = '$time'",
        "UPDATE feed_1 SET data = '{$value()}' WHERE time = '$time'",
    ];
    // A graph of 800 points asks this 800 times.
    $width = max(1, intdiv($rows * STEP, 800));
    return [
        'nothing' => fn () => ['DO 1'],
        'insert' => fn () => ["INSERT INTO feed_1 (time,data) VALUES ('{$new()}','{$value()}')"],
        'post' => fn () => $post($new()),
        'update last' => function () use ($update, &$next) { return $update(BEGIN + STEP * ($next - 1)); },
        'update old' => fn () => $update($old()),
        'read' => function () use ($old, $width) {
            $from = $old();
            return ["SELECT time, data FROM feed_1 WHERE time BETWEEN $from AND " . ($from + $width) . ' ORDER BY time ASC LIMIT 1'];
        },
        'last' => fn () => ['SELECT time, data FROM feed_1 ORDER BY time DESC LIMIT 1'],
        'post old' => fn () => $post($old()),
        'delete' => fn () => ["DELETE FROM feed_1 WHERE `time` = '{$old()}' LIMIT 1"],
        'delete range' => function () use ($old) {
            $from = $old();
            return ["DELETE FROM feed_1 WHERE `time` >= '$from' AND `time` <= '" . ($from + 3600) . "'"];
        },
    ];
}

// Repeats a statement until the time is over, or it was often enough. Its
// median in seconds, the bytes that the server wrote for each.
function repeat(callable $statement, int $most): array
{
    global $db, $seconds;
    $times = [];
    $end = hrtime(true) + 1e9 * $seconds;
    $before = written();
    for ($round = 0; $round < 5 || ($round < $most && hrtime(true) < $end); $round++) {
        $texts = $statement();
        $begin = hrtime(true);
        foreach ($texts as $text) {
            $answer = $db->query($text);
            if ($answer instanceof mysqli_result) {
                $answer->fetch_all();
            }
        }
        $times[] = (hrtime(true) - $begin) / 1e9;
    }
    return [median($times), (written() - $before) / $round];
}

// All of a variant: its sizes, what its statements take, what they wrote.
function measure(string $name, array $variant, int $rows): array
{
    global $db, $emonfeed, $folder;
    say("$name, " . number_format($rows) . ' rows');
    fill('feed_1', $variant, $rows);
    $found = ['MYD' => bytes('feed_1', 'MYD'), 'MYI' => bytes('feed_1', 'MYI')];
    if ($emonfeed !== '') {
        // Started, the file read, 800 averages over it all, as CSV.
        $line = escapeshellarg($emonfeed) . ' get ' . escapeshellarg("$folder/emoncms/feed_1.MYD") . ' --start ' . BEGIN
            . ' --end ' . (BEGIN + STEP * $rows) . ' --interval ' . max(1, intdiv($rows * STEP, 800)) . ' --average --format csv';
        $times = [];
        for ($round = 0; $round < 9; $round++) {
            $times[] = seconds(function () use ($line) {
                exec($line, $lines, $status);
                if ($status !== 0 || count($lines) < 800) {
                    throw new Exception("$line failed");
                }
            });
        }
        $found['emonfeed'] = median($times);
    }
    foreach (statements($rows) as $statement => $next) {
        if ($statement === 'delete') {
            $found['twice'] = (int) $db->query('SELECT COUNT(time) - COUNT(DISTINCT time) FROM feed_1')->fetch_row()[0];
        }
        // What is deleted must not be most of the rows.
        $most = ['delete' => intdiv($rows, 20), 'delete range' => intdiv($rows, 20 * 360)][$statement] ?? 2000;
        [$found[$statement], $found["$statement written"]] = repeat($next, min($most, 2000));
    }
    return $found;
}

// New rows for several tables by turns, so that whatever else the machine does
// slows them all alike: title => name => median.
function in_turn(array $variants, int $rows): array
{
    global $db;
    say('new rows, by turns');
    $names = array_keys($variants);
    foreach ($names as $number => $name) {
        fill("feed_1$number", $variants[$name], $rows);
    }
    $found = [];
    $time = BEGIN + STEP * $rows;
    foreach (['insert' => '', 'post' => ' ON DUPLICATE KEY UPDATE data=VALUES(data)'] as $statement => $tail) {
        $times = [];
        for ($round = 0; $round < 5000; $round++, $time += STEP) {
            foreach ($names as $number => $name) {
                $times[$name][] = seconds(
                    fn () => $db->query("INSERT INTO feed_1$number (time,data) VALUES ('$time','$round')$tail"),
                );
            }
        }
        $found[STATEMENTS[$statement]] = array_map('median', $times);
    }
    foreach ($names as $number => $name) {
        $db->query("DROP TABLE feed_1$number");
    }
    return $found;
}

// What is told of tables without a key is true: their rows come twice, and this
// is the way back.
function check_duplicates(): void
{
    global $db;
    $expect = function ($what, $expected, $found) {
        if ($expected != $found) {
            throw new Exception("$what: " . json_encode($found));
        }
    };
    $all = fn ($table) => $db->query("SELECT time, data FROM $table")->fetch_all();
    foreach (['', ', INDEX (time)'] as $key) {
        $db->query('DROP TABLE IF EXISTS feed_2, feed_2_new');
        $db->query('CREATE TABLE feed_2 (' . TODAY . "$key) ENGINE=MyISAM");
        foreach ([[10, 1], [20, 2], [10, 3]] as [$time, $value]) {
            $db->query("INSERT INTO feed_2 (time,data) VALUES ('$time','$value') ON DUPLICATE KEY UPDATE data=VALUES(data)");
        }
        $expect('a time that was there', [[10, 1], [20, 2], [10, 3]], $all('feed_2'));
        $db->query("UPDATE feed_2 SET data = '4' WHERE time = '10'");
        $expect('rows that an UPDATE met', 2, $db->affected_rows);
        $db->query("UPDATE feed_2 SET data = '1' WHERE time = '10' LIMIT 1");
        try {
            $db->query('ALTER TABLE feed_2 ADD UNIQUE (time)');
            $expect('ADD UNIQUE', 'refused', 'taken');
        } catch (mysqli_sql_exception $error) {
            $expect('ADD UNIQUE', 1062, $error->getCode());
        }
        $db->query('CREATE TABLE feed_2_new (' . TODAY . ', UNIQUE (time)) ENGINE=MyISAM');
        $db->query('INSERT INTO feed_2_new SELECT time, data FROM feed_2 ON DUPLICATE KEY UPDATE data = VALUES(data)');
        $expect('the way back', [[10, 4], [20, 2]], $all('feed_2_new'));
        $db->query('ALTER IGNORE TABLE feed_2 ADD UNIQUE (time)');
        $expect('ALTER IGNORE', [[10, 1], [20, 2]], $all('feed_2'));
    }
    $db->query('DROP TABLE feed_2, feed_2_new');
}

// Grown reading by reading, as a feed is: bytes of the index, and made anew.
function grown(array $variant, int $rows): array
{
    global $db;
    [$columns, $key] = $variant;
    $db->query('DROP TABLE IF EXISTS feed_1');
    $db->query("CREATE TABLE feed_1 ($columns$key) ENGINE=MyISAM");
    for ($row = 0; $row < $rows; $row++) {
        $time = BEGIN + STEP * $row;
        $db->query("INSERT INTO feed_1 VALUES ($time, $row % 1000)");
    }
    $db->query('FLUSH TABLES');
    $grown = bytes('feed_1', 'MYI');
    $db->query('REPAIR TABLE feed_1')->fetch_all();
    return [$grown, bytes('feed_1', 'MYI')];
}

// Statements on the whole table.
function whole(int $rows): array
{
    global $db;
    say('whole tables, ' . number_format($rows) . ' rows');
    $found = [];
    fill('feed_1', KEPT['today, UNIQUE'], $rows);
    $run = function ($name, $text) use ($db, &$found) {
        $found[$name] = seconds(function () use ($db, $text) {
            $answer = $db->query($text);
            if ($answer instanceof mysqli_result) {
                foreach ($answer->fetch_all() as $line) {
                    if ($line[2] === 'error') {
                        throw new Exception("$text: $line[3]");
                    }
                }
            }
        });
    };
    $run('`REPAIR TABLE`, with `UNIQUE (time)`', 'REPAIR TABLE feed_1');
    $run('`ALTER TABLE … DROP INDEX time`', 'ALTER TABLE feed_1 DROP INDEX time');
    $run('`REPAIR TABLE`, without a key', 'REPAIR TABLE feed_1');
    $run('`ALTER TABLE … ADD UNIQUE (time)`', 'ALTER TABLE feed_1 ADD UNIQUE (time)');
    $run('`ALTER TABLE … DROP INDEX time, ADD INDEX (time)`', 'ALTER TABLE feed_1 DROP INDEX time, ADD INDEX (time)');
    $run('`ALTER TABLE … DISABLE KEYS` (the plain `INDEX`)', 'ALTER TABLE feed_1 DISABLE KEYS');
    $run('`ALTER TABLE … ENABLE KEYS`', 'ALTER TABLE feed_1 ENABLE KEYS');
    $run('`ALTER TABLE … DROP INDEX time, ADD UNIQUE (time)`', 'ALTER TABLE feed_1 DROP INDEX time, ADD UNIQUE (time)');
    $run('`ALTER TABLE … MAX_ROWS=4000000000` (with `UNIQUE`)', 'ALTER TABLE feed_1 MAX_ROWS=4000000000');
    return $found;
}

// --- the report ---------------------------------------------------------------

function duration(float $seconds): string
{
    foreach ([1 => 's', 1000 => 'ms', 1000000 => 'µs'] as $factor => $unit) {
        $value = $seconds * $factor;
        if ($value >= 1 || $unit === 'µs') {
            return ($value < 10 ? sprintf('%.1f', $value) : sprintf('%.0f', $value)) . " $unit";
        }
    }
}

function size(int $bytes): string
{
    return $bytes < 1e6 ? sprintf('%.1f KB', $bytes / 1e3) : sprintf('%.1f MB', $bytes / 1e6);
}

// A table: columns are name => what measure() found.
function report(array $columns): void
{
    echo '| | ', implode(' | ', array_keys($columns)), " |\n|---|", str_repeat('---|', count($columns)), "\n";
    $line = function ($title, $cell) use ($columns) {
        echo "| $title | ", implode(' | ', array_map($cell, $columns)), " |\n";
    };
    $line('`.MYD`', fn ($found) => size($found['MYD']));
    $line('`.MYI`', fn ($found) => size($found['MYI']));
    foreach (STATEMENTS as $name => $title) {
        $line($title, fn ($found) => duration($found[$name]));
    }
    $line('rows that share their time with another, afterwards', fn ($found) => number_format($found['twice']));
    $line('bytes written by an `INSERT`', fn ($found) => number_format($found['insert written'] - $found['nothing written']));
    if (isset(current($columns)['emonfeed'])) {
        $line('`emonfeed get`, 800 averages of it all', fn ($found) => duration($found['emonfeed']));
    }
    echo "\n";
}

check_duplicates();
$found = [];
foreach (KEPT as $name => $variant) {
    foreach ($sizes as $rows) {
        $found[$name][$rows] = measure($name, $variant, $rows);
    }
}
foreach (BETWEEN as $name => $variant) {
    $between[$name] = measure($name, $variant, $largest);
}
$turns = in_turn([
    'UNIQUE' => KEPT['today, UNIQUE'],
    'UNIQUE, DELAY_KEY_WRITE' => BETWEEN['today, UNIQUE, DELAY_KEY_WRITE'],
    'no key' => KEPT['today, no key'],
], $largest);
say('indexes that grew row by row');
$least = min($sizes);
$grown = [];
foreach (['today, UNIQUE', '2013, INDEX'] as $name) {
    $grown[$name] = grown(KEPT[$name], $least);
}
$whole = whole($largest);

echo 'Medians of what a statement takes, measured by PHP over a socket: the first line is what a call',
    " costs when\nthe server does nothing. The tables are in the page cache.\n\n";
echo "- Machine: $machine\n";
echo '- Programs: MariaDB ', $db->query('SELECT VERSION()')->fetch_row()[0], ', PHP ', PHP_VERSION, "\n\n";
foreach (['today' => 'Today’s table', '2013' => 'The table of 2013'] as $shape => $title) {
    echo "## $title\n\n";
    $columns = [];
    foreach ($found as $name => $of) {
        if (str_starts_with($name, $shape)) {
            foreach ($of as $rows => $one) {
                $columns[substr($name, strlen("$shape, ")) . ', ' . number_format($rows) . ' rows'] = $one;
            }
        }
    }
    report($columns);
}
echo '## Between the two, ', number_format($largest), " rows\n\n";
report($between);
echo '## New rows by turns, today’s table, ', number_format($largest), " rows\n\n";
echo '| | ', implode(' | ', array_keys(current($turns))), " |\n|---|---|---|---|\n";
foreach ($turns as $title => $times) {
    echo "| $title | ", implode(' | ', array_map('duration', $times)), " |\n";
}
echo "\n";
echo '## Whole tables, today’s, ', number_format($largest), " rows\n\n| | |\n|---|---|\n";
foreach ($whole as $title => $time) {
    echo "| $title | ", duration($time), " |\n";
}
echo "\n";
foreach ($grown as $name => [$alone, $anew]) {
    printf(
        "The index of %s rows that came one by one (%s) has %s bytes, and %s after `REPAIR TABLE`.\n",
        number_format($least),
        $name,
        number_format($alone),
        number_format($anew),
    );
}
