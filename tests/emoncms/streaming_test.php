<?php
// Exports of ten million rows: complete, in little memory, and no longer than
// somebody reads them. By php itself, `php -S` and PHP-FPM.

require __DIR__ . '/harness.php';
require __DIR__ . '/streaming/fastcgi.php';

const PAGE = __DIR__ . '/streaming/page.php';
const ROWS = 10000000;
const BEGIN = 1500000000;
const STEP = 10;
const MIB = 1048576;
/** More than a few pieces of an answer never take. */
const FEW_MIB = 6 * MIB;
/** More than the system's buffers between two programs, and far less than 90 MB, the shortest export. */
const BUFFERED = 16 * MIB;
const ZONE = 'Europe/London';

/** What the rows hold, over and over: zeros, negative numbers and fractions. */
function values(): array
{
    return array_map(fn ($n) => ($n - 2000) / 8, range(0, 3999));
}

/** The file of PHPTimeSeries, block by block. */
function write_file(string $path): void
{
    $file = fopen($path, 'wb');
    $values = array_map(fn ($value) => pack('g', $value), values());
    for ($row = 0; $row < ROWS; $row += 4000) {
        $block = '';
        foreach ($values as $i => $value) {
            $block .= pack('CV', 249, BEGIN + ($row + $i) * STEP) . $value;
        }
        fwrite($file, $block);
    }
    fclose($file);
}

/** The table; a few rows come late, so that the file is not in the order of time. */
function make_table(mysqli $sql): void
{
    $row = sprintf('%d + seq * %d, (seq %% 4000 - 2000.0) / 8', BEGIN, STEP);
    $late = 'seq % 1000003 = 65536';
    $sql->query('CREATE TABLE feed_2 (time INT UNSIGNED NOT NULL, data FLOAT NOT NULL) ENGINE=MyISAM');
    $sql->query("INSERT INTO feed_2 SELECT $row FROM seq_0_to_" . (ROWS - 1) . " WHERE NOT $late");
    $sql->query("INSERT INTO feed_2 SELECT $row FROM seq_0_to_" . (ROWS - 1) . " WHERE $late");
}

/** What a text is, for comparing long ones. */
final class Text
{
    public int $bytes = 0;
    public int $lines = 0;
    public string $begin = '';
    public string $end = '';
    public string $hash = '';

    /** @param iterable<string> $pieces */
    public function __construct(iterable $pieces)
    {
        $context = hash_init('xxh128');
        foreach ($pieces as $piece) {
            hash_update($context, $piece);
            $this->bytes += strlen($piece);
            $this->lines += substr_count($piece, "\n");
            $this->begin .= strlen($this->begin) < 100 ? substr($piece, 0, 100 - strlen($this->begin)) : '';
            $this->end = substr($this->end . substr($piece, -100), -100);
        }
        $this->hash = hash_final($context);
    }

    /** The lines that the rows should give: plain PHP, a block of 4,000 rows at a time. */
    public static function expected(callable $value, ?DateTimeZone $zone): self
    {
        $ends = array_map(fn ($number) => ',' . $value($number) . "\n", values());
        $pieces = function () use ($ends, $zone): iterable {
            $stamps = fn (int $hour): array => range($hour, $hour + 3600 - STEP, STEP);
            $hour = null;
            for ($row = 0; $row < ROWS; $row += 4000) {
                $block = '';
                foreach ($ends as $i => $end) {
                    $time = BEGIN + ($row + $i) * STEP;
                    if ($zone === null) {
                        $block .= $time . $end;
                        continue;
                    }
                    // In this zone clocks change on the hour.
                    if ($hour !== $time - $time % 3600) {
                        $hour = $time - $time % 3600;
                        $date = (new DateTime("@$hour"))->setTimezone($zone);
                        [$before, $after] = [$date->format('Y-m-d\TH:'), $date->format('P')];
                    }
                    $block .= $before . gmdate('i:s', $time % 3600) . $after . $end;
                }
                yield $block;
            }
        };
        return new self($pieces());
    }
}

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

/** PHP-FPM with one worker, for as long as the object lives. */
final class Fpm
{
    /** @var resource */
    private $process;
    private string $folder;

    public function __construct(string $program)
    {
        $this->folder = new_folder('fpm');
        $user = posix_getpwuid(posix_geteuid())['name'];
        $group = posix_getgrgid(posix_getegid())['name'];
        file_put_contents("{$this->folder}fpm.conf", implode("\n", [
            '[global]', 'error_log = fpm.log', 'daemonize = no',
            '[test]', "user = $user", "group = $group", 'listen = sock',
            'pm = static', 'pm.max_children = 1', 'catch_workers_output = yes', 'clear_env = no', '',
        ]));
        $command = [$program, '--prefix', $this->folder, '--fpm-config', "{$this->folder}fpm.conf", '--nodaemonize'];
        if (posix_geteuid() === 0) {
            $command[] = '--allow-to-run-as-root';
        }
        $null = ['file', '/dev/null', 'r'];
        $this->process = proc_open($command, [$null, ['file', "{$this->folder}out", 'w'], ['redirect', 1]], $pipes);
        while (!file_exists("{$this->folder}sock")) {
            if (!proc_get_status($this->process)['running']) {
                throw new RuntimeException("$program did not start: " . file_get_contents("{$this->folder}out"));
            }
            usleep(20000);
        }
    }

