--TEST--
What is wrong with $format is a TypeError or ValueError that says so
--FILE--
<?php
require 'feeds.inc';
use Emonfeed\Feed;
$feed = new Feed(write_feed(folder('feed_csv_errors'), 1, [[1000, 1], [1001, null]]));
foreach ([
    ['seperator' => ','],
    [',' ],
    ['separator' => 1],
    ['separator' => "\0"],
    ['separator' => "\xFF"],
    ['point' => null],
    ['missing' => []],
    ['decimals' => '2'],
    ['decimals' => -1],
    ['decimals' => 23],
    ['decimals' => PHP_INT_MAX],
    ['time' => 'notime'],
    ['time' => 3],
    ['offsets' => 0],
    ['offsets' => [0]],
    ['offsets' => [[0]]],
    ['offsets' => [[0, '0']]],
    ['offsets' => [[0, 86401]]],
    ['offsets' => [[0, 0], [0, 3600]]],
    ['offsets' => [[0, 0]], 'unknown' => 1],
] as $format) {
    try {
        $feed->rowsCsv(0, 2000, $format);
        echo "accepted: ", json_encode($format), "\n";
    } catch (\Error $e) {
        echo get_class($e), ': ', str_replace('Emonfeed\Feed::rowsCsv(): Argument #3 ($format) must hold ', '', $e->getMessage()), "\n";
    }
}
foreach ([
    fn () => $feed->windowsCsv(0, 1, 1, 0, 0, ['x' => 1]),
    fn () => $feed->windowsAtCsv([0, 1], 0, 0, ['x' => 1]),
    fn () => $feed->valuesAtCsv([0, 1], 0, 0, ['x' => 1]),
    fn () => $feed->rowsCsv(0, 1, [], -1),
    fn () => $feed->windowsCsv(0, 1, 0, 0, 0, ['offsets' => [[0, 0]]]),
    fn () => $feed->windowsAtCsv([1, 0], 0, 0, ['offsets' => [[0, 0]]]),
    fn () => $feed->windowsCsv(0, 1, 1, 0, 16),
] as $call) {
    try {
        $call();
        echo "accepted\n";
    } catch (\Error $e) {
        echo get_class($e), ': ', $e->getMessage(), "\n";
    }
}
?>
--EXPECT--
ValueError: no other keys than "separator", "point", "missing", "decimals", "time" and "offsets"
ValueError: no other keys than "separator", "point", "missing", "decimals", "time" and "offsets"
TypeError: "separator" of type string, int given
ValueError: "separator" without null bytes
ValueError: separator is not valid UTF-8
TypeError: "point" of type string, null given
TypeError: "missing" of type string, array given
TypeError: "decimals" of type ?int, string given
ValueError: "decimals" of 0 or more
ValueError: decimals must be at most 22
ValueError: decimals must be at most 22
ValueError: "time" as "unix", "excel" or "iso8601"
TypeError: "time" of type string, int given
TypeError: "offsets" of type array, int given
ValueError: "offsets" as a list of [time, seconds east of UTC, at most a day]
ValueError: "offsets" as a list of [time, seconds east of UTC, at most a day]
ValueError: "offsets" as a list of [time, seconds east of UTC, at most a day]
ValueError: "offsets" as a list of [time, seconds east of UTC, at most a day]
ValueError: offsets must ascend, but number 1 (from 0) follows one from 0
ValueError: no other keys than "separator", "point", "missing", "decimals", "time" and "offsets"
ValueError: Emonfeed\Feed::windowsCsv(): Argument #6 ($format) must hold no other keys than "separator", "point", "missing", "decimals", "time" and "offsets"
ValueError: Emonfeed\Feed::windowsAtCsv(): Argument #4 ($format) must hold no other keys than "separator", "point", "missing", "decimals", "time" and "offsets"
ValueError: Emonfeed\Feed::valuesAtCsv(): Argument #4 ($format) must hold no other keys than "separator", "point", "missing", "decimals", "time" and "offsets"
ValueError: Emonfeed\Feed::rowsCsv(): Argument #4 ($given) must be 0 or more
ValueError: an interval must be at least 1 second, not 0
ValueError: edges must ascend, but edge 1 (0) follows edge 0 (1)
ValueError: Emonfeed\Feed::windowsCsv(): Argument #5 ($flags) must be a combination of Emonfeed\Feed::CLOSED_END, SKIP_MISSING, TRUE_TIME and CLIP_END
