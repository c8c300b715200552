<?php
// Exports of ten million rows: complete, in little memory, and no longer than
// somebody reads them. By php itself, `php -S` and PHP-FPM.

require __DIR__ . '/harness.php';
require __DIR__ . '/streaming/rows.php';
require __DIR__ . '/streaming/servers.php';

const PAGE = __DIR__ . '/streaming/page.php';
const MIB = 1048576;
/** More than a few pieces of an answer never take. */
const FEW_MIB = 6 * MIB;
/** More than the system's buffers between two programs, and far less than 90 MB, the shortest export. */
const BUFFERED = 16 * MIB;
const ZONE = 'Europe/London';

/** The request with a place for its report, one of its own for each. */
function with_report(array $request): array
{
    static $folder = null;
    static $count = 0;
    $folder = $folder ?? new_folder('report');
    $count++;
    return ['report' => "$folder$count.json"] + $request;
}

/** What the page wrote about a request that is over; null if it is not. */
function report(array $request): ?array
{
    return file_exists($request['report']) ? json_decode(file_get_contents($request['report']), true) : null;
}

/** The page by php itself. @return array{0: Text, 1: array} its output and its report */
function by_cli(array $request, array $options): array
{
    $request = with_report($request);
    $command = array_merge([PHP_BINARY], $options, [PAGE, json_encode($request)]);
    $process = proc_open($command, [1 => ['pipe', 'w']], $pipes);
    $text = new Text((function () use ($pipes) {
        while (($piece = fread($pipes[1], 65536)) !== false && $piece !== '') {
            yield $piece;
        }
    })());
    fclose($pipes[1]);
    $code = proc_close($process);
    check('exit code of ' . json_encode($request), 0, $code);
    return [$text, report($request)];
}

$folder = new_folder('streaming');
write_file("{$folder}feed_1.MYD");
make_table(connect());

/** A request for all rows, or the same for none of them. */
$request = function (string $engine, string $call, string $format, bool $all = true) use ($folder): array {
    $id = $engine === 'mysql' ? 2 : 1;
    $behind = BEGIN + ROWS * STEP;
    $rows = $all ? [BEGIN, $behind - STEP] : [$behind, $behind + STEP];
    $from = $engine === 'mysql' ? $rows[0] : ($all ? 0 : 9 * ROWS);
    return [
        'engine' => $engine,
        'folder' => $engine === 'mysql' ? table_folder() : $folder,
        'call' => $call,
        'arguments' => $call === 'export' ? [$id, $from] : [$id, $rows[0], $rows[1], STEP, 0, ZONE, $format, 1, 1],
    ];
};

$rounded = fn ($value) => number_format($value, 2, '.', '');
$expected = [
    'unix' => Text::expected($rounded, null),
    'iso8601' => Text::expected($rounded, new DateTimeZone(ZONE)),
    'digits' => Text::expected('strval', null),
    'bytes' => new Text((function () use ($folder) {
        $file = fopen("{$folder}feed_1.MYD", 'rb');
        while (($piece = fread($file, 65536)) !== '') {
            yield $piece;
        }
    })()),
];
check('the writer of what is expected', [ROWS, '1500000000,-250.00', '1599999990,249.88'], [
    $expected['unix']->lines, strtok($expected['unix']->begin, "\n"), substr($expected['unix']->end, -18, 17),
]);
check('clocks change on the way', ['2017-07-14T03:40:00+01:00', '2020-09-13T13:26:30+01:00'], [
    substr($expected['iso8601']->begin, 0, 25), substr($expected['iso8601']->end, -33, 25),
]);

