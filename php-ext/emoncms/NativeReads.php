<?php
// SPDX-License-Identifier: AGPL-3.0-or-later
// Part of emonfeed. It works inside emoncms and has emoncms's licence, the
// GNU Affero General Public License, version 3 or later.

use Emonfeed\Feed;

require_once __DIR__.'/NativeCalendar.php';
require_once __DIR__.'/NativeCsv.php';
require_once __DIR__.'/NativeRequest.php';

/**
 * What the native engines share: reading a feed's file with the extension
 * emonfeed, and leaving the answer to the parent engine where that fails.
 */
trait NativeReads
{
    private $nativeFeeds = array();
    private $nativeLogged = array();

    /** The path of the feed's file. Throws RuntimeException if files must not be read. */
    abstract private function nativePath($feedid): string;

    private function nativeFile($feedid): string
    {
        if (!method_exists(Feed::class, 'windowsCsv')) {
            throw new RuntimeException('the PHP extension emonfeed is not loaded here, or is older than these files');
        }
        return $this->nativePath((int) $feedid);
    }

    private function nativeFeed($feedid): Feed
    {
        $file = $this->nativeFile($feedid);
        if (!isset($this->nativeFeeds[$file])) {
            $this->nativeFeeds[$file] = new Feed($file);
        }
        return $this->nativeFeeds[$file];
    }

    /** The size of an open file, which is then at its begin. Throws where int is too small: there PHP gives another. */
    private static function nativeSize($file): int
    {
        // The last byte that such an int counts.
        if (PHP_INT_SIZE < 8 && fseek($file, PHP_INT_MAX - 1) === 0 && fgetc($file) !== false) {
            throw new RuntimeException('the size of its file is beyond the integers of this PHP');
        }
        rewind($file);
        return fstat($file)['size'];
    }

    /** Today's engines answer "notime" themselves; before, that was left to the model above them. As the parent does. */
    private function nativeTimeformat($timeformat)
    {
        if ($timeformat !== 'notime') return $timeformat;
        $source = file_get_contents((new ReflectionClass(get_parent_class(self::class)))->getFileName());
        return strpos((string) $source, 'notime') === false ? 'unix' : 'notime';
    }

    /** The answer of $read, or that of $parent where the file cannot be read; then it is logged why. */
    private function native($feedid, callable $read, callable $parent)
    {
        try {
            return $read();
        } catch (RuntimeException $e) {
            $this->nativeLog($feedid, $e);
            return $parent();
        }
    }

    /** The same for answers of any size: what is too much is an error, the parent would die of it. */
    private function nativeData($feedid, callable $read, callable $parent)
    {
        return $this->native($feedid, fn() => $this->orTooMuch($read), $parent);
    }

    private function orTooMuch(callable $read)
    {
        try {
            return $read();
        } catch (ValueError $e) {
            return array('success'=>false, 'message'=>$e->getMessage());
        } catch (Emonfeed\Exception $e) {
            if ($e->getCode() !== Emonfeed\Exception::MEMORY) throw $e;
            // Anybody may read this: no paths.
            return array('success'=>false, 'message'=>'the answer does not fit into memory, increase request interval or reduce time range');
        }
    }

    /** One line for each feed and reason, and for each reason that is not about one feed. */
    private function nativeLog($feedid, RuntimeException $e)
    {
        $key = $e instanceof Emonfeed\Exception ? (int) $feedid.' '.$e->getCode() : $e->getMessage();
        if (isset($this->nativeLogged[$key])) return;
        $this->nativeLogged[$key] = true;
        $log = new EmonLogger(__FILE__);
        $log->warn(
            'feed '.(int) $feedid.' is left to '.get_parent_class($this).': '.$e->getMessage().
            '; '.__DIR__.'/enable --check says what to do'
        );
    }

    /** Windows of a feed: a list, or CSV and exit. */
    private function nativeWindows(Feed $feed, NativeRequest $request, int $aggregate, int $flags)
    {
        if ($request->hasCalendar()) {
            return $this->nativeEdges($request, fn($edges) => $feed->windowsAt($edges, $aggregate, $flags));
        }
        if ($request->csv) {
            $this->nativeCsv($request, $this->piecesOfWindows($feed, $request, $aggregate, $flags));
        }
        return $request->answer($feed->windows($request->start, $request->end, $request->interval, $aggregate, $flags));
    }

    /** A point for each edge but the last, as $points(edges) makes them: a list, or CSV and exit. */
    private function nativeEdges(NativeRequest $request, callable $points)
    {
        if ($request->csv) {
            $this->nativeCsv($request, $this->piecesOfPoints($request, $points));
        }
        return $request->answer($points($request->edges()));
    }

    private function piecesOfPoints(NativeRequest $request, callable $points): Generator
    {
        foreach ($request->piecesOfEdges() as $edges) {
            yield $request->csv->lines($points($edges));
        }
    }

