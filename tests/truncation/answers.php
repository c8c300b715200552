<?php
// Puts questions to the feeds that writer.rs truncates, refills, replaces and
// deletes, and says what kind of answer came; each must be that of one moment.

use Emonfeed\Exception;
use Emonfeed\Feed;

// Those of writer.rs.
const FIRST = 1000000;
const STEP = 10;
const MOST_ROWS = 62000;
/** Rows in a window. */
const WINDOW = 60;

function rows_of(int $round): int
{
    return 2000 + $round * 7919 % 60000;
}

function always_whole(bool $is_table, int $round): bool
{
    return $is_table || $round % 7 === 0 || $round % 7 === 3;
}

final class Wrong extends LogicException
{
}

/** So many rows, all of that round. */
function judge(bool $is_table, ?float $round, int $rows): string
{
    if ($rows === 0) {
        return 'empty';
    }
    if ($round < 1 || $round !== floor($round)) {
        throw new Wrong('a value that no round wrote');
    }
    $whole = rows_of((int)$round);
    if ($rows > $whole) {
        throw new Wrong('more rows than their round wrote');
    }
    if ($rows < $whole && always_whole($is_table, (int)$round)) {
        throw new Wrong('a part of what was never there in part');
    }
    return $rows === $whole ? 'whole' : 'part';
}

function judge_sums(bool $is_table, array $points): string
{
    $count = count($points);
    if ($count < 2) {
        if ($count === 1 && $is_table) {
            throw new Wrong('a part of what was never there in part');
        }
        return $count === 0 ? 'empty' : 'part';
    }
    $round = $points[0][1] / WINDOW;
    foreach ($points as $i => [$time, $sum]) {
        if ($time !== FIRST + $i * WINDOW * STEP) {
            throw new Wrong('a window is missing');
        }
        if ($i + 1 < $count && $sum !== $round * WINDOW) {
            throw new Wrong('sums of two moments in one answer');
        }
    }
    $last = $points[$count - 1][1] / $round;
    if ($last < 1 || $last > WINDOW || $last !== floor($last)) {
        throw new Wrong('a last sum of two moments');
    }
    return judge($is_table, $round, ($count - 1) * WINDOW + (int)$last);
}

function judge_rows(bool $is_table, array $rows): string
{
    foreach ($rows as $i => [$time, $value]) {
        if ($time !== FIRST + $i * STEP) {
            throw new Wrong('a row is missing');
        }
        if ($value !== $rows[0][1]) {
            throw new Wrong('rows of two moments in one answer');
        }
    }
    return judge($is_table, $rows[0][1] ?? null, count($rows));
}

function judge_last(bool $is_table, ?array $last): string
{
    return $last === null ? 'empty' : judge($is_table, $last['value'], intdiv($last['time'] - FIRST, STEP) + 1);
}

function judge_meta(array $meta): string
{
    if ($meta['npoints'] === 0) {
        return 'empty';
    }
    if ($meta['start_time'] !== FIRST || $meta['end_time'] !== FIRST + ($meta['npoints'] - 1) * STEP) {
        throw new Wrong('figures of two moments');
    }
    return 'figures';
}

/** How many steps the writer has done. */
function steps(string $folder): int
{
    return unpack('P', file_get_contents("$folder/steps"))[1];
}

/** The $i-th question: what kind of answer came to it. Wrong ones throw. */
function ask(string $folder, int $i): string
{
    $is_table = $i % 2 === 1;
    $before = steps($folder);
    try {
        $feed = new Feed($folder . ($is_table ? '/feed_2.MYD' : '/feed_1.MYD'));
        switch (intdiv($i, 2) % 4) {
            case 0:
                $end = FIRST + MOST_ROWS * STEP;
                return judge_sums($is_table, $feed->windows(FIRST, $end, WINDOW * STEP, Feed::SUM, Feed::SKIP_MISSING));
            case 1:
                return judge_rows($is_table, $feed->rows(0, PHP_INT_MAX));
            case 2:
                return judge_last($is_table, $feed->lastValue());
            default:
                return judge_meta($feed->meta());
        }
    } catch (Exception $error) {
        $named = [Exception::CHANGED, Exception::NOT_FOUND, Exception::MISSING_DEFINITION];
        if (steps($folder) <= $before + 1) {
            // The writer stood still, and left what looks like this.
            array_push($named, Exception::DAMAGED, Exception::ENGINE);
        }
        if (!in_array($error->getCode(), $named, true)) {
            throw new Wrong($error->getMessage());
        }
        return 'status_' . $error->getCode();
    }
}