// All rows, and no more memory for them than for none.
$fpm = new Fpm(fpm_program(), PAGE);
$exports = [
    // by, engine, call, format, expected, memory_limit, output_buffering, inside an ob_start() of the application
    ['cli', 'mysql', 'get_data_combined', 'unix', 'unix', '16M', 4096, false],
    ['fpm', 'mysql', 'get_data_combined', 'iso8601', 'iso8601', '16M', 4096, true],
    ['fpm', 'mysql', 'export', '', 'digits', '128M', 0, true],
    ['cli', 'mysql', 'export', '', 'digits', '16M', 0, false],
    ['fpm', 'php', 'get_data_combined', 'unix', 'unix', '128M', 0, false],
    ['cli', 'php', 'get_data_combined', 'iso8601', 'iso8601', '128M', 4096, true],
    ['fpm', 'php', 'export', '', 'bytes', '16M', 4096, true],
    ['cli', 'php', 'export', '', 'bytes', '16M', 0, false],
];
$filenames = [
    'mysql' => ['get_data_combined' => '2.csv', 'export' => 'feed_2.csv'],
    'php' => ['get_data_combined' => '1.csv', 'export' => 'feed_1.MYD'],
];
$most = 0;
foreach ($exports as [$by, $engine, $call, $format, $what, $limit, $buffering, $buffer]) {
    $name = "$engine, $call $format, by $by, memory_limit=$limit, output_buffering=$buffering" . ($buffer ? ', ob_start()' : '');
    $settings = ["memory_limit=$limit", "output_buffering=$buffering", 'zlib.output_compression=0'];
    $ask = function (bool $all) use ($by, $engine, $call, $format, $settings, $buffer, $fpm, $request): array {
        $asked = $request($engine, $call, $format, $all) + ['buffer' => $buffer];
        if ($by === 'fpm') {
            $asked = with_report($asked);
            return array_merge($fpm->whole($asked, $settings), [report($asked)]);
        }
        // Without mapping the file, all memory of the process counts.
        $options = array_merge(...array_map(fn ($setting) => ['-d', $setting], array_merge($settings, ['emonfeed.mmap=0'])));
        return array_merge([''], by_cli($asked, $options));
    };
    [, $nothing, $little] = $ask(false);
    [$headers, $text, $much] = $ask(true);
    check("$name: of no rows", 0, $nothing->bytes);
    check("$name: all rows", get_object_vars($expected[$what]), get_object_vars($text));
    check("$name: no error", [[], []], [$little['errors'], $much['errors']]);
    // memory_limit counts what PHP takes; `anonymous` and `peak` hold the library's part too.
    foreach ($by === 'cli' ? ['php', 'anonymous', 'peak'] : ['php', 'anonymous'] as $kind) {
        $more = $much[$kind] - $little[$kind];
        check_that(sprintf('%s: %s memory grew by %.1f MiB', $name, $kind, $more / MIB), $more <= FEW_MIB);
    }
    if ($by === 'fpm') {
        check_that("$name: it is a download", strpos($headers, "Content-Disposition: attachment; filename={$filenames[$engine][$call]}\r\n") !== false);
    }
    $most = max($most, $much['php'] - $little['php'], $much['anonymous'] - $little['anonymous']);
}
printf("  no export took more than %.1f MiB more for %d rows than for none\n", $most / MIB, ROWS);

/** Reads some KiB of each export and goes away; the one worker of the server must be free for the next request soon. */
$go_away = function (string $server, callable $read_some, callable $read_all) use ($request): void {
    foreach (['get_data_combined', 'export'] as $call) {
        foreach (['mysql', 'php'] as $engine) {
            foreach ([false, true] as $ignore) {
                $name = "$server, $engine, $call" . ($ignore ? ', ignore_user_abort' : '');
                $left = with_report($request($engine, $call, 'unix') + ['count' => true, 'ignore_user_abort' => $ignore]);
                check("$name: some of it came", 8192, strlen($read_some($left)));
                $next = with_report($request($engine, $call, 'unix', false) + ['count' => true]);
                $read_all($next);
                check("$name: the next one is through", 0, report($next)['sent'] ?? null);
                $report = report($left);
                check_that("$name: the worker is free", $report !== null);
                check_that("$name: it saw the client go", $report['aborted']);
                check_that("$name: and sent no more than buffers hold, {$report['sent']} bytes", $report['sent'] < BUFFERED);
                check("$name: no error", [], $report['errors']);
            }
        }
    }
};

$counted = with_report($request('php', 'export', '') + ['count' => true]);
[, $text] = $fpm->whole($counted, []);
$report = report($counted);
check('what is sent is counted', [$text->bytes, false], [$report['sent'], $report['aborted']]);
$go_away('PHP-FPM', function (array $request) use ($fpm): string {
    $answer = $fpm->ask($request);
    for ($some = ''; strlen($some) < 8192; $some .= $answer->read());
    $answer->close();
    return substr($some, 0, 8192);
}, function (array $request) use ($fpm): void {
    $answer = $fpm->ask($request);
    while ($answer->read() !== null);
});

// While somebody downloads, the same user's other pages need the session.
$sessions = new_folder('sessions');
$download = $fpm->ask(with_report($request('mysql', 'export', '') + ['session' => $sessions]));
$download->read();
$session = fopen("{$sessions}sess_2013", 'r+');
check_that('a download does not keep the session locked', flock($session, LOCK_EX | LOCK_NB));
$download->close();

$server = new BuiltInServer(PAGE);
$go_away('php -S', function (array $request) use ($server): string {
    $answer = $server->ask($request);
    $some = stream_get_contents($answer, 8192);
    fclose($answer);
    return $some;
}, fn (array $request) => stream_get_contents($server->ask($request)));

finish();
