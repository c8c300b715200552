<?php
// php-ext/backup.php as cron runs it: with its settings edited, in a process of
// its own, beside a server with tables of today's emoncms and of that of 2013.

require __DIR__ . '/../emoncms/harness.php';

const SCRIPT = __DIR__ . '/../../php-ext/backup.php';
const ROW = 9;

/** The lines of feeds that are not said twice, as backup_method2.php had them. */
const NOTHING_NEW = '/^%d E -- feed %d:%s$/';
const COPIED = '/^%d E DN feed %d:%s [0-9,]+ kB\/s \(%d\)/';
const MADE = '/^%d - DN feed %d:%s [0-9,]+ kB\/s \(%d\)/';
const FAILED = '/^%d - !! feed %d:%s$/';

/** The script in a new folder, its settings edited as an administrator would. */
function script(array $settings): string
{
    $text = file_get_contents(SCRIPT);
    foreach ($settings as $name => $value) {
        $line = "\$$name = $value;";
        $text = preg_replace('/^\$' . $name . '\s*= .*;$/m', addcslashes($line, '\\$'), $text, -1, $edited);
        check("one line sets \$$name", 1, $edited);
    }
    $file = new_folder('script') . 'backup.php';
    file_put_contents($file, $text);
    return $file;
}

/** The settings of the tests, written as the old script has them, and others. */
function settings(string $destination, array $more = []): array
{
    return $more + [
        'username' => '"root"',
        'password' => '""',
        'server' => '"localhost"',
        'database' => '"emoncms"',
        'backupfeedname' => "\"{$destination}feed_\$feedid.MYD\"",
        'primaryfeedname' => '"' . table_folder() . '/feed_$feedid.MYD"',
    ];
}

/**
 * Runs the script, in PHP with $options.
 *
 * @return array{0: list<string>, 1: string, 2: int} its lines, its errors, its exit code
 */
function run_script(string $script, array $options = []): array
{
    [$output, $errors, $code] = run_php(array_merge($options, [$script]));
    check('no notice, warning or error of PHP', 0, preg_match('/^(PHP )?(Notice|Warning|Deprecated|Fatal|Parse)/m', "$output\n$errors"));
    check('each line is ended', $output === '' ? '' : "\n", substr($output, -1));
    // Said in most runs here: that the copies are on the disk of the feeds.
    $errors = preg_replace('/^backup\.php: warning: \S+ is on the same disk as .*\n.*\n/m', '', $errors);
    return [$output === '' ? [] : explode("\n", substr($output, 0, -1)), $errors, $code];
}

/** Each line as its pattern says: [pattern, number, feed, name, bytes]. */
function check_lines(string $what, array $patterns, array $lines): void
{
    check("$what: number of lines", count($patterns), count($lines)) || print(implode("\n", $lines) . "\n");
    foreach ($patterns as $n => $pattern) {
        $arguments = array_slice($pattern, 1);
        array_splice($arguments, 0, 0, [$n + 1]);
        $arguments[2] = preg_quote($arguments[2], '/');
        $wanted = vsprintf($pattern[0], $arguments);
        check("$what: line $n is like $wanted: " . ($lines[$n] ?? ''), 1, preg_match($wanted, $lines[$n] ?? ''));
    }
}

/** The copies are these feeds, byte for byte, and no others; those of PHPTimeSeries in a folder of their own. */
function check_copies(string $what, string $destination, array $files): void
{
    $of_tables = fn (string $file): bool => dirname($file) === table_folder();
    check_folder($what, $destination, array_filter($files, $of_tables));
    $others = array_values(array_filter($files, fn (string $file): bool => !$of_tables($file)));
    if ($others !== []) {
        check_folder("$what, PHPTimeSeries", $destination . basename(dirname($others[0])) . '/', $others);
    }
}

function check_folder(string $what, string $destination, array $files): void
{
    $names = [];
    foreach ($files as $file) {
        $name = basename($file);
        $names[] = $name;
        check("$what: $name", md5_file($file), @md5_file($destination . $name));
        check_that("$what: $name is not empty", filesize($file) > 0);
        $definition = substr($file, 0, -3) . 'frm';
        if (is_file($definition)) {
            check("$what: its definition", md5_file($definition), @md5_file($destination . substr($name, 0, -3) . 'frm'));
        }
    }
    $held = preg_grep('/^feed_\d+\.MYD$/', scandir($destination));
    sort($names);
    sort($held);
    check("$what: which feeds there are copies of", $names, array_values($held));
}

