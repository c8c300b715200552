<?php
// When a feed's file cannot be read: the parent answers, and the log says once
// why. What no parent could answer either is an error in the answer, and what
// writes is always the parent's.

require __DIR__ . '/harness.php';
require __DIR__ . '/feeds.php';

const ROWS = [[1700000000, 1.5], [1700000010, 2.5], [1700000020, -3.25], [1700090000, 4.0], [1700200000, 0.5]];
const DAYS = [1699900000, 1700300000, 'daily'];

/** Every read of the class that returns something, as a list of method and arguments. */
function reads(object $engine, int $id): array
{
    $combined = [
        ['get_data_combined', $id, 1699999990, 1700000040, 10],
        ['get_data_combined', $id, 1700000000, 1700000040, 20, 1, 'UTC', 'unix', false, 1],
        ['get_data_combined', $id, ...DAYS, ...[0, 'Europe/London']],
        ['get_data_combined', $id, ...DAYS, ...[1, 'Europe/London', 'notime']],
    ];
    $of_both = [['lastvalue', $id], ['get_meta', $id], ['get_feed_size', $id]];
    $others = $engine instanceof MysqlTimeSeries
        ? [['get_data_DMY_time_of_day', $id, ...DAYS, ...['UTC', 'unix', '[0, 12.5]']]]
        : [['get_value', $id, 1700000005], ['get_sha256sum', $id], ['get_sha256sum', $id, 2]];
    return array_merge($combined, $of_both, $others);
}

/** What a call answers or throws, and which parents' methods it reached. */
function answer(object $engine, array $call): array
{
    Parents::$asked = [];
    try {
        $answer = $engine->{$call[0]}(...array_slice($call, 1));
    } catch (Throwable $thrown) {
        $answer = [get_class($thrown), $thrown->getMessage()];
    }
    return ['answer' => $answer, 'asked' => Parents::$asked];
}

function check_native(string $what, object $native, int $id): void
{
    EmonLogger::$lines = [];
    foreach (reads($native, $id) as $call) {
        check("$what: $call[0] reads the file", [], answer($native, $call)['asked']);
    }
    check("$what: nothing is logged", [], EmonLogger::$lines);
}

/** The parent answers each of the calls, and one line gives the reason. */
function check_left(string $what, object $parent, object $native, array $calls, string $reason): void
{
    EmonLogger::$lines = [];
    foreach ($calls as $call) {
        $expected = answer($parent, $call);
        check("$what: $call[0] as the parent has it", $expected, answer($native, $call));
        check("$what: the parent has $call[0]", [get_class($parent) . "::$call[0]"], $expected['asked']);
    }
    check_one_line($what, $native, $reason);
}

function check_one_line(string $what, object $native, string $reason): void
{
    check("$what: one line is logged", 1, count(EmonLogger::$lines));
    $line = EmonLogger::$lines[0] ?? '';
    check_that("$what: it says who answers: $line", preg_match('/^WARN feed \d+ is left to ' . get_parent_class($native) . ': /', $line) === 1);
    check_that("$what: it says why ($reason): $line", strpos($line, $reason) !== false);
    check_that("$what: it says what to do: $line", preg_match('#/php-ext/emoncms/enable --check says what to do$#', $line) === 1);
}

/** get_data_aggregate has no parent: its answer is an error without a path, for anybody may read it (check_left sees that the log says why). */
function check_no_aggregate(string $what, object $native, int $id): void
{
    foreach (['max', 'previous'] as $aggregate) {
        ['answer' => $answer, 'asked' => $asked] = answer($native, ['get_data_aggregate', $id, 1700000000, 1700000040, 10, $aggregate]);
        check("$what: $aggregate is refused", [false, []], [$answer['success'] ?? $answer, $asked]);
        check("$what: the answer says where to look", "the file of feed $id cannot be read, see emoncms's log", $answer['message'] ?? null);
    }
}

function make_table(mysqli $db, string $table, string $columns = 'time INT UNSIGNED NOT NULL, data FLOAT NOT NULL, UNIQUE (time)', string $engine = 'MyISAM'): void
{
    $db->query("CREATE OR REPLACE TABLE $table ($columns) ENGINE=$engine");
    foreach (ROWS as [$time, $value]) {
        $db->query("INSERT INTO $table (time, data) VALUES ($time, $value)");
    }
    $db->query("FLUSH TABLES $table");
}

