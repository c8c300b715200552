<?php
// SPDX-License-Identifier: AGPL-3.0-or-later
// Part of emonfeed. It works inside emoncms and has emoncms's licence, the
// GNU Affero General Public License, version 3 or later.

/** The edges of days, weeks, months and years in a time zone. */
class NativeCalendar
{
    /** More windows than these in one answer are refused. */
    const MOST = 100000;

    /** Seconds before and after 1970 that stay within the years 2 to 9998. */
    const FIRST_SECOND = -62100000000;
    const LAST_SECOND = 253370000000;

    /** The date of the first edge, by the day of the start; from edge to edge. */
    private const UNITS = array(
        'daily' => array('Y-m-d', '+1 day'),
        'weekly' => array('Y-m-d', '+1 week'),
        'monthly' => array('Y-m-01', '+1 month'),
        'annual' => array('Y-01-01', '+1 year'),
    );

    public static function has($interval): bool
    {
        return is_string($interval) && isset(self::UNITS[$interval]);
    }

    /** Throws ValueError for times that no calendar and no CSV shows. */
    public static function check(int $start, int $end): void
    {
        if (min($start, $end) < self::FIRST_SECOND || max($start, $end) > self::LAST_SECOND) {
            throw new ValueError('start and end must lie between the years 2 and 9998');
        }
    }

    /**
     * Edges, ascending, in Unix seconds: from the one that belongs to $start
     * while they are not beyond $end, and one more, which ends the last
     * window. None if the first is beyond $end.
     *
     * The date is counted in UTC, where each day has one midnight, and each
     * edge is made afresh from it: a DateTime that is moved on in a zone loses
     * its hour for good where the clocks once skip midnight. A day that they
     * skip altogether (30 December 2011 in Samoa) has no edge.
     *
     * @return (int|float)[] the last is a float where int ends before it, in 2038
     */
    public static function edges(string $interval, int $start, int $end, DateTimeZone $zone): array
    {
        self::check($start, $end);
        list($first, $step) = self::UNITS[$interval];
        $local = (new DateTime('now', $zone))->setTimestamp($start);
        $date = new DateTime($local->format($first), new DateTimeZone('UTC'));
        if ($interval === 'weekly') {
            // The Monday on or after that day.
            $date->modify('+'.((8 - (int) $date->format('N')) % 7).' days');
        }

        $edges = array();
        $last = PHP_INT_MIN;
        do {
            // getTimestamp() throws where int is too small.
            $edge = (new DateTime($date->format('Y-m-d 00:00'), $zone))->format('U') + 0;
            if (!$edges && $edge > $end) return array();
            if ($edge > $last) $edges[] = $edge;
            if (count($edges) > self::MOST + 1) {
                throw new ValueError("request of more than ".self::MOST." windows, reduce time range");
            }
            $last = $edge;
            $date->modify($step);
        } while ($edge <= $end);
        return $edges;
    }
}
