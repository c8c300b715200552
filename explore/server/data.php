<?php

declare(strict_types=1);

namespace Emonfeed\Explore;

use Emonfeed\Feed;

/** What is drawn of a feed, as JSON. */

const SPARKLINE_POINTS = 120;
const WEEK = 7 * 86400;

/** @param array<string, string> $members JSON by name */
function json_object(array $members): string
{
    $texts = [];
    foreach ($members as $name => $json) {
        $texts[] = json_encode($name) . ':' . $json;
    }
    return '{' . implode(',', $texts) . '}';
}

/** JSON has no infinity, which a file of PHPTimeSeries can hold. */
function finite(?float $value): ?float
{
    return $value !== null && is_finite($value) ? $value : null;
}

/** What the list shows of a feed. */
function facts(Feed $feed): string
{
    $meta = $feed->meta();
    $last = $feed->lastValue();
    $spark = 'null';
    if ($meta['npoints'] > 0) {
        // A week, or as much as makes a line of it.
        $span = max(WEEK, SPARKLINE_POINTS * $meta['interval']);
        $span = max(1, min($span, $meta['end_time'] - $meta['start_time']));
        $interval = max(1, intdiv($span, SPARKLINE_POINTS));
        $spark = windows($feed, $meta['end_time'] - $span, $meta['end_time'], $interval);
    }
    return json_object([
        'meta' => json_encode($meta),
        'last' => json_encode($last ? ['value' => finite($last['value'])] + $last : null),
        'spark' => $spark,
    ]);
}

/** The windows that begin at $from, $from + $interval, … up to $to, those without a value left out. */
function windows(Feed $feed, int $from, int $to, int $interval): string
{
    return json_object([
        'kind' => '"windows"',
        'interval' => (string) $interval,
        'average' => $feed->windowsJson($from, $to, $interval, Feed::AVERAGE, Feed::SKIP_MISSING),
        'min' => $feed->windowsJson($from, $to, $interval, Feed::MIN, Feed::SKIP_MISSING),
        'max' => $feed->windowsJson($from, $to, $interval, Feed::MAX, Feed::SKIP_MISSING),
    ]);
}

/**
 * The rows from the one before $from to the one after $to; null if that is more
 * than $limit.
 */
function rows(Feed $feed, int $from, int $to, int $limit): ?string
{
    $flags = Feed::TRUE_TIME | Feed::SKIP_MISSING;
    $before = $feed->valuesAt([$from], Feed::PREVIOUS, $flags);
    $after = $feed->valuesAt([$to], Feed::NEXT, $flags);
    $rows = $feed->rowsJson($before[0][0] ?? $from, $after[0][0] ?? $to, $limit + 1);
    if (substr_count($rows, '[') - 1 > $limit) {
        return null;
    }
    return json_object(['kind' => '"rows"', 'rows' => $rows]);
}

/** What is in a range, $to included: [[time, value]], without a row [[time, null]]. */
function statistics(Feed $feed, int $from, int $to): string
{
    $edges = [$from, $to + 1];
    return json_object([
        'count' => $feed->windowsAtJson($edges, Feed::COUNT),
        'average' => $feed->windowsAtJson($edges, Feed::AVERAGE),
        'min' => $feed->windowsAtJson($edges, Feed::MIN, Feed::TRUE_TIME),
        'max' => $feed->windowsAtJson($edges, Feed::MAX, Feed::TRUE_TIME),
        'last' => $feed->windowsAtJson($edges, Feed::LAST, Feed::TRUE_TIME),
    ]);
}

/** @param list<int> $edges */
function bars(Feed $feed, array $edges): string
{
    return json_object([
        'edges' => json_encode($edges),
        'average' => $feed->windowsAtJson($edges, Feed::AVERAGE),
        'min' => $feed->windowsAtJson($edges, Feed::MIN),
        'max' => $feed->windowsAtJson($edges, Feed::MAX),
        'sum' => $feed->windowsAtJson($edges, Feed::SUM),
        'last' => $feed->windowsAtJson($edges, Feed::LAST),
        // What a meter stood at when the first bar begins.
        'before' => json_encode(finite($feed->valuesAt([$edges[0]], Feed::PREVIOUS)[0][1])),
    ]);
}
