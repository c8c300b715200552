<?php
// What `Emonfeed\Feed` is measured beside. Each class answers two requests, as
// the engines of emoncms do, but all of its code was written for this:
//
//   samples($start, $end, $interval)    a value for $start, $start + $interval, … up to $end
//   averages($start, $end, $interval)   the average of each of these windows
//
// as a list of [time, ?value].

// What emoncms's MysqlTimeSeries asks the server for: a prepared statement for
// each sample, and one grouped query for all averages.
final class MysqlEngine
{
    public function __construct(private mysqli $mysqli, private string $table) {}

    public function samples(int $start, int $end, int $interval): array
    {
        $statement = $this->mysqli->prepare(
            "SELECT time, data FROM $this->table WHERE time BETWEEN ? AND ? ORDER BY time ASC LIMIT 1"
        );
        $statement->bind_param('ii', $from, $to);
        $statement->bind_result($time, $value);
        $points = [];
        for ($from = $start; $from <= $end; $from = $to) {
            $to = $from + $interval;
            $statement->execute();
            $found = $statement->fetch();
            $points[] = [$from, $found && $value !== null ? (float) $value : null];
        }
        return $points;
    }

    // Right only if $start is a multiple of $interval.
    public function averages(int $start, int $end, int $interval): array
    {
        $answer = $this->mysqli->query(
            "SELECT time, AVG(data) AS average FROM $this->table"
                . " WHERE time >= $start AND time < $end GROUP BY FLOOR(time / $interval)"
        );
        $averages = [];
        while ($row = $answer->fetch_array()) {
            $averages[intdiv((int) $row['time'], $interval) * $interval] = (float) $row['average'];
        }
        $points = [];
        for ($time = $start; $time <= $end; $time += $interval) {
            $points[] = [$time, $averages[$time] ?? null];
        }
        return $points;
    }
}

// Reads the table's file as emoncms's PHPTimeSeries reads its own: bisects the
// whole of it for each window. Every row must be there, and in order.
final class RowReader
{
    private const ROW = 9;
    private $file;
    private int $rows;

    public function __construct(string $path)
    {
        $this->file = fopen($path, 'rb');
        $this->rows = intdiv(fstat($this->file)['size'], self::ROW);
    }

    private function row(int $number): array
    {
        fseek($this->file, $number * self::ROW);
        return unpack('x/Vtime/gvalue', fread($this->file, self::ROW));
    }

    // The times of the first and the last row.
    public function span(): array
    {
        return [$this->row(0)['time'], $this->row($this->rows - 1)['time']];
    }

    // The number of the first row at or after $time.
    private function find(int $time): int
    {
        $low = 0;
        $high = $this->rows;
        while ($low < $high) {
            $middle = ($low + $high) >> 1;
            if ($this->row($middle)['time'] < $time) {
                $low = $middle + 1;
            } else {
                $high = $middle;
            }
        }
        return $low;
    }

    public function samples(int $start, int $end, int $interval): array
    {
        $points = [];
        for ($time = $start; $time <= $end; $time += $interval) {
            $value = null;
            $number = $this->find($time);
            if ($number < $this->rows) {
                $row = $this->row($number);
                // As the query of MysqlEngine has it, the end included.
                if ($row['time'] <= $time + $interval) {
                    $value = $row['value'];
                }
            }
            $points[] = [$time, $value];
        }
        return $points;
    }

    public function averages(int $start, int $end, int $interval): array
    {
        $points = [];
        $first = $this->find($start);
        for ($time = $start; $time <= $end; $time += $interval) {
            $next = $this->find($time + $interval);
            $count = $next - $first;
            $value = null;
            if ($count > 0) {
                fseek($this->file, $first * self::ROW);
                $bytes = fread($this->file, $count * self::ROW);
                $sum = 0.0;
                // Values alone: they are all that has to be unpacked.
                for ($at = 5, $length = strlen($bytes); $at < $length; $at += self::ROW) {
                    $sum += unpack('g', $bytes, $at)[1];
                }
                $value = $sum / $count;
            }
            $points[] = [$time, $value];
            $first = $next;
        }
        return $points;
    }
}