function table_file(int $id): string
{
    return table_folder() . "/feed_$id.MYD";
}

function create_table(mysqli $db, int $id, int $rows, string $engine = 'MyISAM'): void
{
    $db->query("CREATE TABLE feed_$id (time INT UNSIGNED, data FLOAT, INDEX (time)) ENGINE=$engine");
    insert($db, $id, 0, $rows);
}

/** Rows $from to $to - 1, as emoncms writes them: one by one where they are few. */
function insert(mysqli $db, int $id, int $from, int $to): void
{
    for ($row = $from; $row < $to; $row += 1000) {
        $values = array_map(fn ($n) => '(' . (1700000000 + 10 * $n) . ", $n.5)", range($row, min($row + 1000, $to) - 1));
        $db->query("INSERT INTO feed_$id (time, data) VALUES " . implode(', ', $values));
    }
}

/** Rows as PHPTimeSeries appends them. */
function append(string $file, int $from, int $to): void
{
    $rows = '';
    for ($n = $from; $n < $to; $n++) {
        $rows .= pack('CIf', 249, 1700000000 + 10 * $n, $n / 4);
    }
    file_put_contents($file, $rows, FILE_APPEND | LOCK_EX);
}

/** emoncms's table feeds as it is today. */
function list_of_today(mysqli $db, array $feeds): void
{
    $db->query("CREATE TABLE feeds (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, name TEXT, userid INT, tag TEXT,
        time INT, value DOUBLE, datatype INT NOT NULL, public TINYINT(1) DEFAULT 0, size INT,
        engine INT NOT NULL DEFAULT 0, server INT NOT NULL DEFAULT 0, options TEXT, processList TEXT,
        unit VARCHAR(10) DEFAULT '') DEFAULT CHARSET=utf8mb4");
    $statement = $db->prepare('INSERT INTO feeds (id, name, userid, datatype, engine) VALUES (?, ?, 1, 1, ?)');
    foreach ($feeds as [$id, $name, $engine]) {
        $statement->execute([$id, $name, $engine]);
    }
}

/** emoncms's table feeds of July 2013: no column `engine`. */
function list_of_2013(mysqli $db, array $feeds): void
{
    $db->query('CREATE TABLE feeds (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, name TEXT, userid INT, tag TEXT,
        time DATETIME, value FLOAT, datatype INT NOT NULL, public TINYINT(1) DEFAULT 0)');
    $statement = $db->prepare('INSERT INTO feeds (id, name, userid, datatype) VALUES (?, ?, 1, ?)');
    foreach ($feeds as [$id, $name, $datatype]) {
        $statement->execute([$id, $name, $datatype]);
    }
}

/** An empty database again. */
function clear(mysqli $db): void
{
    $db->query('DROP DATABASE emoncms');
    $db->query('CREATE DATABASE emoncms CHARACTER SET utf8mb4');
    $db->select_db('emoncms');
}

if (!class_exists('Emonfeed\Backup')) {
    Checks::say('the extension has no class Emonfeed\Backup: run make php first');
    exit(1);
}
$db = connect();
$db->set_charset('utf8mb4');

// ---- today's emoncms, run after run

list_of_today($db, [
    [1, 'Solar', 0], [2, "K\u{fc}che\n2 E -- feed 7:\e[31mx\u{9b}", 0], [5, 'PHPFina', 5],
    [7, 'virtual', 7], [9, 'Gas meter', 2], [12, 'Heat pump', 0],
]);
create_table($db, 1, 5000);
create_table($db, 2, 40);
create_table($db, 12, 3);
create_table($db, 99, 10);
$php = new_folder('phptimeseries');
append("{$php}feed_9.MYD", 0, 700);
append("{$php}feed_50.MYD", 0, 5);
$phptimeseries = ['phptimeseriesfeedname' => "\"{$php}feed_\$feedid.MYD\""];
$feeds = [table_file(1), table_file(2), table_file(12), "{$php}feed_9.MYD"];
$kitchen = "K\u{fc}che 2 E -- feed 7: [31mx ";

