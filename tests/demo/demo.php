<?php
// A year of readings from PHP: the call emoncms made in 2013, and daily
// averages. Usage: php demo.php FOLDER ANSWER.json

declare(strict_types=1);

use Emonfeed\Feed;

function fail(string $why): never
{
    fwrite(STDERR, "demo.php: $why\n");
    exit(1);
}

/** Calls, prints how long it took, and again, when the pages are mapped already. */
function timed(string $what, callable $call): mixed
{
    $answers = $times = [];
    for ($i = 0; $i < 2; $i++) {
        $begin = hrtime(true);
        $answers[] = $call();
        $times[] = (hrtime(true) - $begin) / 1e6;
    }
    if ($answers[0] !== $answers[1]) {
        fail("two equal calls gave different answers: $what");
    }
    printf("  %s\n    %s answers in %.2f ms, asked again in %.2f ms\n",
        $what, count($answers[0]), ...$times);
    return $answers[0];
}

[, $folder, $file] = $argv;
ini_set('precision', '-1');

$feed = new Feed("$folder/feed_1.MYD");
$meta = $feed->meta();
[$start, $end] = [$meta['start_time'], $meta['end_time']];
printf("  feed_1 holds %s rows, from %s to %s\n", number_format($meta['npoints']),
    gmdate('j F Y H:i:s', $start), gmdate('j F Y H:i:s', $end));

$points = timed("emonfeed_get_feed_data(1, {$start}000, {$end}000, 1000)",
    fn () => emonfeed_get_feed_data(1, $start * 1000, $end * 1000, 1000));
foreach ([0, 1, 2] as $i) {
    printf("      [%d, %s]\n", ...$points[$i]);
}

$days = timed("\$feed->windows($start, $end, 86400, Feed::AVERAGE)",
    fn () => $feed->windows($start, $end, 86400, Feed::AVERAGE));
foreach ([0, 1, 2] as $i) {
    printf("      %s  %6.2f W\n", gmdate('j M', $days[$i][0]), $days[$i][1]);
}

// A 2013 call for about 1000 points, and the 365 days of 2025.
if ($meta['npoints'] !== 3153600 || count($points) !== 1000 || count($days) !== 365) {
    fail('this is not what a year of readings holds');
}
file_put_contents($file, $feed->windowsJson($start, $end, 86400, Feed::AVERAGE));
