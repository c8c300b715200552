<?php
// get_data_combined with a number for its interval: samples and averages.

require __DIR__ . '/harness.php';
require __DIR__ . '/feeds.php';

function compare(TestFeed $feed, string $what, $start, $end, $interval): void
{
    foreach ([0, 1, 2] as $limit) {
        check_combined($feed, $what, $feed->combined($start, $end, $interval, 0, 'UTC', $limit), $start, $end, $interval, 0, 'UTC', $limit);
    }
    check_combined($feed, "$what, averages", $feed->combined($start, $end, $interval, 1, 'UTC', 1), $start, $end, $interval, 1);
    check_combined($feed, "$what, averages", $feed->combined($start, $end, $interval, 1, 'UTC', 1), $start, $end, $interval, '1', 'Europe/London', 2);
}

Parents::$forbidden = true;
$feeds = (new Feeds(connect()))->all();
foreach ($feeds as $feed) {
    foreach (window_requests($feed) as $what => $request) {
        compare($feed, $what, ...$request);
    }
    for ($i = 0; $i < 8; $i++) {
        compare($feed, 'at random', ...random_windows($feed));
    }
}
finish();