// Reads a file with one float32 for each interval, as emoncms's PHPFina does:
// the place of a value is computed. $start must be a multiple of the interval
// away from the file's.
final class FixedReader
{
    private $file;
    private int $slots;

    public function __construct(string $path, private int $origin, private int $every)
    {
        $this->file = fopen($path, 'rb');
        $this->slots = intdiv(fstat($this->file)['size'], 4);
    }

    public function samples(int $start, int $end, int $interval): array
    {
        $points = [];
        for ($time = $start; $time <= $end; $time += $interval) {
            $value = null;
            $slot = intdiv($time - $this->origin, $this->every);
            if ($slot >= 0 && $slot < $this->slots) {
                fseek($this->file, $slot * 4);
                $value = unpack('g', fread($this->file, 4))[1];
                if (is_nan($value)) {
                    $value = null;
                }
            }
            $points[] = [$time, $value];
        }
        return $points;
    }

    public function averages(int $start, int $end, int $interval): array
    {
        $points = [];
        for ($time = $start; $time <= $end; $time += $interval) {
            $from = max(0, intdiv($time - $this->origin, $this->every));
            $to = min($this->slots, intdiv($time + $interval - $this->origin, $this->every));
            $sum = 0.0;
            $count = 0;
            if ($from < $to) {
                fseek($this->file, $from * 4);
                foreach (unpack('g*', fread($this->file, ($to - $from) * 4)) as $value) {
                    if (!is_nan($value)) {
                        $sum += $value;
                        $count++;
                    }
                }
            }
            $points[] = [$time, $count > 0 ? $sum / $count : null];
        }
        return $points;
    }
}

// The program call.c, which makes the calls in C.
final class Caller
{
    private $process;
    private array $pipes = [];

    public function __construct(string $program)
    {
        $this->process = proc_open([$program], [['pipe', 'r'], ['pipe', 'w'], STDERR], $this->pipes);
    }

    private function ask(...$words): string
    {
        fwrite($this->pipes[0], implode("\t", $words) . "\n");
        $line = fgets($this->pipes[1]);
        if ($line === false) {
            fail("a call in C failed: " . implode(' ', $words));
        }
        return rtrim($line, "\n");
    }

    // Whether the library can open feeds that way.
    public function open(string $name, string $path, string $how = '-'): bool
    {
        return $this->ask('open', $name, $path, $how) === 'ok';
    }

    // Seconds of the median call.
    public function windows(string $name, array $range, int $aggregate, int $flags, int $repeats): float
    {
        return (float) $this->ask('windows', $name, ...[...$range, $aggregate, $flags, $repeats]);
    }

    public function json(string $name, array $range, int $aggregate, int $flags, int $repeats): float
    {
        return (float) $this->ask('json', $name, ...[...$range, $aggregate, $flags, $repeats]);
    }

    public function words(string $path, int $repeats): float
    {
        return (float) $this->ask('words', $path, $repeats);
    }

    public function mapAndWords(string $path, int $repeats): float
    {
        return (float) $this->ask('map+words', $path, $repeats);
    }

    public function points(string $name, array $range, int $aggregate, int $flags): array
    {
        $count = (int) $this->ask('points', $name, ...[...$range, $aggregate, $flags]);
        $points = [];
        while ($count-- > 0) {
            [$time, $value] = explode(' ', fgets($this->pipes[1]));
            $points[] = [(int) $time, trim($value) === 'nan' ? null : (float) $value];
        }
        return $points;
    }

    // Ends the program, and its mappings with it.
    public function close(): void
    {
        fclose($this->pipes[0]);
        if (proc_close($this->process) !== 0) {
            fail('the program of calls in C failed');
        }
    }
}
