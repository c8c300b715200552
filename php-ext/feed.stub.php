<?php

/** @generate-class-entries */

namespace Emonfeed;

/**
 * One feed, such as the table feed_7 of emoncms, by its file feed_7.MYD.
 *
 * Times are Unix seconds. A missing value is null. Every query looks at the
 * file again. Problems with files throw Exception; wrong arguments throw
 * ValueError or TypeError.
 *
 * @strict-properties
 * @not-serializable
 */
final class Feed
{
    /**
     * Aggregate: the value of the earliest row.
     * @var int
     */
    public const FIRST = 0;
    /**
     * Aggregate: the value of the latest row.
     * @var int
     */
    public const LAST = 1;
    /**
     * Aggregate: the mean of the values.
     * @var int
     */
    public const AVERAGE = 2;
    /**
     * Aggregate: the smallest value.
     * @var int
     */
    public const MIN = 3;
    /**
     * Aggregate: the largest value.
     * @var int
     */
    public const MAX = 4;
    /**
     * Aggregate: the sum of the values.
     * @var int
     */
    public const SUM = 5;
    /**
     * Aggregate: the number of rows with a value.
     * @var int
     */
    public const COUNT = 6;

    /**
     * Mode: the earliest row at or after the time.
     * @var int
     */
    public const NEXT = 0;
    /**
     * Mode: the latest row at or before the time.
     * @var int
     */
    public const PREVIOUS = 1;
    /**
     * Mode: the straight line between the neighbouring rows.
     * @var int
     */
    public const LINEAR = 2;
    /**
     * Mode: only a row at exactly that second.
     * @var int
     */
    public const EXACT = 3;

    /**
     * Flag: a row exactly at the end of a window may answer FIRST for it.
     * @var int
     */
    public const CLOSED_END = 1;
    /**
     * Flag: leave out windows and times without a value.
     * @var int
     */
    public const SKIP_MISSING = 2;
    /**
     * Flag: give the chosen row's own time instead of the start of the window
     * or the time asked for.
     * @var int
     */
    public const TRUE_TIME = 4;
    /**
     * Flag: leave out rows at or after $end. This cuts the last window short.
     * @var int
     */
    public const CLIP_END = 8;

    /** Opens the feed whose rows are in $path, such as /var/lib/mysql/emoncms/feed_7.MYD. */
    public function __construct(string $path) {}

    /**
     * What is known about the feed as a whole.
     *
     * @phpstan-return array{npoints: int, start_time: int, end_time: int, interval: int, bytes: int, index_bytes: int, slots: int, stride: int, sorted: bool, indexed: bool, checksum: bool, histogram: bool, value_type: string}
     */
    public function meta(): array {}

    /**
     * The latest row; null if there is none.
     *
     * @phpstan-return array{time: int, value: ?float}|null
     */
    public function lastValue(): ?array {}

    /**
     * Windows of $interval seconds that begin at $start, $start + $interval, … up to $end.
     *
     * @phpstan-return list<array{int, ?float}> [time, value] of each window
     */
    public function windows(int $start, int $end, int $interval, int $aggregate = Feed::FIRST, int $flags = 0): array {}

    /** The answer of windows() as JSON: [[time,value],…]. */
    public function windowsJson(int $start, int $end, int $interval, int $aggregate = Feed::FIRST, int $flags = 0): string {}

    /**
     * The answer of windows() as CSV: one line of time and value for each window.
     *
     * $format: separator (","), point ("."), missing (text instead of a missing
     * value, ""), decimals (null: all digits; else rounded half away from zero),
     * time ("unix", "excel" as 31/01/2026 18:30:00, or "iso8601") and, for the
     * last two, offsets: pairs of a time and the zone's seconds east of UTC from
     * then on, as in DateTimeZone::getTransitions().
     *
     * @phpstan-param array{separator?: string, point?: string, missing?: string, decimals?: ?int, time?: string, offsets?: list<array{int, int}>} $format
     */
    public function windowsCsv(int $start, int $end, int $interval, int $aggregate = Feed::FIRST, int $flags = 0, array $format = []): string {}

    /**
     * One window between each pair of neighbouring $edges, such as midnights.
     *
     * @phpstan-param list<int> $edges ascending
     * @phpstan-return list<array{int, ?float}> [time, value] of each window
     */
    public function windowsAt(array $edges, int $aggregate = Feed::FIRST, int $flags = 0): array {}

    /**
     * The answer of windowsAt() as JSON: [[time,value],…].
     *
     * @phpstan-param list<int> $edges ascending
     */
    public function windowsAtJson(array $edges, int $aggregate = Feed::FIRST, int $flags = 0): string {}

    /**
     * The answer of windowsAt() as CSV; $format as in windowsCsv().
     *
     * @phpstan-param list<int> $edges ascending
     */
    public function windowsAtCsv(array $edges, int $aggregate = Feed::FIRST, int $flags = 0, array $format = []): string {}

    /**
     * The value at each of $times.
     *
     * @phpstan-param list<int> $times
     * @phpstan-param int $flags SKIP_MISSING and TRUE_TIME
     * @phpstan-return list<array{int, ?float}> [time, value] for each time
     */
    public function valuesAt(array $times, int $mode = Feed::LINEAR, int $flags = 0): array {}

    /**
     * The answer of valuesAt() as CSV; $format as in windowsCsv().
     *
     * @phpstan-param list<int> $times
     */
    public function valuesAtCsv(array $times, int $mode = Feed::LINEAR, int $flags = 0, array $format = []): string {}

    /**
     * The rows from $start to $end, both included, ascending; at most $limit of them unless it is 0.
     *
     * @phpstan-return list<array{int, ?float}> [time, value] of each row
     */
    public function rows(int $start, int $end, int $limit = 0): array {}

    /** The answer of rows() as JSON: [[time,value],…]. */
    public function rowsJson(int $start, int $end, int $limit = 0): string {}

    /**
     * The next piece of the rows from $start to $end as CSV, up to 65,536 rows,
     * so that a feed of any size takes little memory; $format as in
     * windowsCsv(). The first $given rows at $start are left out.
     *
     *     for ($next = [$start, 0]; $next; print $csv)
     *         [$csv, $next] = $feed->rowsCsv($next[0], $end, [], $next[1]);
     *
     * @phpstan-return array{string, array{int, int}|null} the text, and [$start, $given] of the next piece, or null if there is none
     */
    public function rowsCsv(int $start, int $end, array $format = [], int $given = 0): array {}

    /**
     * Histogram feeds: the sum of data for each data2, over $start <= time < $end.
     *
     * @phpstan-return list<array{float, ?float}> [data2, sum], ascending
     */
    public function histogram(int $start, int $end): array {}

    /**
     * Histogram feeds: the sum of data for each time, over $min <= data2 <= $max.
     *
     * @phpstan-return list<array{int, ?float}> [time, sum], ascending
     */
    public function sumByTime(float $min, float $max): array {}
}
