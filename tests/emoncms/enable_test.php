<?php
// The program `enable` beside a server: what it applies to a stand-in emoncms,
// what it refuses, and whether the commands it prints do what it says.

require __DIR__ . '/harness.php';

const DATABASE = 'emon-enable.v2';
const OWN = 'Modules/feed/engine/emonfeed';
const SOURCE = __DIR__ . '/../../php-ext/emoncms';
$root = posix_geteuid() === 0;
$me = posix_getpwuid(posix_geteuid())['name'];

// The web server's user has to come into the folder of this run.
chmod(getenv('EMONFEED_TEST_FOLDER'), 0711);

$sql = connect();
$sql->query('CREATE DATABASE `' . DATABASE . '`');
$sql->select_db(DATABASE);
$datadir = dirname(table_folder());
$tables = "$datadir/emon@002denable@002ev2";
$identity = "Localhost via UNIX socket, $datadir/" . DATABASE;
$files = new_folder('enable-files');

function make_table(int $id, string $options = 'ENGINE=MyISAM'): void
{
    global $sql;
    $sql->query("CREATE TABLE feed_$id (time INT UNSIGNED NOT NULL, data FLOAT NOT NULL, UNIQUE (time)) $options");
    $values = array_map(fn ($n) => '(' . (1700000000 + 10 * $n) . ',' . ($n + $id / 4) . ')', range(0, 99));
    $sql->query("INSERT INTO feed_$id VALUES " . implode(',', $values));
}

/** @param array<int, int> $feeds id => engine */
function list_feeds(array $feeds): void
{
    global $sql;
    $sql->query('CREATE TABLE IF NOT EXISTS feeds (id INT PRIMARY KEY, engine INT)');
    $sql->query('TRUNCATE feeds');
    foreach ($feeds as $id => $engine) {
        $sql->query("INSERT INTO feeds VALUES ($id, $engine)");
    }
}

function copy_folder(string $from, string $to): void
{
    mkdir($to, 0755, true);
    foreach (array_diff(scandir($from), ['.', '..']) as $name) {
        is_dir("$from/$name") ? copy_folder("$from/$name", "$to/$name") : copy("$from/$name", "$to/$name");
    }
}

/** A fresh emoncms with our folder in it. */
function new_tree(string $settings = ''): string
{
    global $files;
    $tree = rtrim(new_folder('enable-tree'), '/');
    rmdir($tree);
    copy_folder(__DIR__ . '/tree', $tree);
    copy_folder(SOURCE, "$tree/" . OWN);
    file_put_contents("$tree/settings.ini", $settings ?: "[sql]\ndatabase = \"" . DATABASE
        . "\"\nusername = \"root\"\npassword = \"secret-word\"\n[feed]\nphptimeseries[datadir] = \"$files\"\n");
    return $tree;
}

/** Each file with its mode, owner and bytes. */
function snapshot(string $folder): array
{
    clearstatcache();
    $all = [];
    foreach (new RecursiveIteratorIterator(new RecursiveDirectoryIterator($folder, FilesystemIterator::SKIP_DOTS)) as $path => $file) {
        $all[substr($path, strlen($folder))] = [$file->getPerms(), $file->getOwner(), $file->getGroup(), md5_file($path)];
    }
    ksort($all);
    return $all;
}

/** The settings of a PHP of a web server, of a kind that is not looked for among what runs. */
function new_etc(string $more = ''): string
{
    $etc = rtrim(new_folder('enable-etc'), '/');
    $sapi = $etc . '/' . PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION . '/cgi';
    mkdir("$sapi/conf.d", 0755, true);
    $ini = preg_replace('/^extension = ".*emonfeed.so"$/m', '', file_get_contents(php_ini_loaded_file()));
    $ini = preg_replace('/^extension = (\w+)$/m', 'extension = "' . ini_get('extension_dir') . '/$1.so"', $ini);
    file_put_contents("$sapi/php.ini", "$ini\nextension_dir = \"" . realpath(__DIR__ . '/../../target/php-ext/modules') . "\"\n$more");
    file_put_contents("$sapi/conf.d/20-emonfeed.ini", "extension=emonfeed\n");
    return $etc;
}

/** @return resource the process of a server for the files in $datadir */
function second_server(string $datadir, string $socket)
{
    exec('command -v mariadbd || command -v mysqld', $program);
    // If this process is killed outright, the kernel ends the server.
    $server = proc_open(['setpriv', '--pdeathsig', 'TERM', $program[0], '--no-defaults', '--user=' . posix_getpwuid(posix_geteuid())['name'],
        "--datadir=$datadir", "--socket=$socket", "--pid-file=$datadir/pid", "--log-error=$datadir/log.err", '--skip-networking',
        '--skip-grant-tables', '--innodb=OFF', '--default-storage-engine=MyISAM'], [2 => ['file', '/dev/null', 'w']], $pipes);
    for ($tries = 300; !file_exists($socket) && proc_get_status($server)['running'] && $tries > 0; $tries--) {
        usleep(100000);
    }
    check_that('a second server runs', file_exists($socket) && proc_get_status($server)['running']);
    return $server;
}

/** @return array{0: string, 1: string, 2: int} */
function enable(string $tree, string ...$arguments): array
{
    global $etc, $me;
    $with = in_array('--web-user', $arguments, true) ? [] : ['--web-user', $me];
    return run_php(["$tree/" . OWN . '/enable', $tree, '--etc-php', $etc, ...$with, ...$arguments]);
}

