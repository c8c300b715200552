<?php
// What happens while a file is sent: the feed is cleared or dropped, somebody
// writes to it, the client goes away. The sender is this file again, in a
// process of its own; it stands still as long as nobody reads what it sends.

require __DIR__ . '/harness.php';
require __DIR__ . '/feeds.php';

/** Sends pieces of its own, to see when nativeDownload stops. */
final class Pieces extends PHPTimeSeries
{
    use NativeReads;

    const NUMBER = 500;

    private function nativePath($feedid): string
    {
        return '';
    }

    public function send(int $feedid): void
    {
        $this->nativeDownload($feedid, 'pieces', 'text/plain', self::pieces());
    }

    private static function pieces(): Generator
    {
        for ($i = 1; $i <= self::NUMBER; $i++) {
            yield str_repeat("piece $i\n", 10000);
            // Not an echo: nobody might read it.
            file_put_contents(getenv('EMONFEED_TEST_FOLDER') . '/pieces', $i);
        }
    }
}

if (isset($_SERVER['argv'][1])) {
    Checks::$finished = true;
    $settings = ['feed' => ['csv_decimal_places' => 2, 'csv_decimal_place_separator' => '.', 'csv_field_separator' => ',']];
    [$place, $call, $keep_on, $buffers] = json_decode($_SERVER['argv'][1], true);
    register_shutdown_function(fn () => fwrite(STDERR, implode("\n", EmonLogger::$lines)));
    Parents::$forbidden = true;
    ignore_user_abort($keep_on);
    for ($i = 1; $i <= $buffers; $i++) {
        ob_start();
        echo "buffer $i\n";
    }
    $engine = $place === null ? new Pieces([]) : TestFeed::build($place, connect());
    $engine->{$call[0]}(...array_slice($call, 1));
    echo 'RETURNED';
    exit;
}

/** A sender at work: after its first bytes $meanwhile happens, then it is read to its end. */
function sent(?array $place, array $call, ?callable $meanwhile = null, bool $keep_on = false, int $buffers = 0): array
{
    $errors = tmpfile();
    $question = json_encode([$place, $call, $keep_on, $buffers]);
    $process = proc_open(
        [PHP_BINARY, '-d', 'memory_limit=8M', __FILE__, $question],
        [['file', '/dev/null', 'r'], ['pipe', 'w'], $errors],
        $pipes
    );
    $text = fread($pipes[1], 100);
    $text .= ($meanwhile ? $meanwhile($pipes[1]) : null) ?? '';
    $text .= is_resource($pipes[1]) ? stream_get_contents($pipes[1]) : '';
    proc_close($process);
    rewind($errors);
    return [$text, stream_get_contents($errors)];
}

function check_cut_short(string $what, string $whole, array $sent, string $reason): void
{
    [$text, $log] = $sent;
    $lines = explode("\n", $text);
    check("$what: the text ends with a line", '', array_pop($lines));
    check_that("$what: the last line is an error", strpos((string)array_pop($lines), 'error:') === 0);
    check_that("$what: something was sent before", count($lines) > 1000);
    check_that("$what: and all that was sent is right", strpos($whole, implode("\n", $lines) . "\n") === 0);
    check_that("$what: one line in the log says why: $log", preg_match("/^ERROR [^\n]*$reason/", $log) === 1);
    check("$what: one line is logged", 0, substr_count($log, "\n"));
}

function csv(array $points): string
{
    return implode('', array_map(fn ($point) => sprintf("%d,%s\n", $point[0], $point[1] === null ? 'null' : number_format($point[1], 2, '.', '')), $points));
}

const ROWS = 150000;
$db = connect();
$db->query('CREATE OR REPLACE TABLE feed_1 (time INT UNSIGNED NOT NULL, data FLOAT NOT NULL, UNIQUE (time)) ENGINE=MyISAM');
$db->query('INSERT INTO feed_1 SELECT 1600000000 + 10 * seq, seq % 100 / 4 FROM seq_0_to_' . (ROWS - 1));
$tables = ['mysql', ['dir' => table_folder(), 'server' => server_of($db)]];
$folder = new_folder('php');
$file = "{$folder}feed_1.MYD";
$bytes = '';
for ($i = 0; $i < ROWS; $i++) {
    $bytes .= pack('CVg', 249, 1600000000 + 10 * $i, $i % 100 / 4);
}
file_put_contents($file, $bytes);
$files = ['php', ['datadir' => $folder]];
$windows = ['get_data_combined', 1, 1600000000, 1600000000 + 10 * (ROWS - 1), 10, 0, 'Europe/London', 'excel', true];
$export = ['export', 1, 0];

