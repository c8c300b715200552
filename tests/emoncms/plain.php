<?php
// What the classes for emoncms have to answer, said in plain SQL: a statement
// for each window, as emoncms itself asks. Slow, and so simple that one sees
// it is right.

require_once __DIR__ . '/zones.php';

/** A FLOAT's exact value as the shortest number that reads back as the same FLOAT. */
function shortest(float $value): float
{
    for ($digits = 1; $digits < 9; $digits++) {
        $candidate = (float)sprintf('%.' . ($digits - 1) . 'e', $value);
        if (pack('g', $candidate) === pack('g', $value)) {
            return $candidate;
        }
    }
    return (float)sprintf('%.8e', $value);
}

/** The same FLOAT, in as many digits: 19794.0625 has two shortest numbers, 19794.062 and 19794.063. */
function same_single(float $expected, float $got): bool
{
    return pack('g', $expected) === pack('g', $got) && digits($expected) === digits($got);
}

function digits(float $value): int
{
    for ($digits = 1; (float)sprintf('%.' . ($digits - 1) . 'e', $value) !== $value; $digits++);
    return $digits;
}

/** Nearly equal, or what is nearly equal is a FLOAT and was answered as its shortest number. */
function on_a_line(float $expected, float $got): bool
{
    $single = unpack('g', pack('g', $got))[1];
    return nearly($expected, $got) || nearly($expected, $single) && same_single(shortest($single), $got);
}

/** The answer an engine gives where there is nothing to answer. */
function refusal(string $message): array
{
    return ['success' => false, 'message' => $message];
}

/** The rows of one feed, as a table. */
final class PlainSql
{
    // FLOAT alone would come with six digits; the product is a DOUBLE.
    private const VALUE = 'data * 1e0';

    private mysqli $db;
    public string $table;
    private string $ascending;
    private string $descending;

    /** With $place, the rows of equal times are in the order of that column. */
    public function __construct(mysqli $db, string $table, string $place = '')
    {
        $this->db = $db;
        $this->table = $table;
        $this->ascending = $place === '' ? 'time' : "time, $place";
        $this->descending = $place === '' ? 'time DESC' : "time DESC, $place DESC";
    }

    /** The one row that a statement on this table answers, as a list. */
    public function ask(string $columns, string $rest): ?array
    {
        return $this->db->query("SELECT $columns FROM $this->table $rest")->fetch_row();
    }

    /** @return array{0: int, 1: ?float}|null the first row that $where picks, in the order of time */
    public function first(string $where): ?array
    {
        return $this->row("WHERE time IS NOT NULL AND ($where) ORDER BY $this->ascending LIMIT 1");
    }

    /** @return array{0: int, 1: ?float}|null */
    public function last(string $where): ?array
    {
        return $this->row("WHERE time IS NOT NULL AND ($where) ORDER BY $this->descending LIMIT 1");
    }

    private function row(string $rest): ?array
    {
        $row = $this->ask('time, ' . self::VALUE, $rest);
        return $row === null ? null : [(int)$row[0], $row[1] === null ? null : shortest((float)$row[1])];
    }

    /** Every row that $where picks, in the order of time. @return list<array{0: int, 1: ?float}> */
    public function rows(string $where): array
    {
        $answer = [];
        $sql = 'SELECT time, ' . self::VALUE . " FROM $this->table WHERE time IS NOT NULL AND ($where) ORDER BY $this->ascending";
        foreach ($this->db->query($sql)->fetch_all() as [$time, $value]) {
            $answer[] = [(int)$time, $value === null ? null : shortest((float)$value)];
        }
        return $answer;
    }

    /** AVG, MIN, MAX or SUM over from <= time < to. */
    public function over(string $function, int $from, int $to): ?float
    {
        $value = $this->ask("$function(" . self::VALUE . ')', "WHERE time >= $from AND time < $to")[0];
        return $value === null ? null : (float)$value;
    }

    public function count(int $from, int $to): int
    {
        return (int)$this->ask('COUNT(data)', "WHERE time >= $from AND time < $to")[0];
    }

