<?php
// SPDX-License-Identifier: AGPL-3.0-or-later

/**
 * The reads of emoncms's feed model of 2013, answered from the feed's table
 * file. Each method takes what the model's method of that name was given; null
 * means "not from the file", and the model goes on with its SQL:
 *
 *     if (($data = $native->get_data($feedid,$start,$end,$dp)) !== null) return $data;
 *
 * The file is feed_<id>.MYD in the folder that the setting emonfeed.datadir
 * of php.ini names. See docs/emoncms-2013.md.
 */
class NativeFeedModel2013
{
    /** Whoever calls for more than a request can hold would not get it from SQL either. */
    const TOO_MUCH = 'this is too much for one request: ask for less';
    /** A row's time is below this (an unsigned 32-bit number). */
    const END_OF_TIME = 4294967296;

    private static $logged = array();
    private $mysqli;
    private $server;

    /**
     * $server is the database server that keeps its tables in emonfeed.datadir,
     * as $mysqli->host_info calls it. When the database has moved to another,
     * the files left behind are old, and SQL answers.
     */
    public function __construct($mysqli, $server = 'Localhost via UNIX socket')
    {
        $this->mysqli = $mysqli;
        $this->server = $server;
    }

    /** About $dp points between two times in milliseconds: [[milliseconds, value], …]. */
    public function get_data($feedid, $start, $end, $dp)
    {
        return $this->answer($feedid, function ($feedid) use ($start, $end, $dp) {
            return emonfeed_get_feed_data($feedid, (float) $start, (float) $end, (int) $dp);
        });
    }

    /** Histogram feeds: kWh at each power between two times in milliseconds: [[power, kWh], …]. */
    public function get_histogram_data($feedid, $start, $end)
    {
        return $this->answer($feedid, function ($feedid) use ($start, $end) {
            $end = (float) $end ?: time() * 1000;
            return self::feed($feedid)->histogram(self::second((float) $start), self::second($end));
        });
    }

    /** Histogram feeds: kWh of each day within a range of powers: [[milliseconds, kWh], …]. */
    public function get_kwhd_atpower($feedid, $min, $max)
    {
        return $this->answer($feedid, function ($feedid) use ($min, $max) {
            $days = self::feed($feedid)->sumByTime((int) $min, (int) $max);
            foreach ($days as &$day) $day[0] *= 1000;
            return $days;
        });
    }

    /**
     * Histogram feeds: kWh of each day within each of several ranges of power.
     * $points is a JSON list of their bounds; the answer is
     * [[seconds, kWh in the first range, kWh in the second, …], …], at least
     * five numbers each, 0 where there is nothing.
     */
    public function get_kwhd_atpowers($feedid, $points)
    {
        $points = json_decode(stripslashes((string) $points), true);
        if (!is_array($points) || !array_is_list($points)) return array();

        return $this->answer($feedid, function ($feedid) use ($points) {
            $feed = self::feed($feedid);
            $nothing = array_fill(0, max(5, count($points)), 0);
            $days = array();
            for ($i = 1; $i < count($points); $i++) {
                foreach ($feed->sumByTime((int) $points[$i - 1], (int) $points[$i]) as list($time, $kwh)) {
                    if (!isset($days[$time])) $days[$time] = array($time) + $nothing;
                    $days[$time][$i] = (float) $kwh;
                }
            }
            ksort($days);
            return array_values($days);
        });
    }

    /** What $query says of the feed; null where SQL has to answer. */
    private function answer($feedid, $query)
    {
        $feedid = (int) $feedid;
        if (!extension_loaded('emonfeed')) {
            return self::leave_to_sql('the PHP extension emonfeed is not loaded');
        }
        if ($this->mysqli->host_info !== $this->server) {
            return self::leave_to_sql("the database is at \"{$this->mysqli->host_info}\", ".
                "but emonfeed.datadir was set for \"{$this->server}\"");
        }
        try {
            return $query($feedid);
        } catch (Emonfeed\Exception $error) {
            switch ($error->getCode()) {
                case Emonfeed\Exception::MEMORY:
                    return self::refuse($error->getMessage(), self::TOO_MUCH);
                case Emonfeed\Exception::NO_HISTOGRAM:
                    return self::refuse($error->getMessage(), "feed $feedid is not a histogram feed");
            }
            return self::leave_to_sql($error->getMessage());
        } catch (ValueError $error) {
            return self::refuse("feed $feedid: ".$error->getMessage(), $error->getMessage());
        }
    }

    private static function feed($feedid)
    {
        $folder = (string) ini_get('emonfeed.datadir');
        if ($folder === '') {
            throw new Emonfeed\Exception('emonfeed.datadir is not set: name the folder of the feed files in php.ini');
        }
        return new Emonfeed\Feed("$folder/feed_$feedid.MYD");
    }

    /** The first whole second at or after a time in milliseconds; rows have no others. */
    private static function second($milliseconds)
    {
        return (int) min(max(ceil($milliseconds / 1000), 0), self::END_OF_TIME, PHP_INT_MAX);
    }

    private static function leave_to_sql($why)
    {
        self::log("SQL answers, because $why");
        return null;
    }

    private static function refuse($why, $message)
    {
        self::log($why);
        return array('success' => false, 'message' => $message);
    }

    /** One line in emoncms's log, or PHP's where emoncms has none yet; once in a request. */
    private static function log($text)
    {
        if (isset(self::$logged[$text])) return;
        self::$logged[$text] = true;
        if (class_exists('EmonLogger')) {
            $log = new EmonLogger(__FILE__);
            $log->warn("emonfeed: $text");
        } else {
            error_log("emonfeed: $text");
        }
    }
}
