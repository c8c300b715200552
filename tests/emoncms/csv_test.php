<?php
// What the classes send as a file: get_data_combined and get_data_aggregate as
// CSV, and export. Each in a process of its own (answer.php), with little
// memory, as they exit.

require __DIR__ . '/harness.php';
require __DIR__ . '/feeds.php';

const SETTINGS = [
    'as emoncms has them' => ['csv_decimal_places' => 2, 'csv_decimal_place_separator' => '.', 'csv_field_separator' => ','],
    'of the continent' => ['csv_decimal_places' => 3, 'csv_decimal_place_separator' => ',', 'csv_field_separator' => ';'],
    'with whole numbers and tabs' => ['csv_decimal_places' => '0', 'csv_decimal_place_separator' => '.', 'csv_field_separator' => "\t"],
];

/** The text that $method sends, or RETURNED and its answer. */
function sent(TestFeed $feed, string $method, array $arguments, string $settings = 'as emoncms has them', bool $fallback = false): string
{
    $question = [
        'place' => $feed->place, 'method' => $method, 'arguments' => array_merge([$feed->id], $arguments),
        'feed' => SETTINGS[$settings], 'fallback' => $fallback,
    ];
    [$output, $errors, $code] = run_php(['-d', 'memory_limit=8M', __DIR__ . '/answer.php'], json_encode($question, JSON_PRESERVE_ZERO_FRACTION));
    check("$feed->name: $method runs quietly", ['', 0], [$errors, $code]);
    return $output;
}

/** Compares two texts by the first line that differs. */
function check_text(string $what, string $expected, string $got): void
{
    $lines = explode("\n", $got);
    foreach ($expected === $got ? [] : explode("\n", $expected) as $i => $line) {
        if ($line !== ($lines[$i] ?? null)) {
            check("$what, line " . ($i + 1), $line, $lines[$i] ?? 'no such line');
            return;
        }
    }
    check($what, strlen($expected), strlen($got));
}

/** The points of get_data_combined as emoncms writes them. */
function csv(array $points, string $settings, string $format, string $zone): string
{
    ['csv_decimal_places' => $decimals, 'csv_decimal_place_separator' => $point, 'csv_field_separator' => $separator] = SETTINGS[$settings];
    $text = '';
    foreach ($points as [$time, $value]) {
        $number = $value === null ? 'null' : number_format($value, (int)$decimals, $point, '');
        $text .= time_text($time, $format, $zone) . $separator . $number . "\n";
    }
    return $text;
}

function time_text(int $time, string $format, string $zone): string
{
    $offset = Zone::called($zone)->offset($time);
    switch ($format) {
        case 'excel':
            return gmdate('d/m/Y H:i:s', $time + $offset);
        case 'iso8601':
            $east = sprintf('%s%02d:%02d', $offset < 0 ? '-' : '+', intdiv(abs($offset), 3600), intdiv(abs($offset), 60) % 60);
            return gmdate('Y-m-d\TH:i:s', $time + $offset) . $east;
        default:
            return (string)$time;
    }
}

function check_csv(TestFeed $feed, string $what, $start, $end, $interval, int $average = 0, string $zone = 'UTC', string $format = 'unix', int $skip = 0, int $limit = 1, string $settings = 'as emoncms has them'): void
{
    $points = Expected::as_asked($feed->combined($start, $end, $interval, $average, $zone, $limit), $skip, 'unix');
    $expected = $points === false || isset($points['success']) ? 'RETURNED ' . json_encode($points) : csv($points, $settings, $format, $zone);
    $arguments = [$start, $end, $interval, $average, $zone, $format, true, $skip, $limit];
    check_text("$feed->name, $what: " . json_encode($arguments), $expected, sent($feed, 'get_data_combined', $arguments, $settings));
}

