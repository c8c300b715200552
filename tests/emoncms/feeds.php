<?php
// The feeds that the proof asks: every kind of content in a table of 2013, in
// one of today and in a PHPTimeSeries file, each with its rows as plain SQL
// sees them.
//
// What is random in content and questions comes from EMONFEED_TEST_SEED.

require_once __DIR__ . '/standins.php';
require_once __DIR__ . '/../../php-ext/emoncms/NativeMysqlTimeSeries.php';
require_once __DIR__ . '/../../php-ext/emoncms/NativePHPTimeSeries.php';

final class TestFeed
{
    public string $name;
    public int $id;
    /** @var NativeMysqlTimeSeries|NativePHPTimeSeries */
    public $engine;
    public PlainSql $truth;
    /** Where its class looks for it: the name of the kind, and settings. */
    public array $place;
    /** @var list<int> the times of the rows, ascending */
    public array $times;

    /** @return NativeMysqlTimeSeries|NativePHPTimeSeries as a feed's $place says */
    public static function build(array $place, mysqli $db)
    {
        return $place[0] === 'php' ? new NativePHPTimeSeries($place[1]) : new NativeMysqlTimeSeries($place[1], $db);
    }

    public function is_mysql(): bool
    {
        return $this->engine instanceof MysqlTimeSeries;
    }

    /** The file with the rows. */
    public function file(): string
    {
        return ($this->is_mysql() ? table_folder() . '/' : $this->place[1]['datadir']) . "feed_$this->id.MYD";
    }

    /** The times that questions turn around, in a feed without rows too. */
    public function begin(): int
    {
        return $this->times[0] ?? 1700000000;
    }

    public function finish(): int
    {
        return $this->times === [] ? 1700003600 : end($this->times);
    }

    /** get_data_combined, every point with its time. */
    public function combined($start, $end, $interval, $average, $zone, $limit)
    {
        return $this->is_mysql()
            ? Expected::mysql($this->truth, $start, $end, $interval, $average, $zone, $limit)
            : Expected::php($this->truth, $start, $end, $interval, $average, $zone, $limit);
    }
}

/** Compares get_data_combined with $expected, with and without skipmissing and notime. */
function check_combined(TestFeed $feed, string $what, $expected, $start, $end, $interval, $average = 0, $zone = 'UTC', $limit = 1): void
{
    $alike = 'nearly';
    if (!$average) {
        $alike = $feed->is_mysql() && !is_numeric($interval) ? 'on_a_line' : 'same_single';
    }
    foreach ([[0, 'unix'], [1, 'unix'], [0, 'notime'], [1, 'notime']] as [$skip, $format]) {
        $arguments = [$feed->id, $start, $end, $interval, $average, $zone, $format, false, $skip, $limit];
        if ($skip) {
            // A page's parameters come as text.
            foreach ([0, 4, 8, 9] as $number) {
                $arguments[$number] = (string)$arguments[$number];
            }
        }
        check(
            sprintf('%s, %s: get_data_combined(%s)', $feed->name, $what, substr(json_encode($arguments), 1, -1)),
            Expected::as_asked($expected, $skip, $format),
            $feed->engine->get_data_combined(...$arguments),
            $alike
        );
    }
}

function seed(): int
{
    return (int)(getenv('EMONFEED_TEST_SEED') ?: 2013);
}

/** A value as feeds hold them: counters, temperatures, states, and what strains a FLOAT. */
function random_value(): float
{
    switch (mt_rand(0, 6)) {
        case 0:
            return (float)mt_rand(0, 3);
        case 1:
            return mt_rand(-500, 500) / 10;
        case 2:
            return mt_rand(0, 16777216);
        case 3:
            return mt_rand() / 1e5;
        case 4:
            return -mt_rand() / 1e7;
        case 5:
            return mt_rand(1, 1000) * 1e-6;
        default:
            return mt_rand(0, 100000) / 1000;
    }
}

/**
 * Windows of a fixed interval, wherever they may lie.
 *
 * @return array<string, array{0: mixed, 1: mixed, 2: mixed}> start, end, interval
 */
