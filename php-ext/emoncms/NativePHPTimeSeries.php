<?php
// SPDX-License-Identifier: AGPL-3.0-or-later
// Part of emonfeed. It works inside emoncms and has emoncms's licence, the
// GNU Affero General Public License, version 3 or later.

use Emonfeed\Feed;

// Asked for by a browser, outside emoncms, this file is empty.
if (!class_exists('PHPTimeSeries', false)) return;

require_once __DIR__.'/NativeReads.php';

/**
 * PHPTimeSeries that reads its files with the extension emonfeed. Writing is
 * left to PHPTimeSeries, and reading too where it must be.
 */
class NativePHPTimeSeries extends PHPTimeSeries
{
    use NativeReads;

    const ROW = 9;

    private $native;

    /** @param mixed ...$arguments those of PHPTimeSeries */
    public function __construct(...$arguments)
    {
        $this->native = $arguments;
        parent::__construct(...$arguments);
    }

    private function nativePath($feedid): string
    {
        if (count($this->native) > 1) {
            throw new RuntimeException('this PHPTimeSeries has a buffer, so the files do not hold all rows');
        }
        return ($this->native[0]['datadir'] ?? '/var/lib/phptimeseries/')."feed_$feedid.MYD";
    }

    public function lastvalue($id)
    {
        return $this->native(
            $id,
            fn() => $this->nativeFeed($id)->lastValue() ?? false,
            fn() => parent::lastvalue($id)
        );
    }

    public function get_value($id,$time)
    {
        return $this->native(
            $id,
            fn() => $this->nativeFeed($id)->valuesAt(array(NativeRequest::time($time)), Feed::NEXT)[0][1],
            fn() => parent::get_value($id, $time)
        );
    }

    public function get_meta($id)
    {
        return $this->native($id, fn() => $this->readMeta((int) $id), fn() => parent::get_meta($id));
    }

    private function readMeta(int $id): stdClass
    {
        $feed = $this->nativeFeed($id);
        $read = $feed->meta();
        $meta = new stdClass();
        $meta->id = $id;
        $meta->start_time = $read['start_time'];
        $meta->end_time = $read['end_time'];
        $meta->interval = 1;
        $npoints = (float) $read['npoints'];
        if ($npoints > 0) {
            // By its time: later rows may have come since.
            $meta->end_value = $feed->valuesAt(array($read['end_time']), Feed::PREVIOUS)[0][1];
            if ($meta->end_time > $meta->start_time) {
                $meta->interval = ($meta->end_time - $meta->start_time) / ($npoints - 1);
            }
        }
        $meta->npoints = $npoints;
        return $meta;
    }

    public function get_feed_size($id)
    {
        return $this->native($id, fn() => self::nativeSize($this->nativeOpen($id)), fn() => parent::get_feed_size($id));
    }

    public function get_data_combined($id,$start,$end,$interval,$average=0,$timezone="UTC",$timeformat="unix",$csv=false,$skipmissing=0,$limitinterval=1)
    {
        $arguments = func_get_args();
        if ($interval === 'original') return parent::get_data_combined(...$arguments);
        return $this->nativeData(
            $id,
            fn() => $this->readData(
                $id,
                new NativeRequest($id,$start,$end,$interval,$timezone,$this->nativeTimeformat($timeformat),$csv,$skipmissing,$limitinterval),
                (bool) $average
            ),
            fn() => parent::get_data_combined(...$arguments)
        );
    }

    private function readData($id, NativeRequest $request, bool $average)
    {
        if ($request->end <= $request->start) {
            return array('success'=>false, 'message'=>"request end time before start time");
        }
        return $this->nativeWindows($this->nativeFeed($id), $request, $average ? Feed::AVERAGE : Feed::FIRST, $request->flags());
    }

    public function export($id,$start)
    {
        return $this->native($id, fn() => $this->sendFile($id, (int) $start), fn() => null)
            ?? parent::export($id, $start);
    }

    private function sendFile($id, int $start)
    {
        $pieces = self::piecesOfFile($this->nativeOpen($id), max(0, intdiv($start, self::ROW)));
        $this->nativeDownload($id, 'feed_'.(int) $id.'.MYD', 'application/octet-stream', $pieces, '');
    }

    /** The rows from number $row on, as bytes. Writers wait for one piece, not for the download. */
    private static function piecesOfFile($file, int $row): Generator
    {
        stream_set_read_buffer($file, 0);
        $end = null;
        do {
            flock($file, LOCK_SH);
            $rows = intdiv(self::nativeSize($file), self::ROW);
            $end = $end ?? $rows;
            $count = $rows < $end ? 0 : max(0, min($end - $row, 16384));
            fseek($file, $row * self::ROW);
            $piece = $count > 0 ? (string) @stream_get_contents($file, $count * self::ROW) : '';
            flock($file, LOCK_UN);
            // What is there now are other rows.
            if ($rows < $end) throw new RuntimeException('the feed was cleared or trimmed meanwhile');
            if (strlen($piece) !== $count * self::ROW) throw new RuntimeException('its file could not be read to the end');
            $row += $count;
            yield $piece;
        } while ($piece !== '');
    }

    public function get_sha256sum($id, $npoints = 0)
    {
        return $this->native($id, fn() => $this->readSha256sum($id, (int) $npoints), fn() => null)
            ?? parent::get_sha256sum($id, $npoints);
    }

    /** Null if there are fewer rows than asked for. */
    private function readSha256sum($id, int $npoints): ?string
    {
        $file = $this->nativeOpen($id);
        flock($file, LOCK_SH);
        $rows = intdiv(self::nativeSize($file), self::ROW);
        if ($npoints < 0 || $npoints > $rows) return null;
        $bytes = ($npoints ?: $rows) * self::ROW;
        $hash = hash_init('sha256');
        if (@hash_update_stream($hash, $file, $bytes) !== $bytes) {
            throw new RuntimeException('its file could not be read to the end');
        }
        return hash_final($hash);
    }

    /** @return resource */
    private function nativeOpen($id)
    {
        $path = $this->nativeFile($id);
        $file = @fopen($path, 'rb');
        if (!$file) {
            // The extension says why.
            $this->nativeFeed($id)->meta();
            throw new RuntimeException("$path: cannot open for reading");
        }
        return $file;
    }
}
