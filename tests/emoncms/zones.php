<?php
// Days, weeks, months and years of a time zone, from what the C library knows
// of the zone (zdump) and plain arithmetic: PHP's own calendar, by which the
// classes for emoncms count, has no part in it.

final class Zone
{
    /** @var array<int, array{0: int, 1: int}> from when on the zone is how many seconds east of UTC */
    private array $changes = [];

    /** The zone called $name; the same object each time. */
    public static function called(string $name): Zone
    {
        static $known = [];
        return $known[$name] ??= new Zone($name);
    }

    private function __construct(string $name)
    {
        if (preg_match('/^([+-])(\d\d):(\d\d)$/', $name, $found)) {
            $this->changes = [[PHP_INT_MIN, (int)($found[1] . '1') * ($found[2] * 3600 + $found[3] * 60)]];
            return;
        }
        if (!is_file("/usr/share/zoneinfo/$name")) {
            throw new RuntimeException("no zone $name in /usr/share/zoneinfo");
        }
        exec('zdump -v -c 1960,2200 ' . escapeshellarg($name), $lines);
        $moment = '/ (\w{3}) +(\d+) (\d+):(\d+):(\d+) (\d+) UT = .* gmtoff=(-?\d+)$/';
        foreach ($lines as $line) {
            if (!preg_match($moment, $line, $found)) {
                continue;
            }
            [, $month, $day, $hour, $minute, $second, $year, $offset] = $found;
            $month = intdiv(strpos('JanFebMarAprMayJunJulAugSepOctNovDec', $month), 3) + 1;
            $time = gmmktime((int)$hour, (int)$minute, (int)$second, $month, (int)$day, (int)$year);
            // Each change is two lines: the second before it, and its own.
            if ($this->changes === []) {
                $this->changes[] = [PHP_INT_MIN, (int)$offset];
            } elseif (end($this->changes)[1] !== (int)$offset) {
                $this->changes[] = [$time, (int)$offset];
            }
        }
        if ($this->changes === []) {
            // Its clocks never change.
            $offset = exec('TZ=' . escapeshellarg($name) . ' date --date=@0 +%z');
            $this->changes = self::called(substr_replace($offset, ':', 3, 0))->changes;
        }
    }

    /** When the zone's offset changes, from $from on and before $to. @return list<int> */
    public function changes(int $from, int $to): array
    {
        return array_values(array_filter(array_column($this->changes, 0), fn ($time) => $from <= $time && $time < $to));
    }

    /** Seconds east of UTC at $time. */
    public function offset(int $time): int
    {
        $offset = 0;
        foreach ($this->changes as [$from, $after]) {
            if ($from > $time) {
                break;
            }
            $offset = $after;
        }
        return $offset;
    }

    /** The date at $time, as days since 1 January 1970. */
    public function day(int $time): int
    {
        return (int)floor(($time + $this->offset($time)) / 86400);
    }

    /** The first second of a day: midnight, or what comes in its place where the clocks leap over it. */
    public function begin(int $day): int
    {
        $midnight = $day * 86400;
        foreach ($this->changes as $i => [$from, $offset]) {
            $until = $this->changes[$i + 1][0] ?? PHP_INT_MAX;
            $begin = max($from, $midnight - $offset);
            if ($begin < $until) {
                return $begin;
            }
        }
        throw new LogicException('the last offset holds for ever');
    }

    /**
     * The begin of the day, month or year that $start is in, or of the first
     * Monday from its day on; then of all that follow, to the first after $end.
     *
     * @return list<int>
     */
    public function edges(int $start, int $end, string $unit): array
    {
        $day = $this->day($start);
        [$year, $month] = array_map('intval', explode(' ', gmdate('Y n', $day * 86400)));
        if ($unit === 'weekly') {
            // Day 0 was a Thursday.
            $day += (4 - $day % 7 + 7) % 7;
        } elseif ($unit === 'annual') {
            $month = 1;
        }
        $edges = [];
        for ($n = 0; $edges === [] || end($edges) <= $end; $n++) {
            switch ($unit) {
                case 'daily':
                    $at = $day + $n;
                    break;
                case 'weekly':
                    $at = $day + 7 * $n;
                    break;
                case 'monthly':
                    $at = intdiv(gmmktime(0, 0, 0, $month + $n, 1, $year), 86400);
                    break;
                case 'annual':
                    $at = intdiv(gmmktime(0, 0, 0, 1, 1, $year + $n), 86400);
                    break;
                default:
                    throw new LogicException($unit);
            }
            $begin = $this->begin($at);
            // A day that a place left out altogether has no begin of its own.
            if ($edges === [] || $begin > end($edges)) {
                $edges[] = $begin;
            }
        }
        return $edges;
    }
}