function window_requests(TestFeed $feed): array
{
    [$b, $e] = [$feed->begin(), $feed->finish()];
    $step = max(1, intdiv($e - $b, 20));
    [$t0, $t1] = [$feed->times[5] ?? $b, $feed->times[6] ?? $b + 10];
    return [
        'all of it' => [$b, $e, $step],
        'from before to after' => [$b - 3 * $step - 1, $e + 3 * $step, $step],
        'before' => [$b - 1000, $b - 1, 100],
        'up to the first row' => [$b - 1000, $b, 100],
        'over the begin' => [$b - 305, $b + 400, 50],
        'over the end' => [$e - 305, $e + 400, 50],
        'from the last row on' => [$e, $e + 1000, 100],
        'after' => [$e + 1, $e + 1000, 100],
        'edges on rows' => [$t0, $t0 + 5 * ($t1 - $t0), $t1 - $t0],
        'edges beside rows' => [$t0 + 1, $t0 + 5 * ($t1 - $t0), $t1 - $t0],
        'rows on the end' => [$t0 - 7, $t1, 3],
        'the end is an edge' => [$b, $b + 100, 20],
        'the end is no edge' => [$b, $b + 109, 20],
        'multiples of the interval' => [intdiv($b, 60) * 60, intdiv($b, 60) * 60 + 900, 60],
        'one moment' => [$t0, $t0, 10],
        'end before start' => [$b + 10, $b, 10],
        'an interval longer than the feed' => [$b - 10, $e, $e - $b + 100],
        'every second' => [$t0, $t0 + 30, 1],
        'interval 0' => [$t0, $t0 + 20, 0],
        'an interval below 0' => [$t0, $t0 + 20, -5],
        'an interval in text' => [$b, $b + 100, '15'],
        'an interval that is no number' => [$t0, $t0 + 10, 'hourly'],
        'an interval with a fraction' => [$b, $b + 100, 7.9],
        'times in text' => [(string)$b, (string)($b + 100), 20],
        'times with a fraction' => [$b + 0.9, $b + 100.9, 20.0],
        'before 1970' => [-500, 300, 40],
        'after 2106' => [4294967200, 4294967500, 20],
    ];
}

/** Windows of a fixed interval somewhere around the feed. */
function random_windows(TestFeed $feed): array
{
    [$b, $e] = [$feed->begin(), $feed->finish()];
    $margin = intdiv($e - $b, 10) + 100;
    $start = mt_rand($b - $margin, $e + $margin);
    if ($feed->times !== [] && mt_rand(0, 1)) {
        $start = $feed->times[array_rand($feed->times)] + mt_rand(-1, 1);
    }
    $interval = [1, 5, 10, 60, 900, 3600, mt_rand(1, 100), mt_rand(1, 10000)][mt_rand(0, 7)];
    return [$start, $start + $interval * mt_rand(0, 25) + mt_rand(0, 1) * mt_rand(0, $interval), $interval];
}

/** Makes the feeds, in the connection's database and a new folder. */
final class Feeds
{
    private const GENERATIONS = [
        '2013' => 'time INT UNSIGNED, data FLOAT, INDEX (time)',
        'today' => 'time INT UNSIGNED NOT NULL, data FLOAT NOT NULL, UNIQUE (time)',
    ];

    private mysqli $db;
    private string $folder;
    private int $next = 1;

    public function __construct(mysqli $db)
    {
        $this->db = $db;
        $this->folder = new_folder('phptimeseries');
        mt_srand(seed());
        printf("  EMONFEED_TEST_SEED=%d\n", seed());
    }

    /** Every kind of content, but the long one. @return list<TestFeed> */
    public function all(): array
    {
        $regular = fn () => $this->rows(1700000000, 400, fn () => 10);
        $gappy = fn () => $this->rows(1699999983, 300, fn () => mt_rand(0, 9) ? mt_rand(5, 15) : mt_rand(100, 4000));
        return array_merge(
            $this->make('regular', $regular),
            $this->make('gappy', $gappy),
            $this->make('unsorted', $regular, [$this, 'shuffle']),
            $this->make('edited', $gappy, function (string $table): void {
                $this->run("UPDATE $table SET data = data + 1000 WHERE time % 3 = 0");
                $this->run("UPDATE $table SET data = -data WHERE time % 7 = 0");
            }),
            $this->make('with NULLs', $gappy, function (string $table): void {
                $this->run("UPDATE $table SET data = NULL WHERE time % 4 = 1");
                $this->run("UPDATE $table SET data = NULL WHERE time BETWEEN 1700001000 AND 1700003000");
                $this->run("INSERT INTO $table VALUES (NULL, 5), (NULL, NULL), (1699999000, NULL), (1700400000, NULL)");
            }, ['2013', 'php']),
            $this->make('times twice', $regular, function (string $table): void {
                $this->run("INSERT INTO $table SELECT time, data + 1 FROM $table WHERE time % 70 = 0");
                $this->run("INSERT INTO $table SELECT time, NULL FROM $table WHERE time % 90 = 0");
                $this->run("INSERT INTO $table SELECT time, data - 1 FROM $table ORDER BY time LIMIT 1");
                $this->run("INSERT INTO $table SELECT time, data - 1 FROM $table ORDER BY time DESC LIMIT 1");
            }, ['2013', 'php']),
            $this->make('empty', fn () => []),
            $this->make('emptied', $regular, fn (string $table) => $this->run("DELETE FROM $table")),
            $this->make('one row', fn () => [[1700000123, 0.1]]),
            $this->make('one zero', fn () => [[1700000123, 0.0]]),
            $this->make('one NULL', fn () => [[1700000123, null]], null, ['2013', 'php']),
            $this->make('two rows', fn () => [[1700000123, 0.1], [1700090000, 16777215.0]]),
            $this->make('from midnight to midnight', fn () => $this->rows(1699920000, 49, fn () => 3600)),
            $this->make('the ends of time', fn () => [
                [0, 1.5], [1, -0.1], [7, 3.4e38], [4294967200, 1e-45], [4294967294, 2.5], [4294967295, 1e10],
            ])
        );
    }

