<?php
// The four reads of a feed model of 2013: as SQL that states the right answer,
// and the same with the lines of docs/emoncms-2013.md that ask the file first.

require_once __DIR__ . '/../../php-ext/emoncms/NativeFeedModel2013.php';

class PlainModel2013
{
    protected mysqli $mysqli;
    /** The table's name but for the number; with the column `place`, rows of equal times have an order. */
    private string $prefix;
    private string $ascending;
    private string $descending;

    public function __construct(mysqli $mysqli, string $prefix = 'feed_', bool $has_place = false)
    {
        $this->mysqli = $mysqli;
        $this->prefix = $prefix;
        $this->ascending = $has_place ? 'time, place' : 'time';
        $this->descending = $has_place ? 'time DESC, place DESC' : 'time DESC';
    }

    public function get_data($feedid, $start, $end, $dp)
    {
        $start = (float)$start / 1000;
        $end = (float)$end ? (float)$end / 1000 : (float)time();
        $range = $end - $start;
        $dp = (int)$dp;
        if ($dp > 0 && $range > 180000) {
            return $this->samples((int)$feedid, $start, $range / $dp, $dp);
        }
        $between = sprintf('FROM %s%d WHERE time BETWEEN %.7F AND %.7F AND data IS NOT NULL', $this->prefix, $feedid, $start, $end);
        if ($dp > 0 && $range > 5000) {
            $step = max(1, (int)($range / $dp));
            return $this->ask("SELECT FLOOR(time / $step) * $step * 1000, AVG(data) $between GROUP BY FLOOR(time / $step) ORDER BY 1");
        }
        return $this->ask("SELECT time * 1000, data * 1e0 $between ORDER BY $this->descending");
    }

    public function get_histogram_data($feedid, $start, $end)
    {
        $end = (float)$end ?: time() * 1000;
        $bars = $this->ask(sprintf(
            'SELECT data2 * 1e0, SUM(data) FROM %s%d WHERE time * 1000 >= %.3F AND time * 1000 < %.3F
             AND data2 IS NOT NULL GROUP BY data2 ORDER BY data2',
            $this->prefix,
            $feedid,
            $start,
            $end
        ));
        return array_map(fn ($bar) => [(float)$bar[0], $bar[1]], $bars);
    }

    public function get_kwhd_atpower($feedid, $min, $max)
    {
        return $this->ask(sprintf(
            'SELECT time * 1000, SUM(data) FROM %s%d WHERE data2 BETWEEN %d AND %d
             AND time IS NOT NULL GROUP BY time ORDER BY time',
            $this->prefix,
            $feedid,
            $min,
            $max
        ));
    }

    public function get_kwhd_atpowers($feedid, $points)
    {
        $points = json_decode($points);
        $days = [];
        for ($i = 1; $i < count($points); $i++) {
            foreach (self::get_kwhd_atpower($feedid, $points[$i - 1], $points[$i]) as [$time, $kwh]) {
                $days[$time] ??= array_pad([intdiv($time, 1000)], max(5, count($points)), 0);
                $days[$time][$i] = (float)$kwh;
            }
        }
        ksort($days);
        return array_values($days);
    }

    /** The first row of each step, asked for one by one. */
    private function samples(int $feedid, float $start, float $step, int $dp): array
    {
        $statement = $this->mysqli->prepare("SELECT time * 1000, data * 1e0 FROM {$this->prefix}$feedid
            WHERE time BETWEEN ? AND ? ORDER BY $this->ascending LIMIT 1");
        $statement->bind_param('ii', $from, $to);
        $points = [];
        $from = (int)$start;
        for ($i = 1; $i <= $dp; $i++) {
            $to = (int)($start + (int)($i * $step));
            $statement->execute();
            $point = $statement->get_result()->fetch_row();
            if ($point !== null && $point[1] !== null) {
                $points[] = $point;
            }
            $from = $to;
        }
        return $points;
    }

    /** @return list<array{0: mixed, 1: ?float}> */
    private function ask(string $statement): array
    {
        $rows = $this->mysqli->query($statement)->fetch_all();
        return array_map(fn ($row) => [$row[0] + 0, $row[1] === null ? null : (float)$row[1]], $rows);
    }
}

class WiredModel2013 extends PlainModel2013
{
    public function get_data($feedid, $start, $end, $dp)
    {
        if (($data = (new NativeFeedModel2013($this->mysqli))->get_data($feedid,$start,$end,$dp)) !== null) return $data;
        return parent::get_data($feedid, $start, $end, $dp);
    }

    public function get_histogram_data($feedid, $start, $end)
    {
        if (($data = (new NativeFeedModel2013($this->mysqli))->get_histogram_data($feedid,$start,$end)) !== null) return $data;
        return parent::get_histogram_data($feedid, $start, $end);
    }

    public function get_kwhd_atpower($feedid, $min, $max)
    {
        if (($data = (new NativeFeedModel2013($this->mysqli))->get_kwhd_atpower($feedid,$min,$max)) !== null) return $data;
        return parent::get_kwhd_atpower($feedid, $min, $max);
    }

    public function get_kwhd_atpowers($feedid, $points)
    {
        if (($data = (new NativeFeedModel2013($this->mysqli))->get_kwhd_atpowers($feedid,$points)) !== null) return $data;
        return parent::get_kwhd_atpowers($feedid, $points);
    }
}
