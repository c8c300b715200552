<?php
// Days, weeks, months and years in several time zones, around the changes of
// their clocks: get_data_combined and get_data_DMY_time_of_day.

require __DIR__ . '/harness.php';
require __DIR__ . '/feeds.php';

/** Zones, and the years whose changes are looked at. */
const ZONES = [
    'UTC' => [2024, 2024],
    'Europe/London' => [2024, 2024],
    'America/New_York' => [2024, 2024],
    'Australia/Lord_Howe' => [2024, 2024],
    'Asia/Kathmandu' => [2024, 2024],
    // No midnight in spring, and in Havana two in autumn.
    'Africa/Cairo' => [2023, 2023],
    'America/Sao_Paulo' => [2017, 2018],
    'America/Havana' => [2024, 2024],
    // One minute after midnight it was one minute past eleven again.
    'America/St_Johns' => [2010, 2010],
    // No 30 December 2011 at all.
    'Pacific/Apia' => [2011, 2011],
];

/** The moments to look around: the zone's changes, or a day like any other. @return list<int> */
function moments(string $zone): array
{
    [$first, $last] = ZONES[$zone];
    return Zone::called($zone)->changes(gmmktime(0, 0, 0, 1, 1, $first), gmmktime(0, 0, 0, 1, 1, $last + 1))
        ?: [gmmktime(3, 4, 5, 2, 28, $first)];
}

/** @return list<array{0: int, 1: int, 2: string}> start, end, interval, around a moment */
function requests(string $zone, int $moment): array
{
    $midnight = Zone::called($zone)->edges($moment, $moment, 'daily')[0];
    $requests = [];
    foreach ([$midnight, $midnight - 1, $midnight + 1, $moment - 1, $moment, $moment + 3600, $moment - 2 * 86400] as $start) {
        $requests[] = [$start, $start + mt_rand(0, 4 * 86400), 'daily'];
        $requests[] = [$start, Zone::called($zone)->edges($start, $start + 200000, 'daily')[2], 'daily'];
    }
    $requests[] = [$midnight, $midnight, 'daily'];
    $requests[] = [$moment - 2 * 86400 - mt_rand(0, 86400), $moment + 3 * 86400, 'daily'];
    for ($days = 0; $days < 8; $days++) {
        $requests[] = [$moment - $days * 86400, $moment + 10 * 86400, 'weekly'];
    }
    $requests[] = [$moment - mt_rand(30, 90) * 86400, $moment + 90 * 86400, 'monthly'];
    $requests[] = [$midnight, $moment + 40 * 86400, 'monthly'];
    $requests[] = [$moment, $moment, 'annual'];
    $requests[] = [$moment - mt_rand(300, 900) * 86400, $moment + 900 * 86400, 'annual'];
    return $requests;
}

/** [method's arguments after the zone] for the values within a day. */
function splits(): array
{
    return ['[0]', '[0, 8.2, 16.3333]', '[-1.5, 24, 25]', '["7", "19.75"]', '[]'];
}

function check_time_of_day(TestFeed $feed, string $what, $start, $end, $mode, $zone, $split): void
{
    $expected = Expected::time_of_day($feed->truth, $feed->id, $start, $end, $mode, $zone, $split);
    // Today's parents are called with a time format, older ones without.
    foreach ([['unix', $split], [$split]] as $rest) {
        check(
            sprintf('%s, %s: get_data_DMY_time_of_day(%d, %d, %d, %s, %s, %s)', $feed->name, $what, $feed->id, $start, $end, $mode, $zone, json_encode($rest)),
            $expected,
            $feed->engine->get_data_DMY_time_of_day($feed->id, $start, $end, $mode, $zone, ...$rest),
            'on_a_line'
        );
    }
}