    /** On the straight line between the rows around $time; null outside the feed and beside a row without value. */
    public function linear(int $time): ?float
    {
        $before = $this->last("time <= $time");
        if ($before !== null && $before[0] === $time) {
            return $before[1];
        }
        $after = $this->first("time > $time");
        if ($before === null || $after === null || $before[1] === null || $after[1] === null) {
            return null;
        }
        [$t0, $t1] = [$before[0], $after[0]];
        $exact = fn (int $t, string $order) => (float)$this->ask(self::VALUE, "WHERE time = $t ORDER BY $order LIMIT 1")[0];
        [$v0, $v1] = [$exact($t0, $this->descending), $exact($t1, $this->ascending)];
        return $v0 + ($v1 - $v0) * ($time - $t0) / ($t1 - $t0);
    }
}

/**
 * The results of the engines' methods. get_data_combined and
 * get_data_aggregate are here with every point and its time; as_asked() is the
 * rest.
 */
final class Expected
{
    private const UNITS = ['daily', 'weekly', 'monthly', 'annual'];

    /** MysqlTimeSeries::get_data_combined. */
    public static function mysql(PlainSql $feed, $start, $end, $interval, $average = 0, $zone = 'UTC', $limit = 1)
    {
        [$start, $end] = [(int)$start, (int)$end];
        if (in_array($interval, self::UNITS, true)) {
            [$begin, $finish] = self::range($feed);
            if ($begin === null) {
                return false;
            }
            $edges = Zone::called($zone ?: 'UTC')->edges($start, $end, $interval);
            return self::each($edges, function (int $from, int $to) use ($feed, $average, $begin, $finish): array {
                if ($average) {
                    return [$from, $feed->over('AVG', $from, $to)];
                }
                return [$from, $begin < $from && $from < $finish ? $feed->linear($from) : null];
            });
        }
        return self::each(self::ticks($start, $end, $interval), function (int $from, int $to) use ($feed, $average, $end, $limit): array {
            if ($average) {
                return [$from, $feed->over('AVG', $from, min($to, $end))];
            }
            return self::sample($feed->first("time BETWEEN $from AND $to"), $from, $limit);
        });
    }

    /** PHPTimeSeries::get_data_combined. */
    public static function php(PlainSql $feed, $start, $end, $interval, $average = 0, $zone = 'UTC', $limit = 1)
    {
        [$start, $end] = [(int)$start, (int)$end];
        if ($end <= $start) {
            return refusal('request end time before start time');
        }
        $edges = in_array($interval, self::UNITS, true)
            ? Zone::called($zone ?: 'UTC')->edges($start, $end, $interval)
            : self::ticks($start, $end, $interval);
        return self::each($edges, function (int $from, int $to) use ($feed, $average, $limit): array {
            if ($average) {
                return [$from, $feed->over('AVG', $from, $to)];
            }
            return self::sample($feed->first("time >= $from AND time < $to"), $from, $limit);
        });
    }

    /** MysqlTimeSeries::get_data_DMY_time_of_day. */
    public static function time_of_day(PlainSql $feed, int $id, $start, $end, $mode, $zone, string $split)
    {
        $hours = json_decode($split);
        if (!in_array($mode, self::UNITS, true) || !is_array($hours) || count($hours) > 48) {
            return false;
        }
        [$begin, $finish, $count] = self::range($feed);
        if ($count < 2) {
            return refusal("Feed $id does not contain enough datapoints yet");
        }
        $answer = [];
        $edges = Zone::called($zone ?: 'UTC')->edges((int)$start, (int)$end, $mode);
        foreach (array_slice($edges, 0, -1) as $edge) {
            $values = [];
            foreach ($hours as $hour) {
                $time = $edge + (int)((float)$hour * 3600);
                $inside = $begin < $edge && $edge < $finish;
                $values[] = $inside && $time < $finish ? $feed->linear($time) : null;
            }
            $answer[] = [$edge, $values];
        }
        return $answer;
    }