$copies = new_folder('copies');
$script = script(settings($copies, $phptimeseries));
[$lines, $errors, $code] = run_script($script);
check('first run: exit code', 0, $code);
check('first run: errors', '', $errors);
check_lines('first run', [
    [MADE, 1, 'Solar', 5000 * ROW], [MADE, 2, $kitchen, 40 * ROW],
    [MADE, 12, 'Heat pump', 3 * ROW], [MADE, 9, 'Gas meter', 700 * ROW],
], $lines);
check_copies('first run', $copies, $feeds);

[$lines, $errors, $code] = run_script($script);
check('nothing new: exit code and errors', [0, ''], [$code, $errors]);
check_lines('nothing new', [
    [NOTHING_NEW, 1, 'Solar'], [NOTHING_NEW, 2, $kitchen],
    [NOTHING_NEW, 12, 'Heat pump'], [NOTHING_NEW, 9, 'Gas meter'],
], $lines);
check_copies('nothing new', $copies, $feeds);

insert($db, 1, 5000, 6440);
insert($db, 12, 3, 4);
append("{$php}feed_9.MYD", 700, 701);
[$lines, $errors, $code] = run_script($script);
check('grown: exit code and errors', [0, ''], [$code, $errors]);
check_lines('grown', [
    [COPIED, 1, 'Solar', 1440 * ROW], [NOTHING_NEW, 2, $kitchen],
    [COPIED, 12, 'Heat pump', ROW], [COPIED, 9, 'Gas meter', ROW],
], $lines);
check_copies('grown', $copies, $feeds);

// A daily feed's last row changes all day long; the old script never saw it.
$db->query('UPDATE feed_12 SET data = 77.25 ORDER BY time DESC LIMIT 1');
[$lines, $errors, $code] = run_script($script);
check('edited: exit code and errors', [0, ''], [$code, $errors]);
check('edited: the line', 1, preg_match('/^3 E DN feed 12:Heat pump [0-9,]+ kB\/s \([1-9]\d*\)$/', $lines[2] ?? ''));
check_copies('edited', $copies, $feeds);

// Cleared and filled anew, longer than it was: the old script appended to what it had.
$before = file_get_contents("{$copies}feed_2.MYD");
$db->query('TRUNCATE feed_2');
insert($db, 2, 100000, 100100);
[$lines, $errors, $code] = run_script($script);
check('cleared: exit code and errors', [0, ''], [$code, $errors]);
check('cleared: the line', 1, preg_match('/^2 E DN feed 2:.*, the copy before is kept as feed_2\.MYD\.[^\/]+$/', $lines[1] ?? ''));
check_copies('cleared', $copies, $feeds);
$kept = array_values(preg_grep('/^feed_2\.MYD./', scandir($copies)));
check('cleared: the old copy is kept', 1, count($kept));
check('cleared: as it was', $before, @file_get_contents($copies . ($kept[0] ?? '')));

// ---- feeds that cannot be backed up, beside those that can

create_table($db, 20, 100);
create_table($db, 21, 100, 'Aria');
$db->query("INSERT INTO feeds (id, name, userid, datatype) VALUES (20, 'Broken', 1, 1), (21, 'Other', 1, 1), (22, 'Gone', 1, 1)");
$db->query('FLUSH TABLES feed_20');
file_put_contents(table_folder() . '/feed_20.MYI', 'no header');
insert($db, 1, 6440, 6450);
[$lines, $errors, $code] = run_script($script);
check('a feed fails: exit code', 3, $code);
check_lines('a feed fails', [
    [COPIED, 1, 'Solar', 10 * ROW], [NOTHING_NEW, 2, $kitchen], [NOTHING_NEW, 12, 'Heat pump'],
    [FAILED, 20, 'Broken'], [FAILED, 21, 'Other'], [NOTHING_NEW, 9, 'Gas meter'],
], $lines);
foreach ([20 => 'Broken', 21 => 'Other'] as $id => $name) {
    check("a feed fails: $name", 1, preg_match("/^backup\.php: feed $id:$name is not backed up: .*feed_$id/m", $errors));
}
check('a feed fails: feeds without a file', 1, preg_match('/^backup\.php: 1 feed in .* without a file in .* \(22\)/m', $errors));
check_copies('a feed fails', $copies, $feeds);
foreach ([22, 21, 20] as $id) {
    $db->query("DELETE FROM feeds WHERE id = $id");
    check("without feed $id: exit code", $id === 20 ? 0 : 3, run_script($script)[2]);
}
$db->query("INSERT INTO feeds (id, name, userid, datatype) VALUES (22, 'Gone', 1, 1)");
check('only a feed without a file: exit code', 3, run_script($script)[2]);
$db->query('DELETE FROM feeds WHERE id = 22');

