<?php
// SPDX-License-Identifier: AGPL-3.0-or-later
// Part of emonfeed. It works inside emoncms and has emoncms's licence, the
// GNU Affero General Public License, version 3 or later.

use Emonfeed\Feed;

// Asked for by a browser, outside emoncms, this file is empty.
if (!class_exists('MysqlTimeSeries', false)) return;

require_once __DIR__.'/NativeNames.php';
require_once __DIR__.'/NativeReads.php';

/**
 * MysqlTimeSeries that reads the tables' files instead of asking the database.
 * Writing is left to MysqlTimeSeries, and reading too where it must be.
 */
class NativeMysqlTimeSeries extends MysqlTimeSeries
{
    use NativeReads;

    /** A row's time is below this (an unsigned 32-bit number). */
    const END_OF_TIME = 4294967296;

    private $native;
    private $nativeServer;

    /**
     * @param array $native 'dir': the folder of the tables' files; 'server':
     *     what nativeServer() said when they were found there
     * @param mixed ...$arguments those of MysqlTimeSeries
     */
    public function __construct(array $native, ...$arguments)
    {
        $this->native = $native;
        parent::__construct(...$arguments);
    }

    private function nativePath($feedid): string
    {
        $server = $this->nativeServer();
        if ($server !== $this->native['server']) {
            throw new RuntimeException(
                "{$this->native['dir']} has the tables of the server '{$this->native['server']}', but emoncms uses '$server' now"
            );
        }
        $table = $this->get_table_name($feedid);
        if (preg_match('/[^\x01-\x7F]/', $table)) {
            throw new RuntimeException("the name of the table '$table' has letters that are not ASCII");
        }
        return rtrim($this->native['dir'], '/').'/'.NativeNames::file($table).'.MYD';
    }

    /** How emoncms reaches its database, and where that is: after a move, the files left behind are old. */
    private function nativeServer(): string
    {
        if ($this->nativeServer === null) {
            $answer = $this->mysqli->query('SELECT CONCAT(@@datadir, DATABASE())');
            $row = $answer ? $answer->fetch_row() : array('');
            $this->nativeServer = $this->mysqli->host_info.', '.$row[0];
        }
        return $this->nativeServer;
    }

    public function lastvalue($feedid)
    {
        return $this->native(
            $feedid,
            fn() => $this->nativeFeed($feedid)->lastValue() ?? false,
            fn() => parent::lastvalue($feedid)
        );
    }

    public function get_meta($feedid)
    {
        // Without generic it is kept in a file that the parent writes.
        if (!$this->generic) return parent::get_meta($feedid);
        return $this->native($feedid, fn() => $this->readMeta((int) $feedid), fn() => parent::get_meta($feedid));
    }

    private function readMeta(int $feedid): stdClass
    {
        $read = $this->nativeFeed($feedid)->meta();
        $meta = new stdClass();
        $meta->id = $feedid;
        $meta->table_name = $this->get_table_name($feedid);
        $meta->value_type = "FLOAT NOT NULL";
        $meta->start_time = $read['start_time'];
        $meta->end_time = $read['end_time'];
        $meta->npoints = $read['npoints'];
        $meta->interval = 0;
        if ($meta->npoints > 0) {
            $meta->interval = floor(($meta->end_time - $meta->start_time) / $meta->npoints);
        }
        return $meta;
    }

    public function get_feed_size($feedid)
    {
        return $this->native($feedid, fn() => $this->readSize($feedid), fn() => parent::get_feed_size($feedid));
    }

    /** That of the files, which are not read for it: a list of feeds asks for each. */
    private function readSize($feedid): int|float
    {
        $rows = $this->nativeFile($feedid);
        // Opened, but not read: what is no feed, or damaged, is left to the parent.
        new Feed($rows);
        return self::sizeOf($rows) + self::sizeOf(substr($rows, 0, -3).'MYI');
    }

    private static function sizeOf(string $path): int
    {
        $file = @fopen($path, 'rb');
        if (!$file) throw new RuntimeException("$path cannot be looked at");
        return self::nativeSize($file);
    }

    public function get_data_combined($feedid,$start,$end,$interval,$average=0,$timezone="UTC",$timeformat="unix",$csv=false,$skipmissing=0,$limitinterval=1)
    {
        $arguments = func_get_args();
        return $this->nativeData(
            $feedid,
            fn() => $this->readData(
                $this->nativeFeed($feedid),
                new NativeRequest($feedid,$start,$end,$interval,$timezone,$this->nativeTimeformat($timeformat),$csv,$skipmissing,$limitinterval),
                (bool) $average
            ),
            fn() => parent::get_data_combined(...$arguments)
        );
    }

