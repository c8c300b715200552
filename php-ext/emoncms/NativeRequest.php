<?php
// SPDX-License-Identifier: AGPL-3.0-or-later
// Part of emonfeed. It works inside emoncms and has emoncms's licence, the
// GNU Affero General Public License, version 3 or later.

use Emonfeed\Feed;

/** The arguments of get_data_combined(), checked and of one type each. */
class NativeRequest
{
    /** So many windows are made at once for CSV. */
    const PIECE = 16384;
    /** So many where they are PHP arrays meanwhile. */
    const PIECE_OF_EDGES = 2048;

    public $feedid;
    public $start;
    public $end;
    /** @var string|int a name of NativeCalendar, or seconds */
    public $interval;
    /** @var ?DateTimeZone where a zone is needed */
    public $zone;
    /** @var ?NativeCsv if CSV is wanted */
    public $csv;
    public $notime;
    public $skipmissing;
    public $truetime;

    public function __construct($feedid, $start, $end, $interval, $timezone, $timeformat, $csv, $skipmissing, $limitinterval)
    {
        $this->feedid = (int) $feedid;
        $this->start = self::time($start);
        $this->end = self::time($end);
        $this->interval = NativeCalendar::has($interval) ? $interval : max(1, self::time($interval));
        if ($csv || $this->hasCalendar()) {
            $this->zone = self::zone($timezone);
        }
        if ($csv) {
            NativeCalendar::check($this->start, $this->end);
            $this->csv = new NativeCsv($this->zone, $timeformat);
        }
        $this->notime = $timeformat === 'notime';
        $this->skipmissing = (int) $skipmissing !== 0;
        $this->truetime = (int) $limitinterval === 2;
    }

    /** A time as int. Throws where PHP would make another one of it: with 32 bits, of all after 2038. */
    public static function time($time): int
    {
        $number = is_numeric($time) ? $time + 0 : (int) $time;
        if ($number < PHP_INT_MIN || $number > PHP_INT_MAX) {
            throw new RuntimeException('the time asked for is beyond the integers of this PHP');
        }
        return (int) $number;
    }

    public static function zone($timezone): DateTimeZone
    {
        try {
            return new DateTimeZone($timezone === 0 ? 'UTC' : (is_string($timezone) ? $timezone : ''));
        } catch (Exception $e) {
            throw new RuntimeException('the time zone asked for is not known');
        }
    }

    public function hasCalendar(): bool
    {
        return is_string($this->interval);
    }

    /**
     * All edges of the windows, the end of the last included.
     *
     * @return (int|float)[] as those of NativeCalendar
     */
    public function edges(): array
    {
        if ($this->hasCalendar()) {
            return NativeCalendar::edges($this->interval, $this->start, $this->end, $this->zone);
        }
        NativeCalendar::check($this->start, $this->end);
        if (($this->end - $this->start) / $this->interval >= NativeCalendar::MOST) {
            throw new ValueError("request of more than ".NativeCalendar::MOST." points, increase request interval or reduce time range");
        }
        $edges = array();
        for ($edge = $this->start; $edge <= $this->end; $edge += $this->interval) $edges[] = $edge;
        // An int, or a float where int ends in 2038; later than all rows in any case.
        if ($edges) $edges[] = min($edge, 2 ** 53);
        return $edges;
    }

    /** The same for CSV: lists of few edges, each list beginning where the one before ended. */
    public function piecesOfEdges(): Generator
    {
        if ($this->hasCalendar()) {
            $edges = $this->edges();
            for ($i = 0; $i + 1 < count($edges); $i += self::PIECE_OF_EDGES) {
                yield array_slice($edges, $i, self::PIECE_OF_EDGES + 1);
            }
            return;
        }
        $piece = clone $this;
        for ($from = $this->start; $from <= $this->end; $from += self::PIECE_OF_EDGES * $this->interval) {
            $piece->start = (int) $from;
            $piece->end = (int) min($this->end, $from + (self::PIECE_OF_EDGES - 1) * $this->interval);
            yield $piece->edges();
        }
    }

    /** The flags of the extension for windows of this request. */
    public function flags(): int
    {
        return ($this->skipmissing ? Feed::SKIP_MISSING : 0) | ($this->truetime ? Feed::TRUE_TIME : 0);
    }

    /** Points of all edges as this request wants them. */
    public function wanted(array $points): array
    {
        if (!$this->skipmissing) return $points;
        return array_values(array_filter($points, fn($point) => $point[1] !== null));
    }

    /** Points as the answer of get_data_combined(). */
    public function answer(array $points): array
    {
        return $this->notime ? array_column($points, 1) : $points;
    }
}
