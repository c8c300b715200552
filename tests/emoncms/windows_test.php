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
    $kind = strtok($feed->name, ' ');
    if ($kind === 'unsorted' || $kind === 'edited') {
        check("$feed->name: whether its rows are in order", $kind === 'edited', (new Emonfeed\Feed($feed->file()))->meta()['sorted']);
    }
    foreach (window_requests($feed) as $what => $request) {
        compare($feed, $what, ...$request);
    }
    for ($i = 0; $i < 8; $i++) {
        compare($feed, 'at random', ...random_windows($feed));
    }
}

foreach ($feeds as $feed) {
    [$b, $step] = [$feed->begin(), max(1, intdiv($feed->finish() - $feed->begin(), 10))];
    check(
        "$feed->name: without the arguments that may be left out",
        $feed->combined($b, $b + 12 * $step, $step, 0, 'UTC', 1),
        $feed->engine->get_data_combined($feed->id, $b, $b + 12 * $step, $step),
        'same_single'
    );
    foreach ([0, 1] as $average) {
        $answer = $feed->engine->get_data_combined($feed->id, 0, 4294967295, 1, $average);
        check("$feed->name: too many windows, average $average", [false, 'string'], [$answer['success'] ?? null, gettype($answer['message'] ?? null)]);
    }
}
finish();
