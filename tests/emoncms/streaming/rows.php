<?php
// Ten million rows, in both kinds of files, and the lines that they should give.

const ROWS = 10000000;
const BEGIN = 1500000000;
const STEP = 10;

/** What the rows hold, over and over: zeros, negative numbers and fractions. */
function values(): array
{
    return array_map(fn ($n) => ($n - 2000) / 8, range(0, 3999));
}

/** The file of PHPTimeSeries, block by block. */
function write_file(string $path): void
{
    $file = fopen($path, 'wb');
    $values = array_map(fn ($value) => pack('g', $value), values());
    for ($row = 0; $row < ROWS; $row += 4000) {
        $block = '';
        foreach ($values as $i => $value) {
            $block .= pack('CV', 249, BEGIN + ($row + $i) * STEP) . $value;
        }
        fwrite($file, $block);
    }
    fclose($file);
}

/** The table; a few rows come late, so that the file is not in the order of time. */
function make_table(mysqli $sql): void
{
    $row = sprintf('%d + seq * %d, (seq %% 4000 - 2000.0) / 8', BEGIN, STEP);
    $late = 'seq % 1000003 = 65536';
    $sql->query('CREATE TABLE feed_2 (time INT UNSIGNED NOT NULL, data FLOAT NOT NULL) ENGINE=MyISAM');
    $sql->query("INSERT INTO feed_2 SELECT $row FROM seq_0_to_" . (ROWS - 1) . " WHERE NOT $late");
    $sql->query("INSERT INTO feed_2 SELECT $row FROM seq_0_to_" . (ROWS - 1) . " WHERE $late");
}

/** What a text is, for comparing long ones. */
final class Text
{
    public int $bytes = 0;
    public int $lines = 0;
    public string $begin = '';
    public string $end = '';
    public string $hash = '';

    /** @param iterable<string> $pieces */
    public function __construct(iterable $pieces)
    {
        $context = hash_init('xxh128');
        foreach ($pieces as $piece) {
            hash_update($context, $piece);
            $this->bytes += strlen($piece);
            $this->lines += substr_count($piece, "\n");
            $this->begin .= strlen($this->begin) < 100 ? substr($piece, 0, 100 - strlen($this->begin)) : '';
            $this->end = substr($this->end . substr($piece, -100), -100);
        }
        $this->hash = hash_final($context);
    }

    /** The lines that the rows should give: plain PHP, a block of 4,000 rows at a time. */
    public static function expected(callable $value, ?DateTimeZone $zone): self
    {
        $ends = array_map(fn ($number) => ',' . $value($number) . "\n", values());
        $pieces = function () use ($ends, $zone): iterable {
            $hour = null;
            for ($row = 0; $row < ROWS; $row += 4000) {
                $block = '';
                foreach ($ends as $i => $end) {
                    $time = BEGIN + ($row + $i) * STEP;
                    if ($zone === null) {
                        $block .= $time . $end;
                        continue;
                    }
                    // In this zone clocks change on the hour.
                    if ($hour !== $time - $time % 3600) {
                        $hour = $time - $time % 3600;
                        $date = (new DateTime("@$hour"))->setTimezone($zone);
                        [$before, $after] = [$date->format('Y-m-d\TH:'), $date->format('P')];
                    }
                    $block .= $before . gmdate('i:s', $time % 3600) . $after . $end;
                }
                yield $block;
            }
        };
        return new self($pieces());
    }
}