    private function readData(Feed $feed, NativeRequest $request, bool $average)
    {
        $flags = $request->flags();
        if (!$request->hasCalendar()) {
            return $average
                ? $this->nativeWindows($feed, $request, Feed::AVERAGE, $flags | Feed::CLIP_END)
                : $this->nativeWindows($feed, $request, Feed::FIRST, $flags | Feed::CLOSED_END);
        }
        $meta = $feed->meta();
        if ($meta['npoints'] === 0) return false;
        if ($average) return $this->nativeWindows($feed, $request, Feed::AVERAGE, $flags);
        return $this->nativeEdges($request, fn($edges) => $request->wanted(
            self::inside($meta, $feed->valuesAt(array_slice($edges, 0, -1), Feed::LINEAR))
        ));
    }

    /** The points without the values of those that are not between the first row and the last. */
    private static function inside(array $meta, array $points): array
    {
        foreach ($points as $i => list($time)) {
            if ($time <= $meta['start_time'] || $time >= $meta['end_time']) $points[$i][1] = null;
        }
        return $points;
    }

    // Before it had a $timeformat, $split was the sixth.
    public function get_data_DMY_time_of_day($feedid,$start,$end,$mode,$timezone,$timeformat,$split=null)
    {
        $arguments = func_get_args();
        if (count($arguments) < 7) {
            list($timeformat, $split) = array('unix', $timeformat);
        }
        return $this->nativeData(
            $feedid,
            fn() => $this->readTimesOfDay(
                $this->nativeFeed($feedid),
                new NativeRequest($feedid,$start,$end,$mode,$timezone,$this->nativeTimeformat($timeformat),false,0,1),
                is_string($split) ? json_decode($split) : null
            ),
            fn() => parent::get_data_DMY_time_of_day(...$arguments)
        );
    }

    private function readTimesOfDay(Feed $feed, NativeRequest $request, $split)
    {
        if (!$request->hasCalendar() || !is_array($split) || count($split) > 48) return false;
        if (count(array_filter($split, 'is_scalar')) < count($split)) return false;
        // Hours to seconds; a number that is no time of day stays one that can be added.
        $offsets = array_map(fn($hours) => NativeRequest::time(max(-1e9, min(1e9, (float) $hours)) * 3600), $split);

        $meta = $feed->meta();
        if ($meta['npoints'] < 2) {
            return array('success'=>false, 'message'=>"Feed $request->feedid does not contain enough datapoints yet");
        }
        $edges = array_slice($request->edges(), 0, -1);
        if (count($edges) * count($offsets) > 10 * NativeCalendar::MOST) {
            throw new ValueError('request of more than '. 10 * NativeCalendar::MOST .' values, reduce time range');
        }
        $data = array();
        foreach (array_chunk($edges, 500) as $some) {
            foreach ($this->valuesAfter($feed, $meta, $some, $offsets) as $i => $values) {
                $data[] = array($some[$i], $values);
            }
        }
        return $request->answer($data);
    }

    /** For each edge the list of values that many seconds after it. */
    private function valuesAfter(Feed $feed, array $meta, array $edges, array $offsets): array
    {
        $times = array();
        foreach ($edges as $edge) {
            foreach ($offsets as $offset) $times[] = $edge + $offset;
        }
        $values = array();
        foreach ($feed->valuesAt($times, Feed::LINEAR) as list($time, $value)) {
            $values[] = $time < $meta['end_time'] ? $value : null;
        }
        $lists = array();
        foreach ($edges as $i => $edge) {
            $inside = $meta['start_time'] < $edge && $edge < $meta['end_time'];
            $lists[] = $inside
                ? array_slice($values, $i * count($offsets), count($offsets))
                : array_fill(0, count($offsets), null);
        }
        return $lists;
    }

    public function export($feedid, $start)
    {
        return $this->native($feedid, fn() => $this->sendRows($feedid, NativeRequest::time($start)), fn() => null)
            ?? parent::export($feedid, $start);
    }

    /** Sends CSV and exits; returns null for a histogram, which has a third column. */
    private function sendRows($feedid, int $start)
    {
        $feed = $this->nativeFeed($feedid);
        if ($feed->meta()['histogram']) return null;
        $this->nativeDownload($feedid, $this->get_table_name($feedid).'.csv', 'text/csv', self::piecesOfRows($feed, $start));
    }

    private static function piecesOfRows(Feed $feed, int $start): Generator
    {
        for ($next = array($start, 0); $next; ) {
            // Where int ends in 2038, that end is a float, and so is a later time in $next.
            list($piece, $next) = $feed->rowsCsv($next[0], self::END_OF_TIME, array(), $next[1]);
            yield $piece;
        }
    }
}