/** What follows `native` and `not native` in an answer. */
function verdicts(array $answer): array
{
    preg_match_all('/^((?:not )?native) +(.*)$/m', $answer[0], $lines, PREG_SET_ORDER);
    return array_map(fn ($line) => "$line[1]: $line[2]", $lines);
}

/** @return string[] the lines to paste */
function commands(array $answer): array
{
    preg_match_all('/^ {4}(\S.*)$/m', $answer[0] . $answer[1], $lines);
    return $lines[1];
}

function paste(array $commands): void
{
    check_that('there is something to paste', $commands !== []);
    foreach ($commands as $command) {
        exec("( $command ) 2>&1", $said, $code);
        check("pasted: $command", [0, ''], [$code, $code ? implode("\n", $said) : '']);
    }
}

/** What a page of emoncms would get. */
function app(string $tree, ...$arguments): array
{
    [$output, $errors, $code] = run_php(["$tree/index.php", ...array_map('strval', $arguments)]);
    return json_decode($output, true) ?? ['failed' => $output . $errors, 'code' => $code];
}

$etc = new_etc();
foreach ([1, 2, 10] as $id) {
    make_table($id);
}
$sql->query('TRUNCATE feed_10');
file_put_contents("{$files}feed_3.MYD", pack('CIf', 249, 1700000000, 7) . pack('CIf', 249, 1700000010, 8.5));
list_feeds([1 => 0, 2 => 0, 3 => 2, 4 => 5, 10 => 0]);

// The lines to paste begin with sudo for who is not root. All that they need here we may do ourselves.
$programs = new_folder('enable-programs');
file_put_contents("{$programs}sudo", "#!/bin/sh\nexec \"\$@\"\n");
chmod("{$programs}sudo", 0755);
putenv("PATH=$programs:" . getenv('PATH'));
putenv('SUDO_USER');
if (!$root) {
    Checks::say('not run as root: sudo is a stand-in that gives no rights');
}

// Wrong calls.
$tree = new_tree();
$before = snapshot($tree);
foreach ([['--aply'], ['-x'], ['--apply', '--revert'], ['--engine', 'phpfina'], ['--prefix'], ['another'], ['--apply=1'], ['']] as $wrong) {
    [$output, $errors, $code] = enable($tree, ...$wrong);
    check('wrong: ' . implode(' ', $wrong), [2, true], [$code, strpos($errors, 'Try: ./enable --help') !== false]);
}
check('help', [0, '', true], [enable($tree, '--help')[2], enable($tree, '--help')[1], strpos(enable($tree, '-h')[0], 'Usage: ./enable') === 0]);
[$output, $errors, $code] = run_php([SOURCE . '/enable', $files]);
check('no emoncms', [1, '', true], [$code, $output, strpos($errors, 'is no emoncms') !== false]);

