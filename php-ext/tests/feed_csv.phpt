--TEST--
windowsCsv(), windowsAtCsv() and valuesAtCsv() write what the arrays hold, as emoncms would
--FILE--
<?php
require 'feeds.inc';
use Emonfeed\Feed;
$folder = folder('feed_csv');
$values = [0.1, -0.1, 0, -0.004, 3, 16777215, 1e25, 0.285, 123456.789, null, 2.5, 99.995];
$rows = [];
foreach ($values as $i => $value) {
    $rows[] = [1711845000 + 1800 * $i, $value];  // summer time begins at 01:00 UTC
}
$feed = new Feed(write_feed($folder, 1, $rows));
$start = $rows[0][0];

/* The same in PHP's own words. */
function csv(array $points, array $format): string
{
    $zone = new DateTime('now', new DateTimeZone('Europe/London'));
    $text = '';
    foreach ($points as [$time, $value]) {
        $zone->setTimestamp($time);
        $text .= match ($format['time'] ?? 'unix') {
            'unix' => $time,
            'excel' => $zone->format('d/m/Y H:i:s'),
            'iso8601' => $zone->format('c'),
        };
        $text .= $format['separator'] ?? ',';
        if ($value === null) {
            $text .= $format['missing'] ?? '';
        } elseif (isset($format['decimals'])) {
            $text .= number_format($value, $format['decimals'], $format['point'] ?? '.', '');
        } else {
            $text .= str_replace('.', $format['point'] ?? '.', json_encode($value));
        }
        $text .= "\n";
    }
    return $text;
}

$transitions = (new DateTimeZone('Europe/London'))->getTransitions($start, $start + 86400);
$offsets = array_map(fn ($t) => [$t['ts'], $t['offset']], $transitions);
$edges = [$start - 900, $start, $start + 3000, $start + 7200, $start + 7201, $start + 86400];
foreach ([
    [],
    ['decimals' => 2],
    ['decimals' => 0, 'missing' => 'null'],
    ['decimals' => null, 'point' => ',', 'separator' => ';'],
    ['decimals' => 3, 'point' => '::', 'separator' => "\t ", 'missing' => 'NaN'],
    ['time' => 'excel', 'offsets' => $offsets],
    ['time' => 'iso8601', 'offsets' => $offsets, 'decimals' => 2],
    ['time' => 'unix', 'offsets' => $offsets],
] as $format) {
    foreach (range(Feed::FIRST, Feed::COUNT) as $aggregate) {
        foreach ([0, Feed::SKIP_MISSING, Feed::TRUE_TIME | Feed::CLOSED_END] as $flags) {
            if ($feed->windowsCsv($start - 600, $start + 30000, 900, $aggregate, $flags, $format)
                !== csv($feed->windows($start - 600, $start + 30000, 900, $aggregate, $flags), $format)) {
                echo "windows differ: $aggregate $flags ", json_encode($format), "\n";
            }
            if ($feed->windowsAtCsv($edges, $aggregate, $flags, $format)
                !== csv($feed->windowsAt($edges, $aggregate, $flags), $format)) {
                echo "windowsAt differ: $aggregate $flags ", json_encode($format), "\n";
            }
        }
    }
    foreach (range(Feed::NEXT, Feed::EXACT) as $mode) {
        foreach ([0, Feed::SKIP_MISSING, Feed::TRUE_TIME] as $flags) {
            if ($feed->valuesAtCsv($edges, $mode, $flags, $format) !== csv($feed->valuesAt($edges, $mode, $flags), $format)) {
                echo "valuesAt differ: $mode $flags ", json_encode($format), "\n";
            }
        }
    }
}
echo $feed->windowsCsv($start, $start + 5400, 1800, Feed::FIRST, 0, ['time' => 'iso8601', 'offsets' => $offsets, 'decimals' => 2]);
echo $feed->windowsCsv($start, $start, 1800);
var_dump($feed->windowsCsv($start, $start - 1, 1800));

// The caller's array stays as it is, and references do no harm.
$decimals = 1;
$pair = $offsets[0];
$format = ['decimals' => &$decimals, 'offsets' => [&$pair]];
echo $feed->valuesAtCsv([$start], Feed::EXACT, 0, $format);
var_dump($format === ['decimals' => 1, 'offsets' => [$offsets[0]]]);
?>
--EXPECT--
2024-03-31T00:30:00+00:00,0.10
2024-03-31T02:00:00+01:00,-0.10
2024-03-31T02:30:00+01:00,0.00
2024-03-31T03:00:00+01:00,0.00
1711845000,0.1
string(0) ""
1711845000,0.1
bool(true)