    /** get_data_aggregate of both. */
    public static function aggregate(PlainSql $feed, $start, $end, $interval, string $aggregate, $zone = 'UTC', $limit = 1)
    {
        [$start, $end] = [(int)$start, (int)$end];
        $edges = in_array($interval, self::UNITS, true)
            ? Zone::called($zone ?: 'UTC')->edges($start, $end, $interval)
            : self::ticks($start, $end, $interval);
        return self::each($edges, function (int $from, int $to) use ($feed, $aggregate, $limit): array {
            $inside = "time >= $from AND time < $to";
            switch ($aggregate) {
                case 'first':
                    return self::sample($feed->first($inside), $from, $limit);
                case 'last':
                    return self::sample($feed->last($inside), $from, $limit);
                case 'previous':
                    return self::sample($feed->last("time <= $from"), $from, $limit);
                case 'min':
                case 'max':
                    $extreme = "SELECT $aggregate(data) FROM $feed->table WHERE $inside";
                    return self::sample($feed->first("$inside AND data = ($extreme)"), $from, $limit);
                case 'average':
                    return [$from, $feed->over('AVG', $from, $to)];
                case 'sum':
                    return [$from, $feed->over('SUM', $from, $to)];
                case 'count':
                    return [$from, (float)$feed->count($from, $to)];
            }
            throw new LogicException($aggregate);
        });
    }

    /** lastvalue of both. */
    public static function last(PlainSql $feed)
    {
        $row = $feed->last('TRUE');
        return $row === null ? false : ['time' => $row[0], 'value' => $row[1]];
    }

    /** get_value of PHPTimeSeries. */
    public static function value(PlainSql $feed, $time): ?float
    {
        return $feed->first('time >= ' . (int)$time)[1] ?? null;
    }

    /** get_meta of MysqlTimeSeries. */
    public static function mysql_meta(PlainSql $feed, int $id): stdClass
    {
        [$begin, $finish, $count] = self::range($feed);
        return (object)[
            'id' => $id,
            'table_name' => "feed_$id",
            'value_type' => 'FLOAT NOT NULL',
            'start_time' => $begin ?? 0,
            'end_time' => $finish ?? 0,
            'npoints' => $count,
            'interval' => $count === 0 ? 0 : floor(($finish - $begin) / $count),
        ];
    }

    /** get_meta of PHPTimeSeries. */
    public static function php_meta(PlainSql $feed, int $id): stdClass
    {
        [$begin, $finish, $count] = self::range($feed);
        $meta = (object)['id' => $id, 'start_time' => $begin ?? 0, 'end_time' => $finish ?? 0, 'interval' => 1];
        if ($count > 0) {
            $meta->end_value = $feed->last('TRUE')[1];
            if ($finish > $begin) {
                $meta->interval = ($finish - $begin) / ($count - 1.0);
            }
        }
        $meta->npoints = (float)$count;
        return $meta;
    }

    /** What an answer with all its points becomes for skipmissing and notime. */
    public static function as_asked($answer, $skip, $format)
    {
        if (!is_array($answer) || isset($answer['success'])) {
            return $answer;
        }
        $points = (int)$skip ? array_values(array_filter($answer, fn ($point) => $point[1] !== null)) : $answer;
        return $format === 'notime' ? array_column($points, 1) : $points;
    }

    /** Edges of a fixed interval, the end of the last window included. @return list<int> */
    private static function ticks(int $start, int $end, $interval): array
    {
        $step = max(1, (int)$interval);
        return $start > $end ? [] : range($start, $start + (intdiv($end - $start, $step) + 1) * $step, $step);
    }

    /** The first and the last time and the number of rows. */
    private static function range(PlainSql $feed): array
    {
        [$begin, $finish, $count] = $feed->ask('MIN(time), MAX(time), COUNT(time)', '');
        return [$begin === null ? null : (int)$begin, $finish === null ? null : (int)$finish, (int)$count];
    }

    /** @param ?array{0: int, 1: ?float} $row */
    private static function sample(?array $row, int $from, $limit): array
    {
        $value = $row[1] ?? null;
        return [$value !== null && (int)$limit === 2 ? $row[0] : $from, $value];
    }

    private static function each(array $edges, callable $window): array
    {
        $answer = [];
        for ($i = 0; $i + 1 < count($edges); $i++) {
            $answer[] = $window($edges[$i], $edges[$i + 1]);
        }
        return $answer;
    }
}