// A file says what a list says: where its pieces of 16384 windows meet, with an
// end within the last window, and around a gap before the first row.
$engine = TestFeed::build($tables, $db);
$last = 1600000000 + 20 * 16383;
foreach ([0, 1] as $average) {
    foreach ([[1600000000, $last + 5], [1600000000, $last], [1600000000, $last - 5], [1600000000, $last + 105], [1599999900, 1600000200]] as [$start, $end]) {
        foreach ([0, 1] as $skip) {
            $list = $engine->get_data_combined(1, $start, $end, 20, $average, 'UTC', 'unix', false, $skip);
            $file_of = sent($tables, ['get_data_combined', 1, $start, $end, 20, $average, 'UTC', 'unix', true, $skip])[0];
            check("$start to $end, average $average, skipmissing $skip", csv($list), $file_of);
        }
    }
}
foreach (['count', 'max', 'previous'] as $aggregate) {
    $question = [1, 1599990000, 1600000100, 50, $aggregate, 'UTC', 'unix', false, 1];
    $list = $engine->get_data_aggregate(...$question);
    $question[7] = true;
    check("$aggregate without what is missing", csv($list), sent($tables, array_merge(['get_data_aggregate'], $question))[0]);
}

// A table that goes, and one that is emptied.
$whole = sent($tables, $export)[0];
check('all rows were sent', ROWS, substr_count($whole, "\n"));
$dropped = sent($tables, $export, function () use ($db): void {
    $db->query("RENAME TABLE feed_1 TO away");
});
check_cut_short('export of a table that goes', $whole, $dropped, 'No such file');
$db->query("RENAME TABLE away TO feed_1");

$windows_of_table = sent($tables, $windows)[0];
check('all windows were sent', ROWS, substr_count($windows_of_table, "\n"));
$dropped = sent($tables, $windows, function () use ($db): void {
    $db->query("RENAME TABLE feed_1 TO away");
});
check_cut_short('windows of a table that goes', $windows_of_table, $dropped, 'No such file');
$db->query("RENAME TABLE away TO feed_1");

$emptied = sent($tables, $export, function () use ($db): void {
    $db->query("TRUNCATE feed_1");
});
check_cut_short('export of a table that is emptied', $whole, $emptied, 'changed or deleted');

// A file of PHPTimeSeries that shrinks, grows, and is locked by its writers.
check('the whole file', md5($bytes), md5(sent($files, $export)[0]));
foreach (['emptied' => '', 'trimmed' => substr($bytes, 90)] as $what => $rest) {
    [$text, $log] = sent($files, $export, function () use ($file, $rest): void {
        file_put_contents($file, $rest, LOCK_EX);
    });
    check_that("a file that is $what: one line in the log says so: $log", preg_match('/^ERROR [^\n]*cleared or trimmed/', $log) === 1);
    check("a file that is $what: whole rows", 0, strlen($text) % 9);
    check_that("a file that is $what: only rows of before", strlen($text) < strlen($rest ?: $bytes) && strpos($bytes, $text) === 0);
    file_put_contents($file, $bytes);
}
[$text] = sent($files, $export, function () use ($file): void {
    $handle = fopen($file, 'a');
    check_that('writers need not wait for the download', flock($handle, LOCK_EX | LOCK_NB));
    fwrite($handle, pack('CVg', 249, 1700000000, 1.5));
});
check('a file that grows', md5($bytes), md5($text));
$dropped = sent($files, $windows, function () use ($file): void {
    rename($file, "$file.away");
});
check_cut_short('windows of a file that goes', $windows_of_table, $dropped, 'No such file');
rename("$file.away", $file);

// Whatever buffers the output has, it is sent piece by piece.
[$text, $log] = sent($files, $windows, null, false, 3);
check('behind what was in the buffers', md5("buffer 1\nbuffer 2\nbuffer 3\n" . $windows_of_table), md5($text));
check('buffers are no fault', '', $log);
[$text] = sent(null, ['send', 1], null, false, 2);
check('all pieces were sent', 10000 * Pieces::NUMBER + 2, substr_count($text, "\n"));

// What compresses all output has told the browser so.
putenv('HTTP_ACCEPT_ENCODING=gzip');
$program = sprintf('require %s; require %s; %%s (new NativePHPTimeSeries(["datadir" => %s]))->%%s;',
    var_export(__DIR__ . '/standins.php', true), var_export(__DIR__ . '/../../php-ext/emoncms/NativePHPTimeSeries.php', true), var_export($folder, true));
$calls = ['export(1, 0)' => file_get_contents($file), 'get_data_combined(1, 1600000000, 1600000040, 10, 0, "UTC", "unix", true)' => "1600000000,0.00\n1600000010,0.25\n1600000020,0.50\n1600000030,0.75\n1600000040,1.00\n"];
foreach ($calls as $call => $expected) {
    foreach (['zlib.output_compression=1' => '', 'zlib.output_compression=0' => 'ob_start("ob_gzhandler");'] as $setting => $begin) {
        [$output, $errors, $code] = run_php(['-d', $setting, '-r', sprintf($program, $begin, $call)]);
        check("$call with $setting $begin", ["\x1f\x8b", md5($expected), '', 0], [substr($output, 0, 2), md5((string)@gzdecode($output)), $errors, $code]);
    }
}
putenv('HTTP_ACCEPT_ENCODING');

// A client that goes away stops the work.
foreach ([false, true] as $keep_on) {
    $counter = getenv('EMONFEED_TEST_FOLDER') . '/pieces';
    file_put_contents($counter, '1');
    sent(null, ['send', 1], 'fclose', $keep_on);
    $made = (int)file_get_contents($counter);
    check_that("a client that goes away stops the work, after $made pieces", $made < 20);
}
finish();
