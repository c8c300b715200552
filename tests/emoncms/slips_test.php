<?php
// Where emoncms's own engines slip, the classes do not follow. One small feed
// for each slip, with its right answer written out.

require __DIR__ . '/harness.php';
require __DIR__ . '/feeds.php';

Parents::$forbidden = true;
$make = new Feeds(connect());

/** A feed of one kind with these rows, in this order. */
function feed(string $kind, array $rows): TestFeed
{
    global $make;
    return $make->make('slip', fn () => $rows, null, [$kind])[0];
}

/** @param mixed ...$arguments of get_data_combined behind the feed's id */
function combined(TestFeed $feed, ...$arguments)
{
    return $feed->engine->get_data_combined($feed->id, ...$arguments);
}

$feed = feed('today', [[100, 1.0], [110, 2.0], [125, 6.0]]);
check(
    'MysqlTimeSeries has no averages unless start is a multiple of the interval',
    [[95, 1.5], [115, 6.0], [135, null]],
    combined($feed, 95, 135, 20, 1)
);

$feed = feed('2013', [[100, null], [110, null], [120, 3.0]]);
check(
    'MysqlTimeSeries takes 0 for the average of NULLs',
    [[100, null], [120, 3.0]],
    combined($feed, 100, 130, 20, 1)
);

$feed = feed('2013', [[86390, 4.0], [86410, null], [172790, 10.0], [172810, 20.0]]);
check(
    'MysqlTimeSeries takes a NULL for 0 between two rows',
    [[0, null], [86400, null], [172800, 15.0]],
    combined($feed, 0, 172800, 'daily')
);
check(
    '... in times of day too',
    [[86400, [null, 10.0, null]]],
    $feed->engine->get_data_DMY_time_of_day($feed->id, 86400, 86400, 'daily', 'UTC', 'unix', json_encode([0, 86390 / 3600, 24.1]))
);

foreach (['today', 'php'] as $kind) {
    $feed = feed($kind, [[100, 16777215.0], [110, 0.1]]);
    check("$kind: a FLOAT has more than SQL's six digits", [[100, 16777215.0], [110, 0.1]], combined($feed, 100, 115, 10));
    check("$kind: ... and PHP's 0.10000000149011612 is no digit of it", ['time' => 110, 'value' => 0.1], $feed->engine->lastvalue($feed->id));
}

foreach (['2013', 'today'] as $kind) {
    $feed = feed($kind, [[200, 2.0], [300, 3.0], [100, 1.0]]);
    $meta = $feed->engine->get_meta($feed->id);
    check("$kind: the first row of the table need not be the earliest", [100, 300], [$meta->start_time, $meta->end_time]);

    $feed = feed($kind, [[90000, 7.5]]);
    check("$kind: one row has an end as well", 90000, $feed->engine->get_meta($feed->id)->end_time);
    check("$kind: one row has a day", [[86400, 7.5]], combined($feed, 90000, 90000, 'daily', 1));
    check("$kind: ... and no sample at its midnight", [[86400, null]], combined($feed, 90000, 90000, 'daily'));

    $feed = feed($kind, [[86000, 1.0], [100000, 3.0]]);
    check(
        "$kind: behind the last row the times of day end with an empty list",
        [[86400, [1.0 + 2 * 400 / 14000, null]], [172800, [null, null]], [259200, [null, null]]],
        $feed->engine->get_data_DMY_time_of_day($feed->id, 86400, 259200, 'daily', 'UTC', 'unix', '[0, 12]'),
        'nearly'
    );
    check(
        "$kind: on the last row there is none of them",
        [[86400, [null]]],
        $feed->engine->get_data_DMY_time_of_day($feed->id, 86400, 86400, 'daily', 'UTC', 'unix', json_encode([13600 / 3600]))
    );
    $feed = feed($kind, [[84600, 1.0], [100000, 3.0]]);
    check(
        "$kind: on the first row there is one, before it none",
        [[86400, [1.0, null]]],
        $feed->engine->get_data_DMY_time_of_day($feed->id, 86400, 86400, 'daily', 'UTC', 'unix', '[-0.5, -1]')
    );
}

$feed = feed('2013', [[100, 1.0]]);
connect()->query("INSERT INTO feed_$feed->id VALUES (NULL, 5)");
check('A row without a time is none', 1, $feed->engine->get_meta($feed->id)->npoints);

$feed = feed('php', [[100, 1.0], [110, 2.0], [119, 9.0], [125, 5.0]]);
check(
    'PHPTimeSeries counts the last row before an edge to the next window',
    [[100, 4.0], [120, 5.0]],
    combined($feed, 100, 139, 20, 1)
);

$feed = feed('php', [[100, null], [105, 3.0], [130, null]]);
check('PHPTimeSeries answers NAN, which no JSON can hold', [[100, null], [120, null]], combined($feed, 100, 139, 20));
check('... and leaves it out of averages', [[100, 3.0], [120, null]], combined($feed, 100, 139, 20, 1));
check('... lastvalue', ['time' => 130, 'value' => null], $feed->engine->lastvalue($feed->id));
check('... get_value', [null, 3.0, null], array_map(fn ($time) => $feed->engine->get_value($feed->id, $time), [100, 101, 106]));
check('... get_meta', null, $feed->engine->get_meta($feed->id)->end_value);

$feed = feed('php', [[200, 2.0], [300, 3.0], [100, 1.0]]);
check('PHPTimeSeries finds no rows that are out of order', [[100, 1.0], [200, 2.0], [300, 3.0]], combined($feed, 100, 300, 100));
check('... the latest of them', ['time' => 300, 'value' => 3.0], $feed->engine->lastvalue($feed->id));

$feed = feed('php', [[1704070000, 1.0], [1715300000, 2.0]]);
check(
    'PHPTimeSeries begins its years with the month of start',
    [[1704067200, 1.0], [1735689600, null]],
    combined($feed, 1715299200, 1735689600, 'annual')
);

foreach (['today', 'php'] as $kind) {
    // 25 to 28 April 2024: Cairo's 26th begins at one o'clock.
    $feed = feed($kind, [[1713992400, 1.0], [1714082400, 2.0], [1714165200, 3.0], [1714251600, 4.0], [1714338000, 5.0]]);
    check(
        "$kind: behind a day without midnight the days begin at one o'clock for ever",
        [1713996000, 1714082400, 1714165200, 1714251600],
        array_column(combined($feed, 1714000000, 1714300000, 'daily', 0, 'Africa/Cairo'), 0)
    );
}
finish();
