<?php

declare(strict_types=1);

namespace Emonfeed\Explore;

use Emonfeed\Feed;

const COLUMNS = ['average' => Feed::AVERAGE, 'minimum' => Feed::MIN, 'maximum' => Feed::MAX];
const BAR_COLUMNS = COLUMNS + ['sum' => Feed::SUM, 'count' => Feed::COUNT];

/**
 * Windows of several feeds, as one table. Every number is as the extension
 * writes it.
 *
 * @param array<string, Feed> $feeds by name
 * @param array<string, int> $columns aggregates by name
 * @param \Closure(Feed, int): string $query the CSV of one aggregate
 */
function joined(array $feeds, array $columns, \Closure $query): string
{
    $head = 'time';
    $table = null;
    foreach ($feeds as $name => $feed) {
        foreach ($columns as $column => $aggregate) {
            $head .= ",$name $column";
            $lines = explode("\n", rtrim($query($feed, $aggregate), "\r\n"));
            if ($table === null) {
                $table = $lines;
                continue;
            }
            foreach ($lines as $i => $line) {
                $table[$i] = rtrim($table[$i], "\r") . strstr($line, ',');
            }
        }
    }
    return "$head\n" . implode("\n", $table) . "\n";
}

/**
 * All rows of a range, in pieces that go out as they are made. A download that
 * cannot be completed is cut off without its end, by which the browser knows.
 */
function send_rows(Feed $feed, string $name, int $from, int $to, array $format): void
{
    $held = $feed->meta()['npoints'];
    $text = "time,$name\n";
    $next = [$from, 0];
    begin_chunks();
    try {
        while ($next) {
            [$csv, $next] = $feed->rowsCsv($next[0], $to, $format, $next[1]);
            send_chunk($text . $csv);
            $text = '';
            if (connection_aborted()) {
                return;
            }
        }
        if ($feed->meta()['npoints'] < $held) {
            throw new Refused(503, "$name lost rows while it was read");
        }
        end_chunks();
    } catch (Refused | \Emonfeed\Exception $exception) {
        error_log("emonfeed: the download of $name was cut off: " . $exception->getMessage());
    }
}