/** Every question of a zone's moment, to the feeds given. */
function compare(array $feeds, string $zone, int $moment): void
{
    foreach (requests($zone, $moment) as $i => [$start, $end, $unit]) {
        foreach ($feeds as $feed) {
            foreach ([0, 1] as $average) {
                $limit = $i % 3;
                $expected = $feed->combined($start, $end, $unit, $average, $zone, $limit);
                check_combined($feed, "$unit in $zone", $expected, $start, $end, $unit, $average, $zone, $limit);
            }
            if ($feed->is_mysql()) {
                check_time_of_day($feed, "times of day in $zone", $start, $end, $unit, $zone, splits()[$i % 5]);
            }
        }
    }
}

Parents::$forbidden = true;
$make = new Feeds(connect());
$all_moments = array_merge(...array_map('moments', array_keys(ZONES)));
$long = $make->long($all_moments);
foreach ($long as $feed) {
    check_that("$feed->name: its rows are out of order", !(new Emonfeed\Feed($feed->file()))->meta()['sorted']);
}
foreach (array_keys(ZONES) as $zone) {
    foreach (moments($zone) as $moment) {
        compare($long, $zone, $moment);
    }
}

// The other feeds lie within a few days of November 2023.
$feeds = $make->all();
foreach ($feeds as $feed) {
    $days = [
        [$feed->begin() - 3 * 86400, $feed->finish() + 86400],
        [$feed->begin(), $feed->begin()],
        [$feed->finish() + 86400, $feed->finish() + 3 * 86400],
    ];
    foreach ($days as [$start, $end]) {
        // The ends of time are too far from each other to count the days between.
        $start = max($start, $end - 40 * 86400);
        foreach (['daily', 'weekly', 'monthly', 'annual'] as $unit) {
            foreach (['UTC', 'America/New_York', 'Etc/GMT+5', '+05:30', 0] as $zone) {
                foreach ([0, 1] as $average) {
                    check_combined($feed, $unit, $feed->combined($start, $end, $unit, $average, $zone, 1), $start, $end, $unit, $average, $zone);
                }
                if ($feed->is_mysql()) {
                    check_time_of_day($feed, $unit, $start, $end, $unit, $zone, '[-1.5, 0, 6.5]');
                }
            }
        }
    }
}

foreach (array_filter($feeds, fn ($feed) => $feed->is_mysql()) as $feed) {
    [$b, $e] = [$feed->begin() - 86400, $feed->finish()];
    $forty_eight = json_encode(range(0, 23.5, 0.5));
    foreach (
        [
            'forty-eight points' => [$e - 86400, $e, 'daily', 'UTC', $forty_eight],
            'forty-nine points' => [$e - 86400, $e, 'daily', 'UTC', str_replace(']', ',24]', $forty_eight)],
            'no list' => [$e - 86400, $e, 'daily', 'UTC', '{"a": 1}'],
            'no JSON' => [$e - 86400, $e, 'daily', 'UTC', 'morning'],
            'no unit' => [$e - 86400, $e, '3600', 'UTC', '[0]'],
            'an unknown unit' => [$e - 86400, $e, 'hourly', 'UTC', '[0]'],
        ] as $what => $arguments
    ) {
        check_time_of_day($feed, $what, ...$arguments);
    }
}

// A hundred thousand days are as many as one answer holds.
foreach (['regular (today)', 'regular (php)'] as $name) {
    [$feed] = array_values(array_filter($feeds, fn ($feed) => $feed->name === $name));
    foreach ([0, 1] as $average) {
        $answer = $feed->engine->get_data_combined($feed->id, 0, 86400 * 99999, 'daily', $average);
        check("$name: a hundred thousand days, average $average", [100000, [86400 * 99999, null]], [count($answer), end($answer)]);
        $answer = $feed->engine->get_data_combined($feed->id, 0, 86400 * 100000, 'daily', $average);
        check("$name: a day more, average $average", [false, 'string'], [$answer['success'] ?? null, gettype($answer['message'] ?? null)]);
    }
}
finish();