// ---- PHPTimeSeries feeds whose folder is not set, or is left out on purpose

$without = new_folder('copies');
[$lines, $errors, $code] = run_script(script(settings($without)));
check('PHPTimeSeries not set: exit code', 3, $code);
check('PHPTimeSeries not set: said', 1, preg_match('/^backup\.php: 1 feed of PHPTimeSeries left out \(9\)/m', $errors));
check_copies('PHPTimeSeries not set', $without, array_slice($feeds, 0, 3));
[$lines, $errors, $code] = run_script(script(settings($without, ['phptimeseriesfeedname' => 'false'])));
check('PHPTimeSeries left out: exit code and errors', [0, ''], [$code, $errors]);

// ---- the disk

$shared = script(settings($copies, ['samedevice' => 'false'] + $phptimeseries));
[$lines, $errors, $code] = run_script($shared);
check('same disk, refused: exit code and lines', [1, []], [$code, $lines]);
check_that('same disk, refused: said where', strpos($errors, rtrim($copies, '/')) !== false);
[, $errors, ] = run_php([$script]);
check_that('same disk: warned of', strpos($errors, ' is on the same disk as ') !== false);
check('same disk: which', 1, preg_match('/ as (\/, )?' . preg_quote(table_folder() . ', ' . rtrim($php, '/'), '/') . ', and lost with it/', $errors));

// Another disk, where there is one: EMONFEED_TEST_MEMORY is a folder on a tmpfs.
$device = fn (string $folder) => stat($folder)['dev'];
$memory = getenv('EMONFEED_TEST_MEMORY') . '/';
if ($memory !== '/' && !in_array($device($memory), [$device('/'), $device(table_folder()), $device($php)], true)) {
    [$output, $errors, $code] = run_php([script(settings($memory, ['samedevice' => 'false'] + $phptimeseries))]);
    check('another disk: exit code and errors', [0, ''], [$code, $errors]);
    check_copies('another disk', $memory, $feeds);
    if ($device($copies) === $device('/')) {
        // From there to the system's disk, as if nothing were mounted.
        $back = ['primaryfeedname' => "\"{$memory}feed_\$feedid.MYD\"", 'samedevice' => 'false'];
        [$lines, $errors, $code] = run_script(script(settings(new_folder('copies'), $back)));
        check('not mounted', [1, []], [$code, $lines]);
    }
}

// The old script, run by root, often wrote into somebody's home.
if (posix_geteuid() === 0) {
    $home = new_folder('home');
    chown($home, 65534);
    chmod($home, 0755);
    [, $errors, $code] = run_script(script(settings($home, $phptimeseries)));
    check('of another user: exit code', 0, $code);
    check('of another user: said', 1, preg_match('/^backup\.php: warning: \S+ belongs to another user \(number 65534\)/m', $errors));
    check_copies('of another user', $home, $feeds);
}
$open = new_folder('open');
chmod($open, 0777);
[$lines, $errors, $code] = run_script(script(settings($open, $phptimeseries)));
check('others can write: exit code and lines', [1, []], [$code, $lines]);
check_that('others can write: said', strpos($errors, 'chmod go-w') !== false);

$missing = rtrim($copies, '/') . '/not-mounted/';
[$lines, $errors, $code] = run_script(script(settings($missing, $phptimeseries)));
check('no destination: exit code and lines', [1, []], [$code, $lines]);
check('no destination: said', 1, preg_match('/^backup\.php: there is no folder \S+not-mounted, .*\n.*mkdir -p \S+not-mounted$/m', $errors));
check('no destination: not made', false, is_dir($missing));

// ---- without the list: a backup all the same

