<?php
// Stand-ins for the classes of emoncms that the native ones extend: the names
// and arguments of emoncms's engines, and answers in plain SQL and plain PHP.
//
// A test sees that an answer came from the file where it forbids the parents'
// reads (Parents::$forbidden), and that it came from the parent by what
// Parents::$asked then holds.

require_once __DIR__ . '/plain.php';

/** What became of the reads that reached a parent. */
final class Parents
{
    public static bool $forbidden = false;
    /** @var list<string> the methods that were asked, as "Class::method" */
    public static array $asked = [];

    public static function read(string $method): void
    {
        self::$asked[] = $method;
        if (self::$forbidden) {
            throw new LogicException("$method was asked, and was not to be");
        }
    }
}

/** Keeps its lines instead of writing a file. */
class EmonLogger
{
    /** @var list<string> "WARN text", from all loggers */
    public static array $lines = [];

    public function __construct($clientFileName)
    {
    }

    public function info($message)
    {
        self::$lines[] = "INFO $message";
    }

    public function warn($message)
    {
        self::$lines[] = "WARN $message";
    }

    public function error($message)
    {
        self::$lines[] = "ERROR $message";
    }
}

interface engine_methods
{
    public function create($feedid, $options);
    public function delete($feedid);
    public function get_meta($feedid);
    public function get_feed_size($feedid);
    public function post($feedid, $feedtime, $value, $arg);
    public function get_data_combined($feedid, $start, $end, $interval, $average, $timezone, $timeformat, $csv, $skipmissing, $limitinterval);
    public function clear($feedid);
    public function trim($feedid, $start_time);
}

/** Prints [time, value] lines as a parent's CSV, and exits. */
function print_and_exit(array $points): void
{
    foreach ($points as [$time, $value]) {
        echo $time, ',', $value ?? 'null', "\n";
    }
    exit;
}

class MysqlTimeSeries implements engine_methods
{
    protected $dir = '';
    protected $generic = true;
    protected $prefix = 'feed_';
    protected $mysqli;
    protected $redis;
    protected $log;
    private $writebuffer = [];

    public function __construct($mysqli, $redis = false, $settings = [])
    {
        $this->mysqli = $mysqli;
        $this->redis = $redis;
        $this->log = new EmonLogger(__FILE__);
        $this->dir = $settings['datadir'] ?? $this->dir;
        $this->prefix = $settings['prefix'] ?? $this->prefix;
        $this->generic = $settings['generic'] ?? $this->generic;
    }

    public function create($feedid, $options)
    {
        $table = $this->get_table_name($feedid);
        $this->mysqli->query("CREATE TABLE $table (time INT UNSIGNED NOT NULL, data FLOAT NOT NULL, UNIQUE (time)) ENGINE=MyISAM");
        return true;
    }

    public function delete($feedid)
    {
        $this->mysqli->query('DROP TABLE ' . $this->get_table_name($feedid));
    }

    public function post($feedid, $time, $value, $arg = null)
    {
        $table = $this->get_table_name($feedid);
        $this->mysqli->query("INSERT INTO $table (time, data) VALUES ('$time', '$value') ON DUPLICATE KEY UPDATE data = VALUES(data)");
    }

    public function post_bulk_prepare($feedid, $time, $value, $arg = null)
    {
        $this->writebuffer[] = [$feedid, $time, $value];
    }

    public function post_bulk_save()
    {
        foreach ($this->writebuffer as $row) {
            $this->post(...$row);
        }
        $this->writebuffer = [];
    }

    public function clear($feedid)
    {
        $this->mysqli->query('TRUNCATE ' . $this->get_table_name($feedid));
        return ['success' => true, 'message' => 'cleared'];
    }

    public function trim($feedid, $start)
    {
        $this->mysqli->query('DELETE FROM ' . $this->get_table_name($feedid) . ' WHERE time < ' . (int)$start);
        return ['success' => true, 'message' => 'trimmed'];
    }

    public function get_table_name($feedid)
    {
        // With generic off, emoncms looks into a .meta file for the name.
        return $this->prefix . ($this->generic ? '' : 'named_') . (int)$feedid;
    }

    public function get_meta($feedid)
    {
        Parents::read(__METHOD__);
        return Expected::mysql_meta($this->rows($feedid), (int)$feedid);
    }

    public function get_feed_size($feedid)
    {
        Parents::read(__METHOD__);
        $status = $this->mysqli->query("SHOW TABLE STATUS LIKE '" . $this->get_table_name($feedid) . "'")->fetch_assoc();
        return $status['Data_length'] + $status['Index_length'];
    }

    public function lastvalue($feedid)
    {
        Parents::read(__METHOD__);
        return Expected::last($this->rows($feedid));
    }

    public function get_data_combined($feedid, $start, $end, $interval, $average = 0, $timezone = 'UTC', $timeformat = 'unix', $csv = false, $skipmissing = 0, $limitinterval = 1)
    {
        Parents::read(__METHOD__);
        $points = Expected::mysql($this->rows($feedid), $start, $end, $interval, $average, $timezone, $limitinterval);
        $points = Expected::as_asked($points, $skipmissing, $csv ? 'unix' : $timeformat);
        return $csv ? print_and_exit($points) : $points;
    }

    public function get_data_DMY_time_of_day($feedid, $start, $end, $mode, $timezone, $timeformat, $split)
    {
        Parents::read(__METHOD__);
        return Expected::time_of_day($this->rows($feedid), (int)$feedid, $start, $end, $mode, $timezone, $split);
    }

    public function export($feedid, $start)
    {
        Parents::read(__METHOD__);
        print_and_exit($this->rows($feedid)->rows('time >= ' . (int)$start));
    }

