<?php
// Exports a feed, as emoncms would at the end of a request; asked by php, by
// `php -S` and by PHP-FPM. The request says how; what became of it is written
// to the file that it names, when PHP is done with it.

$request = json_decode($_GET['request'] ?? $argv[1], true);

final class Page
{
    public static int $sent = 0;
    public static array $errors = [];
}

set_error_handler(function (int $level, string $message): bool {
    if (error_reporting() & $level) {
        Page::$errors[] = $message;
    }
    return true;
});

register_shutdown_function(function () use ($request): void {
    $last = error_get_last();
    if ($last !== null && $last['type'] === E_ERROR) {
        Page::$errors[] = $last['message'];
    }
    preg_match_all('/^(RssAnon|VmHWM):\s+(\d+) kB$/m', (string)@file_get_contents('/proc/self/status'), $memory);
    $status = array_combine($memory[1], array_map('intval', $memory[2]));
    file_put_contents($request['report'], json_encode([
        'php' => memory_get_peak_usage(true),
        'anonymous' => isset($status['RssAnon']) ? $status['RssAnon'] * 1024 : null,
        'peak' => isset($status['VmHWM']) ? $status['VmHWM'] * 1024 : null,
        'sent' => Page::$sent,
        'aborted' => connection_aborted() === 1,
        'errors' => Page::$errors,
    ]));
});

if (isset($request['session'])) {
    session_save_path($request['session']);
    session_id('2013');
    session_start();
}
ignore_user_abort($request['ignore_user_abort'] ?? false);
if ($request['count'] ?? false) {
    // Sees every byte on its way out, and cannot be removed.
    ob_start(function (string $text): string {
        Page::$sent += strlen($text);
        return $text;
    }, 1, PHP_OUTPUT_HANDLER_FLUSHABLE);
}
if ($request['buffer'] ?? false) {
    ob_start();
}

require __DIR__ . '/../standins.php';
require __DIR__ . '/../../../php-ext/emoncms/NativeMysqlTimeSeries.php';
require __DIR__ . '/../../../php-ext/emoncms/NativePHPTimeSeries.php';

Parents::$forbidden = true;
$settings = ['feed' => ['csv_decimal_places' => 2, 'csv_decimal_place_separator' => '.', 'csv_field_separator' => ',']];
if ($request['engine'] === 'mysql') {
    $connection = new mysqli('localhost', 'root', '', 'emoncms');
    $engine = new NativeMysqlTimeSeries(['dir' => $request['folder'], 'server' => $connection->host_info . ', ' . $connection->query('SELECT CONCAT(@@datadir, DATABASE())')->fetch_row()[0]], $connection);
} else {
    $engine = new NativePHPTimeSeries(['datadir' => $request['folder']]);
}
$answer = $engine->{$request['call']}(...$request['arguments']);
throw new LogicException('it came back with ' . json_encode($answer));