/** A new folder with a table's files, as in a folder of the server's. */
function copy_of(string $table): string
{
    $folder = new_folder('mysql');
    foreach (['MYD', 'MYI', 'frm'] as $extension) {
        copy(table_folder() . "/$table.$extension", "$folder$table.$extension");
    }
    touch("{$folder}db.opt");
    age($folder);
    return $folder;
}

/** Nobody is at work on the files, which would be waited for: they are old, and so is their folder. */
function age(string $folder): void
{
    array_map(fn ($file) => touch($file, 1700000000), glob("$folder*"));
    touch($folder, 1700000000);
}

function overwrite(string $file, int $place, string $bytes): void
{
    $handle = fopen($file, 'r+');
    fseek($handle, $place);
    fwrite($handle, $bytes);
}

function truncate(string $file, int $size): void
{
    ftruncate(fopen($file, 'r+'), $size);
}

function write_file(string $file): void
{
    file_put_contents($file, implode('', array_map(fn ($row) => pack('CVg', 249, ...$row), ROWS)));
}

/** The file is there, but not for who asks: nobody, or, asked by someone who is not root, the asker. */
function as_stranger(string $file, callable $ask): void
{
    chmod($file, 0);
    $root = posix_geteuid() === 0;
    if ($root) {
        posix_seteuid(posix_getpwnam('nobody')['uid']);
    }
    try {
        $ask();
    } finally {
        if ($root) {
            posix_seteuid(0);
        }
    }
}

$db = connect();
$db->set_charset('utf8mb4');
make_table($db, 'feed_1');
make_table($db, 'feed_2');
$parent = new MysqlTimeSeries($db);
$native_in = fn (string $folder, array $settings = []) => new NativeMysqlTimeSeries(['dir' => $folder, 'server' => server_of($db)], $db, false, $settings);
$folder = new_folder('php');
write_file("{$folder}feed_1.MYD");
write_file("{$folder}feed_2.MYD");
$php_parent = new PHPTimeSeries(['datadir' => $folder]);
$php_native = new NativePHPTimeSeries(['datadir' => $folder]);

if (($_SERVER['argv'][1] ?? '') === 'without the extension') {
    check('there is no extension', false, extension_loaded('emonfeed'));
    foreach ([[$parent, $native_in(table_folder())], [$php_parent, $php_native]] as [$old, $new]) {
        // No feed's fault, so one line for both.
        check_left('no extension', $old, $new, array_merge(reads($new, 1), reads($new, 2)), 'emonfeed is not loaded');
        check_no_aggregate('no extension', $new, 1);
    }
    finish();
}

check_native('as it should be', $native_in(table_folder()), 1);
check_native('a folder with a slash', $native_in(table_folder() . '/'), 1);
check_native('as it should be', $php_native, 1);

// The same settings, but for the extension.
$settings = new_folder('settings');
$ini = file(getenv('PHPRC') . '/php.ini');
file_put_contents("{$settings}php.ini", implode('', preg_grep('/emonfeed\.so/', $ini, PREG_GREP_INVERT)));
$usual = getenv('PHPRC');
putenv("PHPRC=$settings");
[$output, $errors, $code] = run_php([__FILE__, 'without the extension']);
putenv("PHPRC=$usual");
check_that("without the extension:\n$output$errors", $code === 0 && preg_match('/: \d+ checks, all well\n$/', $output) === 1);

// What may be wrong with the files of a table.
$faults = [
    'no file' => ['No such file', function (string $file): void {
        array_map('unlink', ["$file.MYD", "$file.MYI", "$file.frm"]);
    }, 'anywhere'],
    'an InnoDB table' => ['InnoDB', function (string $file): void {
        array_map('unlink', ["$file.MYD", "$file.MYI"]);
        touch("$file.ibd");
    }, 'anywhere'],
    'no index' => ['.MYI', fn (string $file) => unlink("$file.MYI"), 'anywhere'],
    'no definition' => ['.frm', fn (string $file) => unlink("$file.frm"), 'anywhere'],
    'half an index' => ['.MYI', fn (string $file) => truncate("$file.MYI", 100), 'anywhere'],
    'an index of noise' => ['.MYI', fn (string $file) => overwrite("$file.MYI", 0, str_repeat("\x5a", 200)), 'anywhere'],
    'rows that are lost' => ['.MYD', fn (string $file) => truncate("$file.MYD", 20), 'in the rows'],
    'a row of noise' => ['.MYD', fn (string $file) => overwrite("$file.MYD", 18, "\x42"), 'in the rows'],
];
foreach ($faults as $what => [$reason, $spoil, $where]) {
    $place = copy_of('feed_1');
    $native = $native_in($place);
    check_native("before: $what", $native, 1);
    $spoil("{$place}feed_1");
    age($place);
    // The size is looked up without a look at the rows.
    $calls = array_filter(reads($native, 1), fn ($call) => $where === 'anywhere' || $call[0] !== 'get_feed_size');
    check_left($what, $parent, $native, $calls, "{$place}feed_1.");
    check_that("$what: the reason is $reason", strpos(EmonLogger::$lines[0] ?? '', $reason) !== false);
    check_no_aggregate($what, $native, 1);
}