insert($db, 99, 10, 12);
$down = ['-d', 'mysqli.default_socket=/nowhere/sock'];
$everything = array_merge($feeds, [table_file(99), "{$php}feed_50.MYD"]);
unlink(table_folder() . '/feed_20.MYI');
$db->query('DROP TABLE feed_20, feed_21');
[$lines, $errors, $code] = run_script($script, $down);
check('server down: exit code', 3, $code);
check('server down: said', 1, preg_match('/^backup\.php: the list of feeds cannot be read from the database "emoncms" on localhost: /m', $errors));
check_lines('server down', [
    [NOTHING_NEW, 1, '?'], [NOTHING_NEW, 2, '?'], [NOTHING_NEW, 12, '?'], [MADE, 99, '?', 12 * ROW],
    [NOTHING_NEW, 9, '?'], [MADE, 50, '?', 5 * ROW],
], $lines);
check_copies('server down', $copies, $everything);

// A feed that was converted, its table left behind: neither harms the other.
append("{$php}feed_12.MYD", 0, 9);
[$lines, $errors, $code] = run_script($script, $down);
check('a feed in both folders: exit code', 3, $code);
check_copies('a feed in both folders', $copies, array_merge($everything, ["{$php}feed_12.MYD"]));
// Gone from one of them: nobody knows whether it should be.
unlink("{$php}feed_12.MYD");
[$lines, $errors, $code] = run_script($script, $down);
check('a feed is gone: exit code and lines', [3, 6], [$code, count($lines)]);
unlink($copies . basename($php) . '/feed_12.MYD');

// With the list that is known.
$db->query('UPDATE feeds SET engine = 2 WHERE id = 1');
append("{$php}feed_1.MYD", 0, 4);
[$lines, $errors, $code] = run_script($script);
check('converted: exit code and errors', [0, ''], [$code, $errors]);
check_copies('converted', $copies, array_merge($everything, ["{$php}feed_1.MYD"]));
unlink("{$php}feed_1.MYD");
[$lines, $errors, $code] = run_script($script);
check('and lost: exit code', 3, $code);
check('and lost: its line', 1, count(preg_grep('/^\d E !! feed 1:Solar$/', $lines)));
check('and lost: said', 1, preg_match('/^backup\.php: feed 1:Solar is not backed up: .*/m', $errors));
$db->query('UPDATE feeds SET engine = 0 WHERE id = 1');
unlink($copies . basename($php) . '/feed_1.MYD');

foreach (['database' => '"elsewhere"', 'server' => '"127.0.0.1"'] as $setting => $value) {
    $wrong = script(settings($copies, [$setting => $value] + $phptimeseries));
    // Port 1, where there is no server.
    [$lines, $errors, $code] = run_script($wrong, ['-d', 'mysqli.default_port=1']);
    check("wrong $setting: exit code and lines", [3, 6], [$code, count($lines)]);
    check("wrong $setting: said", 1, preg_match('/^backup\.php: the list of feeds cannot be read from .*' . trim($value, '"') . '/m', $errors));
}
[$lines, $errors, $code] = run_script($script, ['-n', '-d', 'extension=' . getenv('EMONFEED_TEST_EXTENSION')]);
if (stripos(shell_exec(escapeshellarg(PHP_BINARY) . ' -n -m'), 'mysqli') === false) {
    check('no mysqli: exit code and lines', [3, 6], [$code, count($lines)]);
    check('no mysqli: said', 1, preg_match('/^backup\.php: the list of feeds .* has no mysqli/m', $errors));
}

// ---- another run at work

$lock = fopen("$copies.emonfeed.lock", 'c');
check_that('the lock is taken', flock($lock, LOCK_EX | LOCK_NB));
[$lines, $errors, $code] = run_script($script);
check('locked: exit code and lines', [11, []], [$code, $lines]);
check_that('locked: said where', strpos($errors, rtrim($copies, '/')) !== false);
fclose($lock);
[$lines, $errors, $code] = run_script($script);
check('lock given back: exit code and errors', [0, ''], [$code, $errors]);

$twice = new_folder('copies');
$slow = script(settings($twice, ['bwlimit' => '"20k"'] + $phptimeseries));
$first = proc_open([PHP_BINARY, $slow], [1 => ['pipe', 'w'], 2 => ['file', '/dev/null', 'w']], $pipes);
for ($tries = 0; $tries < 200 && !is_file("$twice.emonfeed.lock"); $tries++) {
    usleep(20000);
}
usleep(200000);
[$lines, $errors, $code] = run_script($slow);
check('two at once: the second', [11, []], [$code, $lines]);
check('two at once: lines of the first', 4, substr_count(stream_get_contents($pipes[1]), "\n"));
check('two at once: the first', 0, proc_close($first));
check_copies('two at once', $twice, $feeds);

