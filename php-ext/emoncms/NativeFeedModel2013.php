<?php
// SPDX-License-Identifier: AGPL-3.0-or-later

require_once __DIR__.'/NativeNames.php';

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

    public function __construct($mysqli)
    {
        $this->mysqli = $mysqli;
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
        $points = is_string($points) ? json_decode(stripslashes($points), true) : null;
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
        try {
            $this->see_that_files_are_the_tables();
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

    /** Throws if emonfeed.datadir is not where this database keeps its tables: after a move, the files left behind are old. */
    private function see_that_files_are_the_tables()
    {
        $folder = self::folder();
        $host = $this->mysqli->host_info;
        if (!preg_match('/^(Localhost via UNIX socket|127\.0\.0\.1 |localhost )/i', $host)) {
            throw new Emonfeed\Exception("the database is not on this machine ($host)");
        }
        list($datadir, $database) = $this->mysqli->query('SELECT @@datadir, DATABASE()')->fetch_row();
        $name = NativeNames::file((string) $database);
        if (realpath("$datadir/$name") !== realpath($folder)) {
            throw new Emonfeed\Exception("the database keeps its tables in $datadir$name, but emonfeed.datadir is $folder");
        }
    }

    private static function folder()
    {
        $folder = (string) ini_get('emonfeed.datadir');
        if ($folder === '') {
            throw new Emonfeed\Exception('emonfeed.datadir is not set: name the folder of the feed files in php.ini');
        }
        return $folder;
    }

    private static function feed($feedid)
    {
        return new Emonfeed\Feed(self::folder()."/feed_$feedid.MYD");
    }

    /** The first whole second at or after a time in milliseconds; rows have no others. */
    private static function second($milliseconds)
    {
        $second = min(max(ceil($milliseconds / 1000), 0), self::END_OF_TIME);
        // Where int ends in 2038, the extension takes whole floats.
        return $second > PHP_INT_MAX ? $second : (int) $second;
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