$place = copy_of('feed_1');
as_stranger("{$place}feed_1.MYD", function () use ($parent, $native_in, $place): void {
    $native = $native_in($place);
    check_left('a closed file', $parent, $native, reads($native, 1), "{$place}feed_1.MYD: cannot open: Permission denied");
});

make_table($db, 'feed_3', 'time INT UNSIGNED NOT NULL, data FLOAT NOT NULL, UNIQUE (time)', 'Aria');
age(table_folder() . '/');
$native = $native_in(table_folder());
check_left('an Aria table', $parent, $native, reads($native, 3), 'Aria');
make_table($db, 'feed_4', 'time INT UNSIGNED, data FLOAT, note VARCHAR(9), INDEX (time)');
age(table_folder() . '/');
check_left('a table with more columns', $parent, $native, reads($native, 4), table_folder() . '/feed_4');

// The folder may be that of a server which emoncms does not use any more.
$native = new NativeMysqlTimeSeries(['dir' => table_folder(), 'server' => 'db.example.org via TCP/IP'], $db);
$both = array_merge(reads($native, 1), reads($native, 2));
check_left('another server', $parent, $native, $both, "'db.example.org via TCP/IP', but emoncms uses '" . server_of($db) . "'");
check_no_aggregate('another server', $native, 1);

// MySQL writes $ in a file's name as @0024, and other alphabets as it does.
foreach (['$feed$', 'føed_'] as $prefix) {
    make_table($db, "{$prefix}1");
}
check_native('a prefix with signs', $native_in(table_folder(), ['prefix' => '$feed$']), 1);
$native = $native_in(table_folder(), ['prefix' => 'føed_']);
check_left('a prefix with letters', new MysqlTimeSeries($db, false, ['prefix' => 'føed_']), $native, reads($native, 1), "'føed_1'");

// Names that emoncms keeps in its .meta files, which the parent writes.
make_table($db, 'feed_named_1');
$native = $native_in(table_folder(), ['generic' => false]);
EmonLogger::$lines = [];
foreach (reads($native, 1) as $call) {
    $asked = $call[0] === 'get_meta' ? ['MysqlTimeSeries::get_meta'] : [];
    check("names of their own: $call[0]", $asked, answer($native, $call)['asked']);
}
check('names of their own: nothing is logged', [], EmonLogger::$lines);

// One line for each feed and reason, and the file is read again when it can be.
$place = copy_of('feed_1');
$native = $native_in($place);
EmonLogger::$lines = [];
for ($i = 0; $i < 3; $i++) {
    rename("{$place}feed_1.MYD", "{$place}kept");
    age($place);
    check('the file is away', ['MysqlTimeSeries::lastvalue'], answer($native, ['lastvalue', 1])['asked']);
    rename("{$place}kept", "{$place}feed_1.MYD");
    check('the file is back', [], answer($native, ['lastvalue', 1])['asked']);
}
check_one_line('away three times', $native, 'feed_1.MYD');
truncate("{$place}feed_1.MYD", 20);
age($place);
answer($native, ['lastvalue', 1]);
check('another reason, another line', 2, count(EmonLogger::$lines));
answer($native, ['lastvalue', 2]);
answer($native, ['lastvalue', '2']);
check('another feed, another line', 3, count(EmonLogger::$lines));