    private function rows($feedid): PlainSql
    {
        return new PlainSql($this->mysqli, $this->get_table_name($feedid));
    }
}

class PHPTimeSeries implements engine_methods
{
    private $dir = '/var/lib/phptimeseries/';
    public $log;
    private $post_buffer = [];

    public function __construct($settings)
    {
        $this->dir = $settings['datadir'] ?? $this->dir;
        $this->log = new EmonLogger(__FILE__);
    }

    public function create($id, $options)
    {
        return touch($this->file($id));
    }

    public function delete($id)
    {
        unlink($this->file($id));
    }

    public function post($id, $timestamp, $value, $arg = null)
    {
        file_put_contents($this->file($id), pack('CIf', 249, $timestamp, $value), FILE_APPEND | LOCK_EX);
        return $value;
    }

    public function post_bulk_prepare($id, $time, $value, $arg = null)
    {
        $this->post_buffer[] = [$id, $time, $value];
    }

    public function post_bulk_save()
    {
        foreach ($this->post_buffer as $row) {
            $this->post(...$row);
        }
        $this->post_buffer = [];
    }

    public function clear($id)
    {
        file_put_contents($this->file($id), '', LOCK_EX);
        return ['success' => true, 'message' => 'cleared'];
    }

    public function trim($id, $start_time)
    {
        $this->write($id, array_filter($this->rows($id), fn ($row) => $row[0] >= $start_time));
        return ['success' => true, 'message' => 'trimmed'];
    }

    public function get_meta($id)
    {
        Parents::read(__METHOD__);
        $rows = $this->rows($id);
        if ($rows === null) {
            return false;
        }
        $meta = (object)['id' => (int)$id, 'start_time' => 0, 'end_time' => 0, 'interval' => 1];
        if ($rows !== []) {
            [$meta->start_time, $meta->end_time] = [$rows[0][0], end($rows)[0]];
            $meta->end_value = end($rows)[1];
            if ($meta->end_time > $meta->start_time) {
                $meta->interval = ($meta->end_time - $meta->start_time) / (count($rows) - 1.0);
            }
        }
        $meta->npoints = (float)count($rows);
        return $meta;
    }

    public function get_feed_size($id)
    {
        Parents::read(__METHOD__);
        clearstatcache();
        return filesize($this->file($id));
    }

    public function lastvalue($id)
    {
        Parents::read(__METHOD__);
        $rows = $this->rows($id);
        return $rows ? ['time' => end($rows)[0], 'value' => end($rows)[1]] : false;
    }

    public function get_value($id, $time)
    {
        Parents::read(__METHOD__);
        foreach ($this->rows($id) ?? [] as $row) {
            if ($row[0] >= $time) {
                return $row[1];
            }
        }
        return $this->rows($id) === null ? false : null;
    }

    public function get_data_combined($id, $start, $end, $interval, $average = 0, $timezone = 'UTC', $timeformat = 'unix', $csv = false, $skipmissing = 0, $limitinterval = 1)
    {
        Parents::read(__METHOD__);
        if ($end <= $start) {
            return refusal('request end time before start time');
        }
        $rows = $this->rows($id);
        if ($rows === null) {
            return false;
        }
        $points = [];
        foreach ($this->edges((int)$start, (int)$end, $interval, $timezone ?: 'UTC') as [$from, $to]) {
            $inside = array_filter($rows, fn ($row) => $from <= $row[0] && $row[0] < $to);
            $values = array_filter(array_column($inside, 1), 'is_float');
            $first = reset($inside) ?: [$from, null];
            $value = $average ? ($values ? array_sum($values) / count($values) : null) : $first[1];
            if ($value !== null || !$skipmissing) {
                $time = $value !== null && !$average && (int)$limitinterval === 2 ? $first[0] : $from;
                $points[] = $timeformat === 'notime' && !$csv ? $value : [$time, $value];
            }
        }
        return $csv ? print_and_exit($points) : $points;
    }

    public function export($id, $start)
    {
        Parents::read(__METHOD__);
        echo substr(file_get_contents($this->file($id)), intdiv((int)$start, 9) * 9);
        exit;
    }

    public function get_sha256sum($id, $npoints = 0)
    {
        Parents::read(__METHOD__);
        $rows = file_get_contents($this->file($id));
        return hash('sha256', substr($rows, 0, 9 * ($npoints ?: intdiv(strlen($rows), 9))));
    }

    private function file($id): string
    {
        return $this->dir . 'feed_' . (int)$id . '.MYD';
    }

    /** @return ?list<array{0: int, 1: ?float}> in the order of the file */
    private function rows($id): ?array
    {
        if (!is_readable($this->file($id))) {
            return null;
        }
        $rows = [];
        foreach (str_split(file_get_contents($this->file($id)), 9) as $bytes) {
            if (strlen($bytes) === 9) {
                $row = unpack('x/Itime/fvalue', $bytes);
                $rows[] = [$row['time'], is_nan($row['value']) ? null : shortest($row['value'])];
            }
        }
        return $rows;
    }

    private function write($id, array $rows): void
    {
        $bytes = array_map(fn ($row) => pack('CIf', 249, $row[0], $row[1] ?? NAN), $rows);
        file_put_contents($this->file($id), implode('', $bytes), LOCK_EX);
    }

    /** @return list<array{0: int, 1: int}> the windows */
    private function edges(int $start, int $end, $interval, string $zone): array
    {
        $edges = is_numeric($interval)
            ? range($start, $end + (int)$interval, (int)$interval)
            : Zone::called($zone)->edges($start, $end, $interval);
        return array_map(null, array_slice($edges, 0, -1), array_slice($edges, 1));
    }
}