/** Times and values of every row as export writes them: all digits, nothing for no value. */
function check_export(TestFeed $feed, string $what, int $start): void
{
    $rows = $feed->truth->rows("time >= $start");
    $got = sent($feed, 'export', [$start]);
    $lines = explode("\n", $got);
    check("$feed->name, $what: the text ends with a line", '', array_pop($lines));
    check("$feed->name, $what: number of lines", count($rows), count($lines));
    foreach ($rows as $i => [$time, $value]) {
        [$text_time, $text] = explode(',', $lines[$i] ?? ',') + ['', ''];
        // 1e25 has several good spellings.
        $right = $value === null ? $text === '' : is_numeric($text)
            // MariaDB 11.8 does not tell the sign of a zero.
            && (same_single($value, (float)$text) || ($value == 0 && (float)$text == 0));
        if ($text_time !== (string)$time || !$right) {
            check("$feed->name, $what: line " . ($i + 1), "$time," . json_encode($value), $lines[$i] ?? 'no such line');
            return;
        }
    }
}

$db = connect();
$make = new Feeds($db);
[$autumn] = array_slice(Zone::called('Europe/London')->changes(1700000000, 1740000000), 1, 1);
$rounding = [
    0.0, -0.0, 0.005, -0.005, 0.015, 1.005, 2.5, 3.5, -2.5, 0.125, 0.4999, -0.004, 999.995, 16777215.0, 1e15, 123456789012.0,
    1e25, 3.4e38, 1e-45, -1e-10, 0.1, 5.0015, 1.0005, 4.35, 8.345, 100.0, 0.9999999,
];
$numbers = $make->make('numbers', function () use ($autumn, $rounding): array {
    $rows = [];
    foreach ($rounding as $i => $value) {
        $rows[] = [$autumn - 3600 + 300 * $i, $value];
    }
    $rows[] = [$autumn + 86400, null];
    return $rows;
}, null, ['2013', 'php']);
foreach ($numbers as $feed) {
    [$b, $e] = [$feed->begin(), $feed->finish()];
    foreach (array_keys(SETTINGS) as $settings) {
        check_csv($feed, "numbers $settings", $b, $b + 8400, 300, 0, 'UTC', 'unix', 0, 1, $settings);
        check_csv($feed, "averages $settings", $b, $b + 8400, 1200, 1, 'UTC', 'unix', 0, 1, $settings);
    }
    foreach (['unix', 'excel', 'iso8601', 'notime', 'unixms'] as $format) {
        foreach (['Europe/London', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'UTC', 'Etc/GMT+5', '-03:30'] as $zone) {
            check_csv($feed, "times in $zone", $b - 60, $b + 7200, 600, 0, $zone, $format);
        }
    }
    foreach (['daily', 'weekly', 'monthly', 'annual'] as $unit) {
        foreach ([0, 1] as $average) {
            check_csv($feed, $unit, $b - 20 * 86400, $e + 86400, $unit, $average, 'Australia/Lord_Howe', 'iso8601', 0, 2);
            check_csv($feed, $unit, $b - 20 * 86400, $e + 86400, $unit, $average, 'Europe/London', 'excel', 1);
        }
    }
    check_csv($feed, 'more days than a piece', $b - 2000 * 86400, $e + 300 * 86400, 'daily', 1, 'Europe/London', 'iso8601');
    check_csv($feed, 'true times', $b - 7, $b + 3000, 250, 0, 'UTC', 'excel', 0, 2);
    check_csv($feed, 'without what is missing', $b - 1000, $b + 3000, 100, 0, 'UTC', 'unix', 1);
    check_csv($feed, 'end before start', $b + 10, $b, 10);
    foreach (['max', 'count', 'previous'] as $aggregate) {
        $points = Expected::aggregate($feed->truth, $b - 1500, $e + 9000, 700, $aggregate);
        foreach ([0, 1] as $skip) {
            check_text(
                "$feed->name: $aggregate, skipmissing $skip",
                csv(Expected::as_asked($points, $skip, 'unix'), 'of the continent', 'iso8601', 'Europe/London'),
                sent($feed, 'get_data_aggregate', [$b - 1500, $e + 9000, 700, $aggregate, 'Europe/London', 'iso8601', true, $skip], 'of the continent')
            );
        }
    }
}