// Shown, and nothing changed.
$shown = enable($tree);
check('shown: the exit code and the errors', [0, ''], [$shown[2], $shown[1]]);
check('shown: the patch', <<<DIFF
    --- a/Modules/feed/feed_model.php
    +++ b/Modules/feed/feed_model.php
    @@ -36,7 +36,8 @@
                 switch (\$e) {
                     case (string)Engine::MYSQL :
                         require_once "Modules/feed/engine/MysqlTimeSeries.php";  // tables
    -                    \$engines[\$e] = new MysqlTimeSeries(\$this->mysqli,\$this->redis,\$this->settings['mysqltimeseries']);
    +                    require_once "Modules/feed/engine/emonfeed/NativeMysqlTimeSeries.php"; // emonfeed
    +                    \$engines[\$e] = new NativeMysqlTimeSeries(array('dir'=>'$tables','server'=>'$identity'), \$this->mysqli,\$this->redis,\$this->settings['mysqltimeseries']);
                         break;
                     case (string)Engine::PHPFINA :
                         require "Modules/feed/engine/PHPFina.php";
    @@ -44,7 +45,8 @@
                         break;
                     case (string)Engine::PHPTIMESERIES :
                         require "Modules/feed/engine/PHPTimeSeries.php";    // files
    -                    \$engines[\$e] = new PHPTimeSeries(\$this->settings['phptimeseries']);
    +                    require_once "Modules/feed/engine/emonfeed/NativePHPTimeSeries.php"; // emonfeed
    +                    \$engines[\$e] = new NativePHPTimeSeries(\$this->settings['phptimeseries']);
                         break;
                     case (string)Engine::MYSQLMEMORY :
                         require_once "Modules/feed/engine/MysqlTimeSeries.php";  // tables

    DIFF, substr($shown[0], strpos($shown[0], '---'), strpos($shown[0], "\n\nNothing was changed") - strpos($shown[0], '---') + 1));
check('shown: what would be', ['native: 4 feeds (1-3, 10)'], verdicts($shown));
check_that('shown: and that it is not yet', strpos($shown[0], 'Once it is applied:') > 0);
check('shown: nothing was changed', $before, snapshot($tree));
check('not applied: checked', [3, ['native: no feed', 'not native: 4 feeds (1-3, 10): the patch is not applied']],
    [enable($tree, '--check')[2], verdicts(enable($tree, '--check'))]);
check_that('no word of the password', strpos(implode($shown), 'secret-word') === false);

// Applied as the line to paste says, used, taken back.
$asked = [
    [0, 'get_data_combined', 1, 1700000000, 1700000990, 30],
    [0, 'get_data_combined', 2, 1700000000, 1700000990, 60, 1],
    [0, 'get_data_combined', 1, 1700000000, 1700000990, 500, 0, 'UTC', 'notime'],
    [0, 'lastvalue', 1], [0, 'get_feed_size', 1], [0, 'get_meta', 2],
    [2, 'get_data_combined', 3, 1700000000, 1700000020, 10],
    [2, 'lastvalue', 3],
    [8, 'lastvalue', 1],
];
$answers = fn () => array_map(fn ($arguments) => app($tree, ...$arguments), $asked);
$before_answers = $answers();
check('before: the parents answer', [['class' => 'MysqlTimeSeries', 'answer' => [[1700000000, 'of MysqlTimeSeries']], 'log' => []],
    'MysqlMemory'], [array_replace(['class' => 0], $before_answers[0]), $before_answers[8]['class']]);
paste(commands($shown));
$status = $sql->query("SHOW TABLE STATUS LIKE 'feed_1'")->fetch_assoc();
$after = $answers();
check('applied: numbers from the file', [
    array_map(fn ($n) => [1700000000 + 30 * $n, $n * 3 + 0.25], range(0, 33)),
    array_map(fn ($n) => [1700000000 + 60 * $n, $n * 6 + ($n < 16 ? 3 : 1.5)], range(0, 16)),
    [0.25, 50.25],
    ['time' => 1700000990, 'value' => 99.25],
    $status['Data_length'] + $status['Index_length'],
    ['id' => 2, 'table_name' => 'feed_2', 'value_type' => 'FLOAT NOT NULL', 'start_time' => 1700000000, 'end_time' => 1700000990, 'npoints' => 100, 'interval' => 9],
    [[1700000000, 7], [1700000010, 8.5], [1700000020, null]],
    ['time' => 1700000010, 'value' => 8.5],
    'the table of MysqlTimeSeries',
], array_column($after, 'answer'), fn ($a, $b) => nearly($a, $b));
check('applied: who answers', ['NativeMysqlTimeSeries', 'NativePHPTimeSeries', 'MysqlMemory'],
    [$after[0]['class'], $after[6]['class'], $after[8]['class']]);
check('applied: nothing in the log', array_fill(0, count($asked), []), array_column($after, 'log'));
$now = snapshot($tree);
check('applied: one file changed', ['/Modules/feed/feed_model.php'], array_keys(array_filter($now, fn ($file, $path) => $file !== $before[$path], ARRAY_FILTER_USE_BOTH)));
check('applied: none is new', array_keys($before), array_keys($now));
$again = enable($tree, '--apply');
check('applied again', [0, true, ''], [$again[2], strpos($again[0], 'nothing to change') > 0, $again[1]]);
check('applied again: nothing changed', $now, snapshot($tree));
check('checked', [0, ['native: 4 feeds (1-3, 10)']], [enable($tree, '--check')[2], verdicts(enable($tree, '--check'))]);
check_that('--verbose names every feed', preg_match_all('/^feed \d+ +native$/m', enable($tree, '--check', '--verbose')[0]) === 4);
check('one engine alone taken back', 0, enable($tree, '--revert', '--engine', 'mysql')[2]);
check('one engine alone', ['MysqlTimeSeries', 'NativePHPTimeSeries'], array_column([app($tree, ...$asked[0]), app($tree, ...$asked[6])], 'class'));
check('one engine alone checked', [3, ['native: 1 feed (3)', 'not native: 3 feeds (1, 2, 10): the patch is not applied']],
    [enable($tree, '--check')[2], verdicts(enable($tree, '--check'))]);
check('one engine alone applied', [0, ['native: 3 feeds (1, 2, 10)']], [($only = enable($tree, '--apply', '--engine', 'mysql'))[2], verdicts($only)]);
$back = enable($tree, '--revert');
check('taken back', [0, true, ''], [$back[2], strpos($back[0], ': mysql, phptimeseries.') > 0, $back[1]]);
check('taken back: byte for byte', $before, snapshot($tree));
check('taken back: the parents answer', $before_answers, $answers());
$back = enable($tree, '--revert');
check('taken back again', [0, true], [$back[2], strpos($back[0], 'Nothing to take back') > 0]);

// From outside the tree, by an absolute path; from inside without a name.
check('from outside', 0, run_php([SOURCE . '/enable', $tree, '--apply', '--etc-php', $etc, '--web-user', $me])[2]);
check('from outside: the path', [true, 'NativeMysqlTimeSeries'], [strpos(file_get_contents("$tree/Modules/feed/feed_model.php"),
    'require_once "' . realpath(SOURCE) . '/NativeMysqlTimeSeries.php"; // emonfeed') > 0, app($tree, ...$asked[0])['class']]);
$other_copy = enable($tree, '--check');
check('checked from another copy', [0, ['native: 4 feeds (1-3, 10)'], ''], [$other_copy[2], verdicts($other_copy), $other_copy[1]]);
check('the other copy is told of', 2, preg_match_all('~^note +\w+: another copy of this folder is used, ' . realpath(SOURCE) . '/Native~m', $other_copy[0]));
check('checked from the same copy: nothing to tell', 0, substr_count(
    run_php([SOURCE . '/enable', $tree, '--check', '--etc-php', $etc, '--web-user', $me])[0], 'another copy'));
check('from inside, the paths change', 0, run_php(["$tree/" . OWN . '/enable', '--apply', '--etc-php', $etc, '--web-user', $me])[2]);
check('from inside: the path', false, strpos(file_get_contents("$tree/Modules/feed/feed_model.php"), realpath(SOURCE)));
rename("$tree/" . OWN, "$tree/away");
$gone = run_php([SOURCE . '/enable', $tree, '--check', '--etc-php', $etc, '--web-user', $me]);
check('the copy that is used is gone', [1, ['native: no feed', 'not native: 4 feeds (1-3, 10): that cannot be told (see above)'], true],
    [$gone[2], verdicts($gone), strpos($gone[1], OWN . '/NativeMysqlTimeSeries.php cannot be loaded') > 0]);
rename("$tree/away", "$tree/" . OWN);
enable($tree, '--revert');
check('taken back: byte for byte', $before, snapshot($tree));

// What somebody changed is left alone, and the other engine is not stopped by it.
$model = "$tree/Modules/feed/feed_model.php";
$text = file_get_contents($model);
file_put_contents($model, str_replace('new MysqlTimeSeries(', 'new MyEngine(', $text));
$changed = enable($tree, '--apply');
check('a changed place', [3, ['native: 1 feed (3)', 'not native: 3 feeds (1, 2, 10): the engine is not switched (see above)'], true],
    [$changed[2], verdicts($changed), strpos($changed[1], 'mysql is not switched: `case Engine::MYSQL`') > 0]);
$back = enable($tree, '--revert');
check('a changed place: the other is taken back', [1, true, true],
    [$back[2], strpos($back[1], 'mysql is not taken back') > 0, strpos($back[0], ': phptimeseries.') > 0]);
check('only that', str_replace('new MysqlTimeSeries(', 'new MyEngine(', $text), file_get_contents($model));
check('a changed place, and no other engine', 1, enable($tree, '--apply', '--engine', 'mysql')[2]);
file_put_contents($model, $text);

// An engine that cannot be loaded would stop emoncms: it is loaded before it is put in.
file_put_contents("$tree/" . OWN . '/NativePHPTimeSeries.php', "<?php class NativePHPTimeSeries extends PHPTimeSeries { function get_meta() {} }\n");
$broken = enable($tree, '--apply');
check('an engine that does not fit', [3, true], [$broken[2], strpos($broken[1], 'phptimeseries is not switched: ' . OWN . '/NativePHPTimeSeries.php cannot be loaded') > 0]);
check('the other fits', ['NativeMysqlTimeSeries', 'PHPTimeSeries'], array_column([app($tree, ...$asked[0]), app($tree, ...$asked[6])], 'class'));
copy(SOURCE . '/NativePHPTimeSeries.php', "$tree/" . OWN . '/NativePHPTimeSeries.php');
enable($tree, '--revert');
check('all as before', $before, snapshot($tree));

// A file with an access list, which a new one in its place would not have.
$model = "$tree/Modules/feed/feed_model.php";
exec('setfacl -m u:nobody:r ' . escapeshellarg($model));
$listed = enable($tree, '--apply');
check('an access list: refused', [1, true], [$listed[2], strpos($listed[1], 'has an access list') > 0]);
exec('setfacl -b ' . escapeshellarg($model));
check('an access list: nothing changed', $before, snapshot($tree));

// A folder that is not the server's.
$copy = new_folder('enable-stale') . 'emon';
$copied = function () use ($sql, $tables, $copy): void {
    $sql->query('FLUSH TABLES');
    exec('rm -rf ' . escapeshellarg($copy) . '; cp -a ' . escapeshellarg($tables) . ' ' . escapeshellarg($copy));
};
$refused = function (string $what, string $why, string ...$arguments) use ($tree, $before): void {
    $answer = enable($tree, '--apply', '--engine', 'mysql', ...$arguments);
    check("$what: refused", [1, true, ['native: no feed', 'not native: 3 feeds (1, 2, 10): the engine is not switched (see above)']],
        [$answer[2], strpos($answer[1], $why) > 0 ?: $answer[1], verdicts($answer)]);
    check("$what: nothing changed", $before, snapshot($tree));
};
$copied();
$sql->query('INSERT INTO feed_2 VALUES (1800000000, 1)');
$refused('a copy without the newest row', "is not where this server keeps feed_2 (rows", '--mysql-dir', $copy);
$sql->query('DELETE FROM feed_2 WHERE time = 1800000000');
$copied();
$sql->query('UPDATE feed_2 SET data = 5 WHERE time = 1700000000');
touch("$copy/feed_2.MYD", 1600000000);
$refused('a copy with as many rows', "is not where this server keeps feed_2 (updated", '--mysql-dir', $copy);
$copied();
$header = file_get_contents("$copy/feed_2.MYI");
file_put_contents("$copy/feed_2.MYI", substr_replace($header, pack('J', 1600000000), 160, 8));
$refused('a copy of an older table', "is not where this server keeps feed_2 (created", '--mysql-dir', $copy);
file_put_contents("$copy/feed_2.MYI", substr_replace($header, pack('J', 101), 28, 8));
$refused('a copy with rows the server does not have', 'is not where this server keeps feed_2 (rows: the file says 101', '--mysql-dir', $copy);
$refused('a folder that is not there', 'cannot be read (there is no such file)', '--mysql-dir', "$copy/no");
$refused('an empty folder', 'cannot be read (there is no such file)', '--mysql-dir', $etc);
symlink($tables, $link = dirname($copy) . '/link');
if ($root && exec('unshare --uts true 2>&1', $said, $code) !== false && $code === 0) {
    $elsewhere = 'echo elsewhere >/proc/sys/kernel/hostname && ' . implode(' ', array_map('escapeshellarg',
        [PHP_BINARY, "$tree/" . OWN . '/enable', $tree, '--etc-php', $etc, '--web-user', $me, '--engine', 'mysql']));
    exec('unshare --uts sh -c ' . escapeshellarg("$elsewhere 2>&1"), $said);
    exec('unshare --uts sh -c ' . escapeshellarg("$elsewhere --mysql-dir $tables 2>&1"), $named);
    check('the server of another host', [true, true], [strpos(implode("\n", $said), 'this is "elsewhere" (a container, or another host)') > 0,
        strpos(implode("\n", $named), "'dir'=>'$tables'") > 0]);
} else {
    Checks::say('no new host name can be had here: the server of another host was not tried');
}
check('a link to the right one', [0, true], [($linked = enable($tree, '--engine', 'mysql', '--mysql-dir', $link))[2],
    strpos($linked[0], "'dir'=>'$tables'") > 0]);
list_feeds([10 => 0]);
check('only an empty feed: nothing to verify by', [1, true], [($empty = enable($tree, '--apply'))[2], strpos($empty[1], 'no MySQL feed') > 0]);
make_table(55, 'ENGINE=Aria');
list_feeds([55 => 0]);
$alter = fn (string $table) => ' -e ' . escapeshellarg("ALTER TABLE $table ENGINE=MyISAM");
$convert = implode("\n", commands(enable($tree)));
check_that("only feeds of another engine: $convert", strpos($convert, $alter('feed_55')) > 0);

// A name that would be a command, if it were pasted as it is.
$prefix = "x'; touch pwned; '";
$sql->query("CREATE TABLE `{$prefix}55` (time INT UNSIGNED NOT NULL, data FLOAT NOT NULL) ENGINE=Aria");
$strange = new_tree("[sql]\ndatabase = \"" . DATABASE . "\"\nusername = \"root\"\npassword = \"\"\n[feed]\nmysqltimeseries[prefix] = \"$prefix\"\n");
$convert = implode("\n", commands(enable($strange)));
check_that("a name with quotes: $convert", strpos($convert, $alter("`{$prefix}55`")) > 0);
$sql->query("DROP TABLE `{$prefix}55`, feed_55");

list_feeds([3 => 2]);
check('no MySQL feed: the other engine alone', [0, ['native: 1 feed (3)'], ''], [($none = enable($tree))[2], verdicts($none), $none[1]]);
check_that('no MySQL feed: its lines stay', strpos($none[0], 'NativeMysqlTimeSeries') === false);
list_feeds([]);
check('no feeds at all', 0, enable($tree)[2]);
list_feeds([1 => 0, 2 => 0, 3 => 2, 4 => 5, 10 => 0]);

// A patch of another folder or server is replaced, and checked for.
enable($tree, '--apply');
file_put_contents($model, str_replace("'server'=>'$identity'", "'server'=>'db via TCP/IP, $datadir/'", file_get_contents($model)));
$moved = enable($tree, '--check');
check('another server', [3, ['native: 1 feed (3)', "not native: 3 feeds (1, 2, 10): the patch was made for another folder or server: $tables (db via TCP/IP, $datadir/)"]],
    [$moved[2], verdicts($moved)]);
paste(commands($moved));
check('another server: mended', 0, enable($tree, '--check')[2]);
$stays = enable($tree, '--apply', '--mysql-dir', $etc);
check('a folder that cannot be verified any more', [3, true], [$stays[2], strpos($stays[1], 'The patch that is there stays') > 0]);
check('it stays', 0, enable($tree, '--check')[2]);
paste(commands(['', $stays[1]]));
check('and is taken back as it says', 'MysqlTimeSeries', app($tree, ...$asked[0])['class']);
enable($tree, '--revert');
check('all as before', $before, snapshot($tree));

// An emoncms whose model strips the times, not its engines.
$engine = "$tree/Modules/feed/engine/MysqlTimeSeries.php";
$text = file_get_contents($engine);
file_put_contents($engine, str_replace('"notime"', '"of a later emoncms"', $text));
check('an engine without notime', [0, [[1700000000, 0.25], [1700000500, 50.25]]],
    [enable($tree, '--apply')[2], app($tree, 0, 'get_data_combined', 1, 1700000000, 1700000990, 500, 0, 'UTC', 'notime')['answer']]);
file_put_contents($engine, $text);
enable($tree, '--revert');
check('all as before', $before, snapshot($tree));

// The database moves to another folder of this machine, and is reached as before.
enable($tree, '--apply');
$sql->query('FLUSH TABLES');
$new_datadir = rtrim(new_folder('enable-moved'), '/');
exec('cp -a ' . escapeshellarg("$datadir/.") . ' ' . escapeshellarg($new_datadir));
rename("$datadir/sock", "$datadir/old-sock");
$second = second_server($new_datadir, "$datadir/sock");
$new_sql = connect();
$new_sql->select_db(DATABASE);
$new_sql->query('INSERT INTO feed_1 VALUES (1700001000, 8.5)');
$lastvalue = app($tree, 0, 'lastvalue', 1);
check('moved: the native engine stands back', ['the table of MysqlTimeSeries', 1, true],
    [$lastvalue['answer'], count($lastvalue['log']), strpos($lastvalue['log'][0], "$new_datadir/" . DATABASE) > 0]);
$moved = enable($tree, '--check');
check('moved', [3, ['native: 1 feed (3)', "not native: 3 feeds (1, 2, 10): the patch was made for another folder or server: $tables ($identity)"]],
    [$moved[2], verdicts($moved)]);
check_that('moved: --apply is offered', count(commands($moved)) === 1 && substr(commands($moved)[0], -8) === ' --apply');
paste(commands($moved));
check('moved: mended', [0, ['time' => 1700001000, 'value' => 8.5]], [enable($tree, '--check')[2], app($tree, 0, 'lastvalue', 1)['answer']]);
$new_sql->close();
proc_terminate($second);
proc_close($second);
rename("$datadir/old-sock", "$datadir/sock");
check('moved back: noticed too', 3, enable($tree, '--check')[2]);
enable($tree, '--revert');
check('all as before', $before, snapshot($tree));

// Settings.
$refused_settings = function (string $what, string $why, string $tree, string ...$arguments): void {
    $before = snapshot($tree);
    $answer = enable($tree, '--apply', ...$arguments);
    check($what, [1, true], [$answer[2], strpos($answer[1], $why) > 0 ?: $answer[1]]);
    check("$what: nothing changed", $before, snapshot($tree));
};
$other = new_tree("[sql]\ndatabase = \"{{EMONFEED_TEST_NAME}}\"\nusername = \"{{EMONFEED_TEST_USER}}\"\npassword = x\n[feed]\nphptimeseries[datadir] = $files\nmysqltimeseries[prefix] = \"{{EMONFEED_TEST_PREFIX}}\"\n");
$refused_settings('a variable that is not set', 'EMONFEED_TEST_NAME', $other);
putenv('EMONFEED_TEST_NAME=' . DATABASE);
putenv('EMONFEED_TEST_USER=root');
putenv('EMONFEED_TEST_PREFIX=feed_');
check('variables', [0, ['native: 4 feeds (1-3, 10)']], [($with = enable($other))[2], verdicts($with)]);
putenv('EMONFEED_TEST_PREFIX=reading_');
$sql->query('RENAME TABLE feed_1 TO reading_1');
check('a prefix', [3, ['native: 2 feeds (1, 3)', 'not native: 2 feeds (2, 10): there is no table']], [($with = enable($other))[2], verdicts($with)]);
check('a prefix of the command line', ['native: 3 feeds (2, 3, 10)', 'not native: 1 feed (1): there is no table'], verdicts(enable($other, '--prefix', 'feed_')));
$sql->query('RENAME TABLE reading_1 TO feed_1');
file_put_contents("$other/settings.ini", "[sql]\nserver = \"127.0.0.1\"\nport = 1\nusername = a\npassword = secret-word\n");
$refused_settings('no server', 'cannot be reached', $other);
check_that('no word of the password', strpos(implode(enable($other)), 'secret-word') === false);
file_put_contents("$other/settings.ini", "[sql\nx");
$refused_settings('no ini file', 'is no ini file', $other);
file_put_contents("$other/settings.ini", "[sql]\nusername = root\npassword = x\ndatabase = emoncms_empty\n");
$sql->query('CREATE DATABASE emoncms_empty');
$refused_settings('a database without feeds', 'list of feeds', $other);
rename("$other/settings.ini", "$other/settings.php");
file_put_contents("$other/settings.php", '<?php file_put_contents("' . $files . 'it-was-run", ""); exit;');
$refused_settings('settings.php', '--database NAME', $other);
file_put_contents("$other/settings.ini", "[sql]\n");
$refused_settings('settings.php before settings.ini', '--database NAME', $other);
$options = ['--database', DATABASE, '--user', 'root', '--phptimeseries-dir', rtrim($files, '/')];
check('settings.php and options', [0, ['native: 4 feeds (1-3, 10)']], [($with = enable($other, ...$options))[2], verdicts($with)]);
file_put_contents("{$files}my.cnf", 
    "[mysqld]\nsocket=/nowhere\n[client]\nuser = 'root'\npassword=\"secret-word\"\nsocket = " . ini_get('mysqli.default_socket') . "\n[mysqldump]\nsocket=/nowhere\n");
check('settings.php and an option file', [0, ['native: 4 feeds (1-3, 10)']],
    [($with = enable($other, '--database', DATABASE, '--phptimeseries-dir', $files, '--defaults-file', "{$files}my.cnf"))[2], verdicts($with)]);
check_that('no word of the password', strpos(implode($with), 'secret-word') === false);
paste(commands($with));
check('its line to paste applied it', 0, enable($other, '--check', '--database', DATABASE, '--phptimeseries-dir', $files, '--defaults-file', "{$files}my.cnf")[2]);
check_that('settings.php was not run', !file_exists("{$files}it-was-run"));

// What is wrong with tables, and that the lines to paste mend it.
make_table(5, 'ENGINE=Aria');
make_table(7, 'ENGINE=MyISAM ROW_FORMAT=DYNAMIC');
make_table(8);
make_table(14);
make_table(11, "ENGINE=MyISAM PARTITION BY HASH (time) PARTITIONS 2");
$sql->query('FLUSH TABLES');
$damage = fopen("$tables/feed_8.MYD", 'r+b');
ftruncate($damage, 500);
fclose($damage);
unlink("$tables/feed_14.MYI");
list_feeds([1 => 0, 2 => 0, 3 => 2, 5 => 0, 6 => 0, 7 => 0, 8 => 0, 9 => 2, 10 => 0, 11 => 0, 14 => 0]);
$wrong = enable($tree, '--apply');
check('what is wrong', [3, ['native: 4 feeds (1-3, 10)', 'not native: 1 feed (5): the table belongs to Aria', 'not native: 1 feed (6): there is no table',
    "not native: 1 feed (7): the table's rows are of the format Dynamic", 'not native: 1 feed (8): the table is damaged',
    'not native: 1 feed (9): there is no file', 'not native: 1 feed (11): the table is partitioned',
    'not native: 1 feed (14): the server cannot open the table']], [$wrong[2], verdicts($wrong)]);
check_that('--verbose says more', (bool)preg_match('/^feed 8 +the table is damaged \(.*feed_8/m', enable($tree, '--check', '--verbose')[0]));
paste(array_values(preg_grep('/ -e /', commands($wrong))));
make_table(6);
copy("{$files}feed_3.MYD", "{$files}feed_9.MYD");
check('mended', [0, ['native: 11 feeds (1-3, 5-11, 14)']], [($mended = enable($tree, '--check'))[2], verdicts($mended)]);
list_feeds([1 => 0, 2 => 0, 3 => 2, 10 => 0]);

// The extension, in the PHP of the web server.
$sapi = PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION;
check_that('which PHP', strpos($mended[0], "PHP $sapi cgi, as the user $me") > 0);
unlink("$etc/$sapi/cgi/conf.d/20-emonfeed.ini");
$without = enable($tree, '--check');
check('not switched on', [3, ['native: no feed', "not native: 4 feeds (1-3, 10): PHP $sapi cgi does not load the extension"]], [$without[2], verdicts($without)]);
paste(commands($without));
check('switched on', 0, enable($tree, '--check')[2]);
$good = $etc;
$etc = new_etc("open_basedir = \"$tree\"\n");
$limited = enable($tree, '--check', '--verbose');
check('open_basedir', [3, ['native: no feed', "not native: 3 feeds (1, 2, 10): PHP $sapi cgi may not leave $tree: put $tables/ into open_basedir in $etc/$sapi/cgi/php.ini",
    "not native: 1 feed (3): PHP $sapi cgi may not leave $tree: put $files into open_basedir in $etc/$sapi/cgi/php.ini"]], [$limited[2], verdicts($limited)]);
$etc = new_etc("open_basedir = \"$tree:$tables/:$files\"\n");
check('open_basedir with them', 0, enable($tree, '--check')[2]);
$etc = new_etc("open_basedir = \"$tables/:$files\"\n");
check('open_basedir without our folder', [1, true], [($limited = enable($tree, '--check'))[2], strpos($limited[1], 'cannot be loaded') > 0]);
$etc = new_etc('extension_dir = "' . $files . '"');
file_put_contents("{$files}emonfeed.so", 'no library');
$limited = enable($tree, '--check');
check('an extension that does not load', [3, true], [$limited[2], strpos(verdicts($limited)[1], "PHP $sapi cgi cannot load the extension: ") > 0]);
unlink("{$files}emonfeed.so");
unlink("$etc/$sapi/cgi/conf.d/20-emonfeed.ini");
check_that('no extension there', strpos(verdicts(enable($tree, '--check'))[1], "{$files}emonfeed.so is missing") > 0);
$etc = new_folder('enable-etc');
check_that('no PHP of a web server', strpos(enable($tree, '--check')[0], "PHP $sapi cli, as") > 0);
$etc = $good;

// What runs is what serves, and as whom.
$programs = new_folder('enable-running');
chmod($programs, 0755);
copy(PHP_BINARY, "{$programs}php-fpm9.9");
chmod("{$programs}php-fpm9.9", 0755);
symlink(PHP_BINARY, "{$programs}php9.9");
$path = getenv('PATH');
putenv("PATH=$programs:$path");
$etc = new_etc();
copy_folder("$etc/$sapi/cgi", "$etc/9.9/fpm");
$web = posix_getpwnam('www-data') ? 'www-data' : 'nobody';
$as = $root ? ['setpriv', "--reuid=$web", '--clear-groups', '--regid=65534'] : [];
$worker = proc_open([...$as, "{$programs}php-fpm9.9", '-n', '-r', 'echo "up\n"; fgets(STDIN);'], [['pipe', 'r'], ['pipe', 'w']], $pipes);
fgets($pipes[1]);
$running = run_php(["$tree/" . OWN . '/enable', $tree, '--etc-php', $etc, '--check']);
check('what runs', [true, 1], [strpos($running[0], 'PHP 9.9 fpm, as the user ' . ($root ? $web : $me)) > 0, substr_count($running[0], 'as the user')]);
check('it was started before', ['native: no feed', 'not native: 4 feeds (1-3, 10): PHP 9.9 fpm was started before the extension was switched on'], verdicts(enable($tree, '--check')));
check('to be started again', [($root ? '' : 'sudo ') . 'systemctl restart php9.9-fpm'], commands(enable($tree, '--check')));
proc_terminate($worker);
proc_close($worker);
check('what is installed', 2, substr_count(enable($tree, '--check')[0], 'as the user'));
unlink("{$programs}php9.9");
check_that('no program of that version', strpos(enable($tree, '--check')[1], 'there is no program php9.9 to look with') > 0);
putenv("PATH=$path");
$etc = $good;

// A disk that is full, a tree that is not ours to write.
$applied = snapshot($tree);
file_put_contents($model, file_get_contents($model) . '//' . str_repeat('x', 200000) . "\n");
$long = snapshot($tree);
$revert = escapeshellarg(PHP_BINARY) . ' ' . escapeshellarg("$tree/" . OWN . '/enable') . ' ' . escapeshellarg($tree) . ' --revert 2>&1';
exec("trap '' XFSZ; ulimit -f 50; $revert", $said, $code);
check('a full disk', [1, true], [$code, strpos(implode($said), 'cannot be written') > 0]);
check('a full disk: nothing changed, nothing left', $long, snapshot($tree));
if ($root) {
    $revert = "setpriv --reuid=65534 --regid=65534 --clear-groups $revert";
} else {
    chmod(dirname($model), 0555);
}
exec($revert, $said, $code);
chmod(dirname($model), 0755);
check('no right to write', [1, true], [$code, strpos(implode($said), 'cannot be made') > 0]);
check('no right to write: nothing changed', $long, snapshot($tree));
check('with the right', 0, enable($tree, '--revert')[2]);
mkdir("$tree/.git");
check_that('a git checkout is told of', strpos(enable($tree)[0], 'git pull') > 0);
rmdir("$tree/.git");
copy(__DIR__ . '/tree/Modules/feed/feed_model.php', $model);

// Another user is the web server's. The lines to paste let that one read.
enable($tree, '--apply');
$check = fn () => enable($tree, '--check', '--web-user', $web);
$classes = function () use ($tables, $web): array {
    exec('getfacl -cp ' . escapeshellarg($tables) . '/feed_1.* ' . escapeshellarg($tables) . '/feed_12.*', $lines, $code);
    return [$code, count(preg_grep("/^user:$web:r--\$/", $lines)), count(preg_grep('/^user::/', $lines))];
};
if ($root) {
    chmod($files, 0755);
    $denied = $check();
    check('denied', [3, ['native: 1 feed (3)', "not native: 3 feeds (1, 2, 10): $web may not read the tables' files"]], [$denied[2], verdicts($denied)]);
    $in_root_shell = ["setfacl -m u:$web:x $datadir $tables", "setfacl -m u:$web:r $tables/feed_*", "setfacl -m d:u:$web:r $tables"];
    check('denied: to paste into a shell of root', $in_root_shell, commands($denied));
    paste($in_root_shell);
    check('granted', [0, ['native: 4 feeds (1-3, 10)']], [($granted = $check())[2], verdicts($granted)]);
    exec('setfacl -R -b ' . escapeshellarg($datadir));
    putenv('SUDO_USER=root');
    check('called by sudo from a shell of root', $in_root_shell, commands($check()));
    putenv('SUDO_USER=nobody');
    $by_sudo = ["sudo setfacl -m u:$web:x $datadir $tables", "sudo sh -c 'setfacl -m u:$web:r $tables/feed_*'", "sudo setfacl -m d:u:$web:r $tables"];
    check('denied: to paste into the shell that called sudo', $by_sudo, commands($check()));
    enable($tree, '--revert');
    $apply = commands(enable($tree))[0];
    check('called by sudo: so is its own line', 'sudo ' . PHP_BINARY . " $tree/" . OWN . '/enable', substr($apply, 0, strpos($apply, ' ', strlen('sudo ' . PHP_BINARY . ' '))));
    paste([$apply]);
    paste($by_sudo);
    putenv('SUDO_USER');
    check('granted', [0, ['native: 4 feeds (1-3, 10)']], [($granted = $check())[2], verdicts($granted)]);
} else {
    require SOURCE . '/enabling/Access.php';
    require SOURCE . '/enabling/Server.php';
    check('the check speaks for us', true, strpos(($denied = $check())[0], "This says what $me can read. What $web can:\n    sudo ") > 0);
    paste(EnableAccess::commands($web, $tables, 'feed_', [dirname($tables), $tables]));
    Checks::say("not run as root: what $web may read is taken from getfacl instead of being tried");
}
make_table(12);
list_feeds([1 => 0, 2 => 0, 3 => 2, 10 => 0, 12 => 0]);
foreach (['DO 1', 'OPTIMIZE TABLE feed_1', 'ALTER TABLE feed_1 FORCE', 'ALTER TABLE feed_1 ENGINE=Aria', 'ALTER TABLE feed_1 ENGINE=MyISAM',
    'DELETE FROM feed_1 WHERE time < 1700000050', 'OPTIMIZE TABLE feed_1', 'REPAIR TABLE feed_1', 'TRUNCATE feed_1', 'ALTER TABLE feed_1 ORDER BY time'] as $statement) {
    $result = $sql->query($statement);
    if ($result instanceof mysqli_result) {
        $result->free();
    }
    if (strpos($statement, 'Aria') !== false) {
        continue;
    }
    if ($root) {
        check("$statement: still granted", ['native: 5 feeds (1-3, 10, 12)'], verdicts($check()));
    }
    check("$statement: by getfacl", [0, 6, 6], $classes());
}
check('the rest of the database is as closed as it was', [],
    preg_grep("/^user:$web:/", explode("\n", (string)shell_exec('getfacl -cp ' . escapeshellarg($tables) . '/feeds.MYD'))));

if ($root) {
    // The same for files that emoncms should own.
    chmod("{$files}feed_3.MYD", 0600);
    chmod($files, 0700);
    $denied = $check();
    check('a file denied', ['native: 4 feeds (1, 2, 10, 12)', "not native: 1 feed (3): $web may not read the files"], verdicts($denied));
    paste(commands($denied));
    check('a file granted', ['native: 5 feeds (1-3, 10, 12)'], verdicts($check()));
    check('one engine asked for', ['native: 1 feed (3)'], verdicts(enable($tree, '--check', '--web-user', $web, '--engine', 'phptimeseries')));
    // A folder with our classes that the web server's user cannot read would stop emoncms.
    chmod("$tree/" . OWN, 0700);
    check('our folder closed', [1, true, ['native: no feed', 'not native: 5 feeds (1-3, 10, 12): that cannot be told (see above)']],
        [($closed = $check())[2], strpos($closed[1], 'cannot be loaded') > 0, verdicts($closed)]);
    chmod("$tree/" . OWN, 0755);
} else {
    Checks::say('not run as root: files of another user than the web server\'s were not tried');
}
$sql->query('DROP DATABASE `' . DATABASE . '`');
$sql->query('DROP DATABASE emoncms_empty');
finish();