// The same for PHPTimeSeries, whose file has no companions.
age($folder);
check_left('no file', $php_parent, $php_native, reads($php_native, 404), "{$folder}feed_404.MYD");
check_no_aggregate('no file', $php_native, 404);
foreach ([0, 9, 36] as $place) {
    write_file("{$folder}feed_3.MYD");
    overwrite("{$folder}feed_3.MYD", $place, "\x42");
    age($folder);
    $native = new NativePHPTimeSeries(['datadir' => $folder]);
    // Size and sum are those of the bytes.
    $calls = array_filter(reads($native, 3), fn ($call) => !in_array($call[0], ['get_feed_size', 'get_sha256sum'], true));
    check_left("noise at byte $place", $php_parent, $native, $calls, "{$folder}feed_3.MYD");
}
$native = new NativePHPTimeSeries(['datadir' => $folder], false);
check_left('a second argument', $php_parent, $native, reads($native, 1), 'buffer');
check_no_aggregate('a second argument', $native, 1);
write_file("{$folder}feed_4.MYD");
as_stranger("{$folder}feed_4.MYD", function () use ($php_parent, $php_native, $folder): void {
    check_left('a closed file', $php_parent, $php_native, reads($php_native, 4), "{$folder}feed_4.MYD: cannot open");
});

// Without a log: what the parent alone has, and what is no question of files.
EmonLogger::$lines = [];
foreach ([['get_sha256sum', 1, 6], ['get_sha256sum', 1, -1], ['get_data_combined', 1, 1700000000, 1700000100, 'original']] as $call) {
    check("$call[0] is the parent's", answer($php_parent, $call), answer($php_native, $call));
    check("$call[0] asks the parent", 1, count(Parents::$asked));
}
foreach ([[1, 100, 100], [1, 100, 99], [404, 100, 99], [1, '100', 100.9]] as [$id, $start, $end]) {
    $answer = answer($php_native, ['get_data_combined', $id, $start, $end, 10]);
    check('end not after start', ['answer' => refusal('request end time before start time'), 'asked' => []], $answer);
}
check('nothing of this is logged', [], EmonLogger::$lines);

// Another database of the same server.
$other = connect();
$other->query('CREATE DATABASE other');
$other->select_db('other');
make_table($other, 'feed_1');
$native = new NativeMysqlTimeSeries(['dir' => table_folder(), 'server' => server_of($db)], $other);
check_left('another database', new MysqlTimeSeries($other), $native, reads($native, 1), "data/other' now");
$other->query('DROP DATABASE other');

// A zone that is none: whatever the parent makes of it.
foreach ([[$parent, $native_in(table_folder())], [$php_parent, $php_native]] as [$old, $new]) {
    $call = ['get_data_combined', 1, ...DAYS, ...[0, "No/Such\nPlace"]];
    check_left('no such zone', $old, $new, [$call], 'time zone');
    check_that('no such zone: the line is one', strpos(EmonLogger::$lines[0], "\n") === false);
}

// Too much is an error: the parent would die of it, or never come to an end.
$too_much = [
    'does not fit into memory' => ['get_data_combined', 1, 0, 9999999, 1],
    'windows' => ['get_data_combined', 1, 0, 10000000, 1, 1],
    '100000 windows' => ['get_data_combined', 1, 0, 100001 * 86400, 'daily'],
    'years' => ['get_data_combined', 1, 0, 300000000000, 'annual'],
    'the years' => ['get_data_combined', 1, -70000000000, 0, 60, 0, 'UTC', 'unix', true],
];
foreach ([[$native_in(table_folder()), 'get_data_DMY_time_of_day'], [$php_native, null]] as [$native, $of_day]) {
    EmonLogger::$lines = [];
    foreach ($too_much as $why => $call) {
        ['answer' => $answer, 'asked' => $asked] = answer($native, $call);
        check("too much ($why)", [false, []], [$answer['success'] ?? $answer, $asked]);
        check_that("too much: the answer says $why", strpos($answer['message'] ?? '', $why) !== false);
    }
    foreach ([PHP_INT_MIN, PHP_INT_MAX - 5] as $start) {
        foreach ([1, PHP_INT_MAX, 'daily'] as $interval) {
            foreach ([[0], [1], [0, 'UTC', 'unix', true]] as $more) {
                $answer = answer($native, ['get_data_combined', 1, $start, PHP_INT_MAX, $interval, ...$more])['answer'];
                check_that('times without end: ' . brief($answer), isset($answer['success']) || count($answer) < 10);
            }
            $answer = answer($native, ['get_data_aggregate', 1, $start, PHP_INT_MAX, $interval, 'previous'])['answer'];
            check('times without end: previous', false, $answer['success'] ?? $answer);
        }
    }
    foreach ([['max', 0, 10000000, 1], ['previous', 0, 100000, 1], ['last', 0, 100001 * 86400, 'daily']] as [$aggregate, $start, $end, $interval]) {
        ['answer' => $answer] = answer($native, ['get_data_aggregate', 1, $start, $end, $interval, $aggregate]);
        check("too much for $aggregate", [false, 'string'], [$answer['success'] ?? $answer, gettype($answer['message'] ?? null)]);
    }
    if ($of_day) {
        foreach ([[100001 * 86400, '[0]'], [30000 * 86400, json_encode(range(0, 47))]] as [$end, $split]) {
            ['answer' => $answer, 'asked' => $asked] = answer($native, [$of_day, 1, 0, $end, 'daily', 'UTC', 'unix', $split]);
            check('too many times of day', [false, []], [$answer['success'] ?? $answer, $asked]);
        }
    }
    check('too much is not logged', [], EmonLogger::$lines);
}