// ---- wrong calls and settings

[$lines, $errors, $code] = run_script($script, ['-n']);
check('no extension: exit code and lines', [1, []], [$code, $lines]);
check('no extension: said', 1, preg_match('/^backup\.php: this PHP \(.*\) has no extension emonfeed\.$/m', $errors));
check_that('no extension: what to do', strpos($errors, 'sudo make install-php') !== false);

foreach (['--dry-run', 'x'] as $argument) {
    [$output, $errors, $code] = run_php([$script, $argument]);
    check("argument $argument", [2, ''], [$code, $output]);
    check_that("argument $argument: said", strpos($errors, 'takes no arguments') !== false);
}
[$output, $errors, $code] = run_php(['-n', $script, '--help']);
check('--help', [0, ''], [$code, $errors]);
check_that('--help: how to call it', strpos($output, 'Usage: php backup.php') === 0);

foreach ([
    ['backupfeedname', "\"{$copies}feeds\"", '$backupfeedname'],
    ['primaryfeedname', '"' . table_folder() . '/feed_7.MYD"', '$primaryfeedname'],
    ['primaryfeedname', 'null', '$primaryfeedname'],
    ['phptimeseriesfeedname', "\"{$php}\$feedid/feed_\$feedid.MYD\"", '$phptimeseriesfeedname'],
    ['backupfeedname', "\"{$copies}copy_\$feedid.MYD\"", 'make them the same'],
    ['bwlimit', '"fast"', 'a setting is wrong'],
] as [$setting, $value, $said]) {
    [$lines, $errors, $code] = run_script(script(settings($copies, [$setting => $value])));
    check("$setting = $value", [2, []], [$code, $lines]);
    check_that("$setting = $value: said", strpos($errors, $said) !== false);
}

// A script that lies in a folder of the web server says nothing to visitors.
check('it is for the command line', 1, preg_match('/^if \(PHP_SAPI !== \'cli\'\) \{\n    exit;/m', file_get_contents(SCRIPT)));

// ---- the emoncms of 2013, and copies of the old script

clear($db);
list_of_2013($db, [[3, 'Power', 1], [4, 'kWh/d', 2], [6, 'Hall', 1]]);
foreach ([3 => 3000, 4 => 50, 6 => 200] as $id => $rows) {
    create_table($db, $id, $rows);
}
$old = new_folder('old');
// What it left: half a row, and rows that were edited since.
file_put_contents("{$old}feed_3.MYD", substr(file_get_contents(table_file(3)), 0, 1000 * ROW + 4));
copy(table_file(6), "{$old}feed_6.MYD");
$db->query('UPDATE feed_6 SET data = -1 ORDER BY time DESC LIMIT 1');
$script = script(settings($old));
[$lines, $errors, $code] = run_script($script);
check('2013: exit code and errors', [0, ''], [$code, $errors]);
check('2013: number of lines', 2, count($lines));
check('2013: half a row is mended', 1, preg_match('/^1 E DN feed 3:Power [0-9,]+ kB\/s \(\d+\), carries on .*, 4 torn bytes cut off$/', $lines[0] ?? ''));
check('2013: an edited row too', 1, preg_match('/^2 E DN feed 6:Hall.*, carries on a copy/', $lines[1] ?? ''));
check_copies('2013', $old, [table_file(3), table_file(6)]);
[$lines, $errors, $code] = run_script($script);
check('2013, again: exit code and errors', [0, ''], [$code, $errors]);
check_lines('2013, again', [[NOTHING_NEW, 3, 'Power'], [NOTHING_NEW, 6, 'Hall']], $lines);

// A list without feeds is no backup.
$db->query('DELETE FROM feeds');
[$lines, $errors, $code] = run_script($script);
check('an empty list: exit code and lines', [1, []], [$code, $lines]);
check('an empty list: said', 1, preg_match('/^backup\.php: the table `feeds` lists no feed/m', $errors));
check_copies('an empty list', $old, [table_file(3), table_file(6)]);

finish();