    public function __destruct()
    {
        proc_terminate($this->process);
        proc_close($this->process);
    }

    public function ask(array $request, array $settings = []): FastCgi
    {
        return new FastCgi("unix://{$this->folder}sock", [
            'SCRIPT_FILENAME' => PAGE,
            'REQUEST_METHOD' => 'GET',
            'SERVER_PROTOCOL' => 'HTTP/1.1',
            'QUERY_STRING' => http_build_query(['request' => json_encode($request)]),
            'PHP_ADMIN_VALUE' => implode("\n", $settings),
        ]);
    }

    /** @return array{0: string, 1: Text, 2: array} headers, text, report */
    public function whole(array $request, array $settings): array
    {
        $request = with_report($request);
        $answer = $this->ask($request, $settings);
        $begin = '';
        while (($end_of_headers = strpos($begin, "\r\n\r\n")) === false) {
            $begin .= $answer->read();
        }
        $text = new Text((function () use ($answer, $begin, $end_of_headers) {
            yield substr($begin, $end_of_headers + 4);
            while (($piece = $answer->read()) !== null) {
                yield $piece;
            }
        })());
        return [substr($begin, 0, $end_of_headers), $text, report($request)];
    }
}

/** `php -S`, for as long as the object lives. */
final class BuiltInServer
{
    /** @var resource */
    private $process;
    private string $address;

    public function __construct()
    {
        // The port is free now; should another program take it meanwhile, php says so and ends.
        $probe = stream_socket_server('tcp://127.0.0.1:0');
        $this->address = stream_socket_get_name($probe, false);
        fclose($probe);
        $log = new_folder('server') . 'log';
        $null = ['file', '/dev/null', 'r'];
        $this->process = proc_open([PHP_BINARY, '-S', $this->address, PAGE], [$null, ['file', $log, 'w'], ['redirect', 1]], $pipes);
        while (!is_resource($socket = @stream_socket_client("tcp://$this->address"))) {
            if (!proc_get_status($this->process)['running']) {
                throw new RuntimeException('php -S did not start: ' . file_get_contents($log));
            }
            usleep(20000);
        }
        fclose($socket);
    }

    public function __destruct()
    {
        proc_terminate($this->process);
        proc_close($this->process);
    }

    /** @return resource the answer, to be read */
    public function ask(array $request)
    {
        $query = http_build_query(['request' => json_encode($request)]);
        $socket = stream_socket_client("tcp://$this->address");
        fwrite($socket, "GET /?$query HTTP/1.0\r\n\r\n");
        return $socket;
    }
}

/** The PHP-FPM of this PHP's version, installed or in target/ as tests/setup.sh puts it there. */
function fpm_program(): string
{
    $version = PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION;
    $folders = explode(PATH_SEPARATOR, (string)getenv('PATH'));
    $folders[] = __DIR__ . '/../../target/php-fpm/usr/sbin';
    foreach ($folders as $folder) {
        foreach (["php-fpm$version", 'php-fpm'] as $name) {
            if (is_executable("$folder/$name") && strpos((string)shell_exec(escapeshellarg("$folder/$name") . ' -v'), "PHP $version.") === 0) {
                return "$folder/$name";
            }
        }
    }
    throw new RuntimeException("There is no php-fpm of PHP $version: run sh tests/setup.sh test");
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
$fpm = new Fpm(fpm_program());
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
foreach ($exports as [$by, $engine, $call, $format, $what, $limit, $buffering, $buffer]) {
    $name = "$engine, $call $format, by $by, memory_limit=$limit, output_buffering=$buffering" . ($buffer ? ', ob_start()' : '');
    $settings = ["memory_limit=$limit", "output_buffering=$buffering", 'zlib.output_compression=0'];
    $ask = function (bool $all) use ($by, $engine, $call, $format, $settings, $buffer, $fpm, $request): array {
        $asked = $request($engine, $call, $format, $all) + ['buffer' => $buffer];
        if ($by === 'fpm') {
            return $fpm->whole($asked, $settings);
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
        $filename = $engine === 'php' && $call === 'export' ? 'feed_1.MYD' : ($call === 'export' ? 'feed_2.csv' : ($engine === 'php' ? '1.csv' : '2.csv'));
        check_that("$name: it is a download", strpos($headers, "Content-Disposition: attachment; filename=$filename") !== false);
    }
}

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

[, $text, $report] = $fpm->whole($request('php', 'export', '') + ['count' => true], []);
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

$server = new BuiltInServer();
$go_away('php -S', function (array $request) use ($server): string {
    $answer = $server->ask($request);
    $some = stream_get_contents($answer, 8192);
    fclose($answer);
    return $some;
}, fn (array $request) => stream_get_contents($server->ask($request)));

finish();