    /** Rows over 15 years, dense around each of $moments. @return list<TestFeed> */
    public function long(array $moments): array
    {
        sort($moments);
        return $this->make('long', function () use ($moments): array {
            $rows = [];
            $time = 1262304000 + mt_rand(0, 3600);
            while ($time < 1735689600) {
                $rows[] = [$time, random_value()];
                $dense = false;
                foreach ($moments as $moment) {
                    $dense = $dense || abs($time - $moment) < 3 * 86400;
                }
                // A few gaps are longer than a day, a week and a month.
                $gap = mt_rand(0, 400) ? mt_rand(3600, 72000) : mt_rand(100000, 4000000);
                $time += $dense ? mt_rand(300, 1500) : $gap;
                foreach ($moments as $moment) {
                    $edge = $moment - 3 * 86400;
                    $time = end($rows)[0] < $edge ? min($time, $edge) : $time;
                }
            }
            return $rows;
        }, [$this, 'shuffle']);
    }

    /** @return list<array{0: int, 1: float}> */
    private function rows(int $begin, int $count, callable $step): array
    {
        $rows = [];
        for ($time = $begin; count($rows) < $count; $time += $step()) {
            $rows[] = [$time, random_value()];
        }
        return $rows;
    }

    /** Slots that are used again, late rows, and times that are changed. */
    public function shuffle(string $table): void
    {
        [$begin, $finish, $count] = array_map('intval', $this->db->query("SELECT MIN(time), MAX(time), COUNT(*) FROM $table")->fetch_row());
        for ($i = 0; $i < $count / 10; $i++) {
            $time = mt_rand($begin + 1, $finish - 1);
            $this->run("DELETE FROM $table WHERE time >= $time ORDER BY time LIMIT 1");
            $time = mt_rand($begin + 1, $finish - 1);
            $value = random_value();
            $this->run("INSERT IGNORE INTO $table VALUES ($time, $value)");
            $time = mt_rand($begin + 1, $finish - 1);
            $this->run("UPDATE IGNORE $table SET time = time + 7 WHERE time >= $time ORDER BY time LIMIT 1");
        }
    }

    /**
     * One content in every generation of tables and in a PHPTimeSeries file.
     * $rows makes it, $edit changes it afterwards.
     *
     * @return list<TestFeed>
     */
    public function make(string $name, callable $rows, ?callable $edit = null, array $kinds = ['2013', 'today', 'php']): array
    {
        $feeds = [];
        foreach ($kinds as $kind) {
            $feed = new TestFeed();
            $feed->id = $this->next++;
            $feed->name = "$name ($kind)";
            $table = ($kind === 'php' ? 'rows_' : 'feed_') . $feed->id;
            $this->run("DROP TABLE IF EXISTS $table");
            $this->run("CREATE TABLE $table (" . self::GENERATIONS[$kind === 'today' ? 'today' : '2013'] . ') ENGINE=MyISAM');
            $this->insert($table, $rows());
            if ($edit !== null) {
                $edit($table);
            }
            $feed->truth = $kind === 'today' ? new PlainSql($this->db, $table) : $this->in_place($table);
            $feed->times = array_column($feed->truth->rows('TRUE'), 0);
            if ($kind === 'php') {
                $this->write_file($feed->id, $table);
                $feed->place = ['php', ['datadir' => $this->folder]];
            } else {
                $feed->place = ['mysql', ['dir' => table_folder(), 'server' => server_of($this->db)]];
            }
            $feed->engine = TestFeed::build($feed->place, $this->db);
            $feeds[] = $feed;
        }
        return $feeds;
    }

    private function insert(string $table, array $rows): void
    {
        foreach (array_chunk($rows, 1000) as $chunk) {
            $values = array_map(fn ($row) => sprintf('(%d, %s)', $row[0], $row[1] === null ? 'NULL' : var_export($row[1], true)), $chunk);
            $this->run("INSERT INTO $table VALUES " . implode(', ', $values));
        }
    }

    /** A copy that knows the order of the rows in the file: without an index to serve it, SQL reads them in that order. */
    private function in_place(string $table): PlainSql
    {
        $copy = "in_place_$table";
        $this->run("DROP TABLE IF EXISTS $copy");
        $this->run("CREATE TABLE $copy (place INT AUTO_INCREMENT PRIMARY KEY, time INT UNSIGNED, data FLOAT, INDEX (time, place)) ENGINE=MyISAM");
        $this->run("INSERT INTO $copy (time, data) SELECT time, data FROM $table");
        return new PlainSql($this->db, $copy, 'place');
    }

    /** The rows as PHPTimeSeries writes them. It knows no NULL times, and NAN for no value. */
    private function write_file(int $id, string $table): void
    {
        $bytes = '';
        foreach ($this->db->query("SELECT time, data * 1e0 FROM $table")->fetch_all() as [$time, $value]) {
            if ($time !== null) {
                $bytes .= pack('CVg', 249, (int)$time, $value === null ? NAN : (float)$value);
            }
        }
        file_put_contents("{$this->folder}feed_$id.MYD", $bytes);
    }

    private function run(string $statement): void
    {
        $this->db->query($statement);
    }
}