foreach ($make->all() as $feed) {
    $step = max(1, intdiv($feed->finish() - $feed->begin(), 30));
    check_csv($feed, 'all of it', $feed->begin() - $step, $feed->finish() + $step, $step, 0, 'America/New_York', 'iso8601');
    check_csv($feed, 'averages', $feed->begin(), $feed->begin() + 1800, 90, 1, 'Europe/London', 'excel', 1);
    check_csv($feed, 'days', $feed->begin(), $feed->begin() + 100000, 'daily', 0, 'America/New_York', 'iso8601');
    if ($feed->is_mysql()) {
        check_export($feed, 'all of it', 0);
        check_export($feed, 'from a row on', $feed->times[3] ?? 1);
        check_export($feed, 'from before a row on', ($feed->times[3] ?? 1) - 1);
        check_export($feed, 'beyond the end', $feed->finish() + 1);
    } else {
        $bytes = file_get_contents($feed->file());
        file_put_contents($feed->file(), "\xf9\x01", FILE_APPEND);
        foreach ([0, -20, 8, 9, 100, strlen($bytes), strlen($bytes) + 100] as $start) {
            $expected = (string)substr($bytes, max(0, intdiv($start, 9) * 9));
            check("$feed->name: export($feed->id, $start)", md5($expected), md5(sent($feed, 'export', [$start])));
        }
    }
}

// More than one piece of everything, and times twice wherever a piece may end.
$many = $make->make('many', function (): array {
    for ($i = 0; $i < 90000; $i++) {
        $rows[] = [1500000000 + intdiv($i, 3) * 7, $i % 1000 / 8];
    }
    return $rows;
}, null, ['2013', 'php']);
$rows = $many[0]->truth->rows('TRUE');
foreach ($many as $feed) {
    if ($feed->is_mysql()) {
        check_export($feed, 'all of it', 0);
    } else {
        check("$feed->name: export", md5(file_get_contents($feed->file())), md5(sent($feed, 'export', [0])));
    }
    // From here on no statement for each window: there are too many.
    [$start, $end] = [1500000000 - 35000, 1500000000 + 210000 + 35001];
    $first = $sum = [];
    foreach ($rows as [$time, $value]) {
        $window = intdiv($time - $start, 5);
        $first[$window] ??= [$time, $value];
        $sum[$window][] = $value;
        if ($feed->is_mysql() && ($time - $start) % 5 === 0) {
            $first[$window - 1] ??= [$time, $value];
        }
    }
    foreach ([0, 1] as $average) {
        foreach ([0, 1] as $skip) {
            $points = [];
            for ($window = 0; $start + 5 * $window <= $end; $window++) {
                $value = $average ? (isset($sum[$window]) ? array_sum($sum[$window]) / count($sum[$window]) : null) : $first[$window][1] ?? null;
                if ($value !== null || !$skip) {
                    $points[] = [$start + 5 * $window, $value];
                }
            }
            check_text(
                sprintf('%s: %d windows, average %d, skipmissing %d', $feed->name, count($points), $average, $skip),
                csv($points, 'of the continent', 'excel', 'America/New_York'),
                sent($feed, 'get_data_combined', [$start, $end, 5, $average, 'America/New_York', 'excel', true, $skip, 1], 'of the continent')
            );
        }
    }
    foreach ([1, 2] as $limit) {
        $points = $counts = [];
        $latest = [null, null];
        for ($window = $i = 0; $start + 5 * $window <= $end; $window++) {
            $edge = $start + 5 * $window;
            while ($i < count($rows) && $rows[$i][0] <= $edge) {
                $latest = $rows[$i++];
            }
            $points[] = [$limit === 2 ? $latest[0] ?? $edge : $edge, $latest[1]];
            $counts[] = [$edge, (float)count($sum[$window] ?? [])];
        }
        foreach (['previous' => $points, 'count' => $counts] as $aggregate => $expected) {
            check_text(
                "$feed->name: $aggregate, limitinterval $limit",
                csv($expected, 'as emoncms has them', 'unix', 'UTC'),
                sent($feed, 'get_data_aggregate', [$start, $end, 5, $aggregate, 'UTC', 'unix', true, 0, $limit])
            );
        }
    }
}
finish();