    private function piecesOfWindows(Feed $feed, NativeRequest $request, int $aggregate, int $flags): Generator
    {
        $interval = $request->interval;
        $from = $request->start;
        $until = $request->end;
        if ($request->skipmissing && $aggregate !== Feed::COUNT) {
            // No line comes of the windows before the first row and after the last.
            $meta = $feed->meta();
            $from += max(0, (int) (($meta['start_time'] - 1 - $from) / $interval)) * $interval;
            $until = min($until, $meta['end_time']);
        }
        for (; $from <= $until; $from += NativeRequest::PIECE * $interval) {
            $last = $from + (NativeRequest::PIECE - 1) * $interval;
            $format = $request->csv->format($from, min($last, $request->end) + $interval);
            // CLIP_END is about the end of the request, not that of a piece.
            $atEnd = $last + $interval > $request->end;
            yield $feed->windowsCsv((int) $from, $atEnd ? $request->end : (int) $last, $interval, $aggregate,
                $atEnd ? $flags : $flags & ~Feed::CLIP_END, $format);
        }
    }

    private function nativeCsv(NativeRequest $request, Generator $pieces)
    {
        $this->nativeDownload($request->feedid, "$request->feedid.csv", 'application/octet-stream', $pieces);
    }

    /**
     * Sends the pieces one by one, so that they take little memory, and exits.
     * Throws before anything is sent if the first cannot be made: then the
     * parent can still answer. If a later one cannot, $broken ends the text.
     */
    private function nativeDownload($feedid, string $filename, string $type, Generator $pieces,
        string $broken = "error: the download ended early, see emoncms's log\n")
    {
        $pieces->rewind();
        // Or else the user's other pages wait until the download is over.
        if (session_status() === PHP_SESSION_ACTIVE) session_write_close();
        if (PHP_SAPI !== 'cli') {
            header('Cache-Control: no-cache, no-store, must-revalidate');
            header('Content-Description: File Transfer');
            header("Content-type: $type");
            header("Content-Disposition: attachment; filename=$filename");
            header('Expires: 0');
            header('Pragma: no-cache');
        }
        // Buffers would collect the whole; but one that compresses has said so to the browser.
        while (ob_get_level() > 0 && !self::compresses(ob_list_handlers()) && @ob_end_flush());
        try {
            for (; $pieces->valid() && !connection_aborted(); $pieces->next()) {
                $piece = $pieces->current();
                // An empty one, flushed, would end a compressed text without its end.
                if ($piece === '') continue;
                echo $piece;
                // A buffer that was not ended.
                if (ob_get_level() > 0) @ob_flush();
                flush();
                // A long download is none that hangs.
                if (function_exists('set_time_limit')) set_time_limit(120);
            }
        } catch (RuntimeException | ValueError $e) {
            // There is no way back to the parent: what is sent is sent.
            $log = new EmonLogger(__FILE__);
            $log->error('the download of feed '.(int) $feedid.' ended early: '.$e->getMessage());
            echo $broken;
        }
        exit;
    }

    private static function compresses(array $handlers): bool
    {
        return in_array(end($handlers), array('zlib output compression', 'ob_gzhandler'), true);
    }

    /**
     * More than emoncms asks for: an aggregate of each window, one of first,
     * last, average, min, max, sum and count; or previous, the latest reading
     * at or before the start of each window. Windows end where the next begins.
     * The other arguments and the answer are those of get_data_combined();
     * limitinterval 2 gives the chosen reading's own time.
     */
    public function get_data_aggregate($feedid,$start,$end,$interval,$aggregate,$timezone="UTC",$timeformat="unix",$csv=false,$skipmissing=0,$limitinterval=1)
    {
        $aggregates = array('first', 'last', 'average', 'min', 'max', 'sum', 'count', 'previous');
        if (!in_array($aggregate, $aggregates, true)) {
            return array('success'=>false, 'message'=>'aggregate must be one of '.implode(', ', $aggregates));
        }
        return $this->nativeData(
            $feedid,
            fn() => $this->readAggregate(
                $this->nativeFeed($feedid),
                new NativeRequest($feedid,$start,$end,$interval,$timezone,$this->nativeTimeformat($timeformat),$csv,$skipmissing,$limitinterval),
                $aggregate
            ),
            fn() => array('success'=>false, 'message'=>'the file of feed '.(int) $feedid." cannot be read, see emoncms's log")
        );
    }

    private function readAggregate(Feed $feed, NativeRequest $request, string $aggregate)
    {
        if ($aggregate !== 'previous') {
            return $this->nativeWindows($feed, $request, constant(Feed::class.'::'.strtoupper($aggregate)), $request->flags());
        }
        return $this->nativeEdges($request, fn($edges) => $feed->valuesAt(
            array_slice($edges, 0, -1), Feed::PREVIOUS, $request->flags()
        ));
    }
}
