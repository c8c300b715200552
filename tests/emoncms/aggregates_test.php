<?php
// get_data_aggregate, which emoncms's own engines have not: each aggregate over
// windows of every length, and the latest reading at each edge.

require __DIR__ . '/harness.php';
require __DIR__ . '/feeds.php';

const AGGREGATES = ['first', 'last', 'average', 'min', 'max', 'sum', 'count', 'previous'];

function compare(TestFeed $feed, string $what, $start, $end, $interval, $zone = 'UTC'): void
{
    foreach (AGGREGATES as $aggregate) {
        $sum = in_array($aggregate, ['average', 'sum'], true);
        foreach ([[1, 0, 'unix'], [2, 0, 'unix'], [2, 1, 'unix'], [1, 1, 'notime']] as [$limit, $skip, $format]) {
            $expected = Expected::aggregate($feed->truth, $start, $end, $interval, $aggregate, $zone, $limit);
            $arguments = [$start, $end, $interval, $aggregate, $zone, $format, false, $skip, $limit];
            check(
                sprintf('%s, %s: get_data_aggregate(%d, %s)', $feed->name, $what, $feed->id, substr(json_encode($arguments), 1, -1)),
                Expected::as_asked($expected, $skip, $format),
                $feed->engine->get_data_aggregate($feed->id, ...$arguments),
                $sum ? 'nearly' : 'same_single'
            );
        }
    }
}

Parents::$forbidden = true;
$make = new Feeds(connect());
foreach ($make->all() as $feed) {
    $requests = window_requests($feed);
    foreach (['from before to after', 'over the end', 'edges on rows', 'one moment', 'end before start', 'interval 0'] as $what) {
        compare($feed, $what, ...$requests[$what]);
    }
    for ($i = 0; $i < 3; $i++) {
        compare($feed, 'at random', ...random_windows($feed));
    }
}
$clocks_change = Zone::called('Europe/London')->changes(gmmktime(0, 0, 0, 1, 1, 2024), gmmktime(0, 0, 0, 1, 1, 2025));
foreach ($make->long($clocks_change) as $feed) {
    foreach ($clocks_change as $moment) {
        compare($feed, 'days', $moment - 3 * 86400 - 5, $moment + 3 * 86400, 'daily', 'Europe/London');
        compare($feed, 'weeks', $moment - 20 * 86400, $moment + 20 * 86400, 'weekly', 'Europe/London');
        compare($feed, 'months', $moment - 90 * 86400, $moment + 90 * 86400, 'monthly', 'Australia/Lord_Howe');
        compare($feed, 'years', $moment - 1000 * 86400, $moment + 900 * 86400, 'annual', 'Asia/Kathmandu');
    }
    foreach (['', 'First', 'median', 0, null] as $unknown) {
        $answer = $feed->engine->get_data_aggregate($feed->id, 0, 100, 10, $unknown);
        check("$feed->name: no aggregate " . brief($unknown), [false, 'string'], [$answer['success'], gettype($answer['message'])]);
    }
}
finish();
