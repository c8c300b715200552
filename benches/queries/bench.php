<?php
// What the scripts that measure share.

function fail(string $why): never
{
    fwrite(STDERR, "queries: $why\n");
    exit(1);
}

// Warnings would be wrong figures.
set_error_handler(function ($level, $message, $file, $line) {
    if (!(error_reporting() & $level)) {
        return false;
    }
    throw new ErrorException($message, 0, $level, $file, $line);
});

// The private server; its socket by the bare name, because a path of one may
// have no more than 107 bytes.
function connect(string $folder): mysqli
{
    mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
    $before = getcwd();
    chdir("$folder/server");
    $mysqli = new mysqli(null, get_current_user(), null, 'emoncms', null, 'sock');
    chdir($before);
    return $mysqli;
}

function median(array $values): float
{
    sort($values);
    $middle = intdiv(count($values) - 1, 2);
    return ($values[$middle] + $values[count($values) - 1 - $middle]) / 2;
}

// Seconds of the median of $repeats calls, after one that does not count. What
// a call gives is freed before the clock stops. With 0 repeats the first counts.
function timed(callable $call, int $repeats): float
{
    $took = [];
    for ($i = $repeats > 0 ? -1 : 0; $i < max(1, $repeats); $i++) {
        $begun = hrtime(true);
        $answer = $call();
        $answer = null;
        $took[$i] = (hrtime(true) - $begun) / 1e9;
    }
    unset($took[-1]);
    return median($took);
}

// The questions that are asked of the feed, as [start, end, interval]; what
// they rest on comes from queries.sh.
final class Questions
{
    public const SAMPLES = 1000;
    // Between the readings.
    public const EVERY = 5;

    // $first and $last: the times of the feed's first and last row.
    public function __construct(public int $first, public int $last) {}

    // The latest so many days; every sample at the beginning of a slot of the
    // fixed-interval file.
    public function latest(int $days): array
    {
        $interval = intdiv($days * 86400, self::SAMPLES * self::EVERY) * self::EVERY;
        $start = intdiv($this->last, $interval) * $interval - self::SAMPLES * $interval;
        return [$start, $start + (self::SAMPLES - 1) * $interval, $interval];
    }

    // The whole feed and an hour more, for the rows to come, in as many windows
    // and one behind them that is empty: what emoncms asks for ends before its
    // $end. It begins at a multiple of the interval, as the query of
    // MysqlEngine wants it.
    public function whole(): array
    {
        $span = $this->last + 3600 - $this->first;
        $interval = (intdiv($span, (self::SAMPLES - 1) * self::EVERY) + 1) * self::EVERY;
        $start = intdiv($this->first, $interval) * $interval;
        return [$start, $start + self::SAMPLES * $interval, $interval];
    }

    // Samples of all of it.
    public function all(): array
    {
        $interval = intdiv($this->last - $this->first, self::SAMPLES * self::EVERY) * self::EVERY;
        $start = intdiv($this->first, self::EVERY) * self::EVERY;
        return [$start, $start + (self::SAMPLES - 1) * $interval, $interval];
    }
}

// A file of lines: what was measured, and a figure. In turns: every contender
// once in each round, in another order each time.
final class Results
{
    private $file;

    public function __construct(string $path, private int $rounds)
    {
        $this->file = fopen($path, 'ab');
    }

    public function add(string $name, float $figure): void
    {
        fwrite($this->file, sprintf("%s\t%.9f\n", $name, $figure));
    }

    // $contenders: name => a function that gives its seconds, or null if that
    // cannot be measured here. $prepare is called before each.
    public function turns(string $what, array $contenders, ?callable $prepare = null): void
    {
        fwrite(STDERR, date('H:i:s') . "  $what\n");
        $names = array_keys($contenders);
        for ($round = 0; $round < $this->rounds; $round++) {
            foreach ($names as $name) {
                if ($prepare !== null) {
                    $prepare();
                }
                $seconds = $contenders[$name]();
                if ($seconds !== null) {
                    $this->add("$what $name", $seconds);
                }
            }
            $names[] = array_shift($names);
        }
    }
}

// --- whether answers are equal ------------------------------------------------

// Ends it all at the first point where two answers differ. $equal compares two
// values that are not null.
function compare(string $what, array $points, array $others, callable $equal): void
{
    if (count($points) !== count($others)) {
        fail("$what: " . count($points) . ' points against ' . count($others));
    }
    $values = 0;
    foreach ($points as $i => [$time, $value]) {
        [$otherTime, $other] = $others[$i];
        $values += $value !== null;
        $same = $value === null || $other === null ? $value === $other : $equal($value, $other);
        if ($time !== $otherTime || !$same) {
            fail("$what: point $i is " . json_encode($points[$i]) . ' against ' . json_encode($others[$i]));
        }
    }
    if ($values < count($points) / 2) {
        fail("$what: only $values points have a value");
    }
}

function sameSingle(float $a, float $b): bool
{
    return pack('g', $a) === pack('g', $b);
}

// MySQL prints six digits of a FLOAT.
function sameSixDigits(float $a, float $b): bool
{
    return sprintf('%.5e', $a) === sprintf('%.5e', $b);
}

function sameAverage(float $a, float $b): bool
{
    return abs($a - $b) <= 1e-9 * max(abs($a), abs($b));
}
