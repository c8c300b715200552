<?php

declare(strict_types=1);

namespace Emonfeed\Explore;

const UNITS = [
    // how a date is set back to the beginning, and what leads to the next
    'day' => ['today', '+1 day'],
    'week' => ['monday this week', '+1 week'],
    'month' => ['first day of this month', '+1 month'],
    'year' => ['1 January this year', '+1 year'],
];
const MOST_BARS = 5000;

/**
 * Where days, weeks, months or years begin, from the one that $from lies in to
 * the end of the one that $to lies in.
 *
 * Dates are counted in UTC, where every day is as long as another, and each is
 * looked up in the zone by itself.
 *
 * @return list<int>
 */
function edges(string $unit, int $from, int $to, \DateTimeZone $zone): array
{
    [$begin, $step] = UNITS[$unit];
    $utc = new \DateTimeZone('UTC');
    $first = (new \DateTimeImmutable("@$from"))->setTimezone($zone)->format('Y-m-d');
    $date = (new \DateTimeImmutable($first, $utc))->modify($begin)->setTime(0, 0);
    $edges = [];
    for (;; $date = $date->modify($step)) {
        $edge = (new \DateTimeImmutable($date->format('Y-m-d 00:00:00'), $zone))->getTimestamp();
        // Some zone once went without a whole day.
        if (!$edges || $edge > end($edges)) {
            $edges[] = $edge;
        }
        if ($edge > $to) {
            return $edges;
        }
        if (count($edges) > MOST_BARS) {
            throw new Refused(400, 'these are more than ' . MOST_BARS . ' bars: choose a shorter range, or longer bars');
        }
    }
}

/**
 * For the extension's CSV: the clocks' seconds east of UTC, and from when on.
 *
 * @return list<array{int, int}>
 */
function offsets(\DateTimeZone $zone, int $from, int $to): array
{
    $offsets = [];
    foreach ($zone->getTransitions($from, $to) ?: [] as $transition) {
        $offsets[] = [$transition['ts'], $transition['offset']];
    }
    return $offsets;
}