// What is sent as a file falls back as long as nothing is sent.
function sent(array $place, string $method, array $arguments): string
{
    $question = ['place' => $place, 'method' => $method, 'arguments' => $arguments, 'feed' => [], 'fallback' => true];
    [$output, $errors, $code] = run_php([__DIR__ . '/answer.php'], json_encode($question));
    check("$method runs quietly", ['', 0], [$errors, $code]);
    // The parent was asked, and nobody else would have answered.
    [, $errors] = run_php([__DIR__ . '/answer.php'], json_encode(['fallback' => false] + $question));
    check_that("$method asks the parent: $errors", strpos($errors, "TimeSeries::$method was asked") !== false);
    return $output;
}
$as_parent = implode('', array_map(fn ($row) => "$row[0],$row[1]\n", ROWS));
$nothing = new_folder('mysql');
age($nothing);
$empty = ['mysql', ['dir' => $nothing, 'server' => server_of($db)]];
check('export of no file', $as_parent, sent($empty, 'export', [1, 0]));
check('CSV of no file', "1700000000,1.5\n1700000010,2.5\n", sent($empty, 'get_data_combined', [1, 1700000000, 1700000010, 10, 0, 'UTC', 'unix', true]));
$tables = ['mysql', ['dir' => table_folder(), 'server' => server_of($db)]];
make_table($db, 'feed_5', 'time INT UNSIGNED, data FLOAT, data2 FLOAT, INDEX (time)');
check('export of a histogram', $as_parent, sent($tables, 'export', [5, 0]));
$files = ['php', ['datadir' => $folder]];
check('CSV of noise', "1700000000,1.5\n1700000010,2.5\n", sent($files, 'get_data_combined', [3, 1700000000, 1700000015, 10, 0, 'UTC', 'unix', true]));

// Writing is the parents' business, and is read at once.
$native = $native_in(table_folder());
Parents::$forbidden = true;
$db->query('DROP TABLE IF EXISTS feed_10');
check('create', true, $native->create(10, []));
$native->post(10, 1700000000, 7.5);
$native->post(10, 1700000000, 8.5);
check('post', ['time' => 1700000000, 'value' => 8.5], $native->lastvalue(10));
$native->post_bulk_prepare(10, 1700000010, 1.25);
$native->post_bulk_prepare(10, 1700000020, 2.25);
check('bulk, prepared', 1, $native->get_meta(10)->npoints);
$native->post_bulk_save();
check('bulk, saved', ['time' => 1700000020, 'value' => 2.25], $native->lastvalue(10));
check('trim', ['success' => true, 'message' => 'trimmed'], $native->trim(10, 1700000010));
check('trimmed', 1700000010, $native->get_meta(10)->start_time);
check('clear', ['success' => true, 'message' => 'cleared'], $native->clear(10));
check('cleared', false, $native->lastvalue(10));
$native->delete(10);
check_that('deleted', !file_exists(table_folder() . '/feed_10.MYD'));

check('create', true, $php_native->create(10, []));
check('created', false, $php_native->lastvalue(10));
check('post', 7.5, $php_native->post(10, 1700000000, 7.5));
$php_native->post_bulk_prepare(10, 1700000010, 1.25);
$php_native->post_bulk_save();
check('bulk', ['time' => 1700000010, 'value' => 1.25], $php_native->lastvalue(10));
$php_native->trim(10, 1700000010);
check('trimmed', 1.0, $php_native->get_meta(10)->npoints);
$php_native->clear(10);
check('cleared', false, $php_native->lastvalue(10));
$php_native->delete(10);
check_that('deleted', !file_exists("{$folder}feed_10.MYD"));
finish();
