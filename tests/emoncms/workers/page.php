<?php
// What a page that lists feeds does: asks each of them, and says what came and
// how large the worker is by now.

use Emonfeed\Exception;
use Emonfeed\Feed;

$request = json_decode($_GET['request'], true);
$answers = [];
foreach ($request['feeds'] as $id => $path) {
    try {
        $feed = new Feed($path);
        $answers[$id] = [
            $feed->windows(0, 0, 1 << 32, Feed::COUNT)[0][1],
            $feed->windows(0, 0, 1 << 32, Feed::SUM)[0][1],
            $feed->lastValue()['time'] ?? null,
        ];
        strlen($feed->rowsJson(0, 1 << 32, 5000));
        $feed->histogram(0, 1);
    } catch (Exception $error) {
        // Of the histogram, which these feeds are not; or they are gone.
        if ($error->getCode() !== Exception::NO_HISTOGRAM) {
            $answers[$id] = $error->getCode();
        }
    }
}
preg_match_all('/^(VmRSS|RssAnon):\s+(\d+) kB$/m', file_get_contents('/proc/self/status'), $memory);
$maps = file_get_contents('/proc/self/maps');
echo json_encode([
    'worker' => getmypid(),
    'answers' => $answers,
    'size' => array_combine($memory[1], array_map('intval', $memory[2])) + [
        'files' => count(scandir('/proc/self/fd')),
        'mappings' => substr_count($maps, "\n"),
        'mapped feeds' => substr_count($maps, '.MYD'),
    ],
], JSON_PRESERVE_ZERO_FRACTION);
