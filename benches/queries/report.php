<?php
// The report of benches/queries.sh, in Markdown, on stdout.
//
//   php report.php ABOUT RESULTS FOLDER [BACKUP] [SDCARD]
//
// ABOUT holds a name and a value per line, RESULTS what the scripts measured.
// BACKUP is the report of backup.sh, SDCARD that of sdcard.sh; either may be empty.
// FOLDER gets the charts, and queries.tsv with the figures of the table for programs.

require __DIR__ . '/bench.php';
require __DIR__ . '/chart.php';

[, $aboutFile, $resultsFile, $folder] = $argv;
$backupFile = $argv[4] ?? '';
$cardFile = $argv[5] ?? '';

$about = [];
foreach (file($aboutFile, FILE_IGNORE_NEW_LINES) as $line) {
    [$name, $value] = explode("\t", $line, 2);
    $about[$name] = $value;
}
$measured = [];
foreach (file($resultsFile, FILE_IGNORE_NEW_LINES) as $line) {
    [$name, $figure] = explode("\t", $line);
    $measured[$name][] = (float) $figure;
}
$days = array_map('intval', explode(' ', $about['days']));
$longest = max($days);

function figure(string $name): ?float
{
    global $measured;
    return isset($measured[$name]) ? median($measured[$name]) : null;
}

// Three digits are more than the rounds agree on.
function digits(float $number): string
{
    $places = $number > 0 ? max(0, 2 - (int) floor(log10($number))) : 0;
    return number_format(round($number, $places), min(2, $places));
}

// Several seconds in one unit, that of the smallest.
function durations(array $seconds): string
{
    $least = min($seconds);
    [$factor, $unit] = match (true) {
        $least < 0.9995e-3 => [1e6, 'µs'],
        $least < 0.9995 => [1e3, 'ms'],
        default => [1, 's'],
    };
    return implode(' / ', array_map(fn($one) => digits($one * $factor), $seconds)) . " $unit";
}

function duration(float $seconds): string
{
    return durations([$seconds]);
}

// --- the table ----------------------------------------------------------------

final class Table
{
    public string $markdown = '';
    public string $tsv = "name\tdays\tmedian\tleast\tmost\tunit\tbeside\tits median\tratio\ttarget\tmet\n";
    public int $met = 0;
    public int $missed = 0;

    public function heading(string $text): void
    {
        $this->markdown .= "| **$text** | | | | | | |\n";
    }

    // $names: what was measured, one or several. $beside: a text and the names
    // of what it is compared with, or their figures. $target: "<=" or ">=", a
    // number, and what it is of: "time" (seconds), "share" of the other, or how
    // many "times" as fast.
    public function row(string $text, array $names, ?array $beside = null, ?array $target = null): void
    {
        global $measured, $days;
        $own = array_map('figure', $names);
        if (in_array(null, $own, true)) {
            $this->markdown .= "| $text | not available | | | | " . self::wanted($target) . " | |\n";
            return;
        }
        $others = array_map(fn($other) => is_string($other) ? figure($other) : $other, $beside[1] ?? []);
        if (in_array(null, $others, true)) {
            return;
        }
        $kind = $target[2] ?? ($others === [] ? 'time' : 'times');
        $ratios = array_map(fn($a, $b) => $kind === 'share' ? $a / $b : $b / $a, $own, $others ?: $own);
        $checked = $kind === 'time' ? $own : $ratios;
        $met = null;
        if ($target !== null) {
            $met = $target[0] === '<=' ? max($checked) <= $target[1] : min($checked) >= $target[1];
            $met ? $this->met++ : $this->missed++;
        }
        $this->markdown .= sprintf(
            "| %s | %s | %s | %s | %s | %s | %s |\n",
            $text,
            durations($own),
            $beside[0] ?? '',
            $others === [] ? '' : durations($others),
            $others === [] ? '' : implode(' / ', array_map('digits', $ratios)) . ($kind === 'share' ? '' : ' ×'),
            self::wanted($target),
            $met === null ? '' : ($met ? 'met' : '**missed**'),
        );
        foreach ($names as $i => $name) {
            $this->line([
                $name,
                count($names) === count($days) && count($names) > 1 ? $days[$i] : '',
                $own[$i],
                min($measured[$name]),
                max($measured[$name]),
                's',
                $beside[0] ?? '',
                $others[$i] ?? '',
                $others === [] ? '' : $ratios[$i],
                self::wanted($target),
                $met === null ? '' : ($met ? 'yes' : 'no'),
            ]);
        }
    }

    // Of something else than times.
    public function count(string $text, string $name, string $unit, float $figure, ?array $target, string $shown): void
    {
        $met = null;
        if ($target !== null) {
            $met = $target[0] === '<=' ? $figure <= $target[1] : $figure >= $target[1];
            $met ? $this->met++ : $this->missed++;
        }
        $wanted = $target === null ? '' : ($target[3] ?? ($target[0] === '<=' ? '≤ ' : '≥ ') . digits($target[1]));
        $this->markdown .= "| $text | $shown | | | | $wanted | " . ($met === null ? '' : ($met ? 'met' : '**missed**')) . " |\n";
        $this->line([$name, '', $figure, '', '', $unit, '', '', '', $wanted, $met === null ? '' : ($met ? 'yes' : 'no')]);
    }

    private static function wanted(?array $target): string
    {
        if ($target === null) {
            return '';
        }
        $sign = $target[0] === '<=' ? '≤ ' : '≥ ';
        return $sign . match ($target[2]) {
            'time' => duration($target[1]),
            'share' => sprintf('%g of it', $target[1]),
            'times' => number_format($target[1]) . ' ×',
        };
    }

    private function line(array $words): void
    {
        $this->tsv .= implode("\t", array_map(fn($word) => is_float($word) ? sprintf('%.9g', $word) : $word, $words)) . "\n";
    }
}

$each = fn(string $way): array => array_map(fn($n) => "samples $n $way", $days);
$table = new Table();
$table->heading('A graph of 1,000 samples, asked before');
$table->row('`emonfeed_feed_windows()` in C', $each('c'), null, ['<=', 50e-6, 'time']);
$table->row('the same', $each('c'), ['MySQL engine', $each('mysql')], ['>=', 1000, 'times']);
$bounds = array_map(fn($n) => 3 * figure("samples $n c") + figure("samples $n loop"), $days);
$table->row('`windows()` in PHP', $each('php'), ['3 × the call in C + a PHP loop that builds that array', $bounds], ['<=', 1, 'share']);
$table->row('the same', $each('php'), ['reader of rows in PHP', $each('rows')], ['>=', 200, 'times']);
$table->row('the same', $each('php'), ['reader of fixed intervals in PHP', $each('fixed')], ['>=', 4, 'times']);
$table->row('`windowsJson()`', $each('php-json'), ['`json_encode(windows())`', $each('json-encode')], ['<=', 0.5, 'share']);
$table->row('in C, of a table with `CHECKSUM=1`', $each('checksum'));
$table->row('in C, of a feed with 1 % of its rows out of place', $each('unsorted'), ['the call in C of the sorted feed', $each('c')], ['<=', 10, 'share']);

$table->heading('Averages of all rows in 1,000 windows, in C');
$words = ['its bytes as 8-byte words, one thread', ['first words']];
$mapped = ['the same, with the time to map them', ['first map+words']];
$table->row('the first averages, of a feed that was sampled before', ['first average-after'], $words, ['<=', 3, 'share']);
$table->row('the first call of a process, opening included', ['first average'], $mapped, ['<=', 3, 'share']);
$table->row('the same', ['first average'], $words);
$table->row('the same', ['first average'], ['MySQL engine', ['average mysql']]);
$table->row('the same', ['first average'], ['reader of rows in PHP', ['average rows']]);
$table->row('the same', ['first average'], ['reader of fixed intervals in PHP', ['average fixed']]);
$table->row('the first call of a process, with a kept summary', ['first average-kept']);
foreach (['' => '', '-checksum' => ', of a table with `CHECKSUM=1`', '-trusted' => ', counters trusted'] as $which => $text) {
    $table->row("again, nothing new$text", ["average again$which"], null, ['<=', 0.5e-3, 'time']);
}
$table->row('again, nothing new, after a pause of 0.1 s', ['rested plain']);
$table->row('… of a table with `CHECKSUM=1`', ['rested checksum']);
$table->row('again, nothing new, 1 % of the rows out of place', ['average again-unsorted']);
$table->row('again, as an array in PHP', ['average php']);
foreach (['plain' => '', 'checksum' => ', of a table with `CHECKSUM=1`', 'trusted' => ', counters trusted'] as $which => $text) {
    $table->row("again, one more row 0.1 s ago$text", ["grown $which"], null, ['<=', 0.5e-3, 'time']);
}
$table->row('again, one more row, written just now', ['grown-now plain']);
$table->row('… of a table with `CHECKSUM=1`', ['grown-now checksum']);
$table->row('samples, one more row', ['grown samples']);

$table->heading("The first call of a process, opening included: 1,000 samples of $longest days");
$table->row('in C, with a kept summary', ['first samples-kept'], null, ['<=', 2e-3, 'time']);
$table->row('the same, of a table with `CHECKSUM=1`', ['first samples-kept-checksum'], null, ['<=', 2e-3, 'time']);
foreach (['checksum' => ', of a table with `CHECKSUM=1`', 'trusted' => ', counters trusted'] as $which => $text) {
    $table->row("in C, with a kept summary, one more row since$text", ["kept-grown $which"], null, ['<=', 2e-3, 'time']);
}
$table->row('in C, with a kept summary, one more row since, nothing to prove that', ['kept-grown plain']);
$table->row('in C, without a kept summary', ['first samples'], $words, ['<=', 5, 'share']);
$table->row('in C, without a kept summary, 1 % of the rows out of place', ['first samples-unsorted']);
$table->row('the whole process in C, with a kept summary', ['first samples-kept-process']);
$table->row('the whole process in C, without a kept summary', ['first samples-process']);
$table->row('in PHP, with a kept summary', ['first php-kept']);
$table->row('in PHP, without a kept summary', ['first php']);
$table->row('the command `emonfeed get` as a whole, with a kept summary', ['first command-kept']);
$table->row('the command `emonfeed get` as a whole, without a kept summary', ['first command']);

$table->heading("The same, the file not in memory");
foreach (['kept' => 'with a kept summary', 'full' => 'without a kept summary'] as $how => $text) {
    $pages = figure("cold-pages $how");
    if ($pages === null) {
        $table->row("pages of the file read from disk, $text", ["cold-pages $how"]);
        continue;
    }
    $notes = [];
    if (($bytes = figure("cold-pages $how-bytes")) !== null) {
        $notes[] = 'in all ' . digits($bytes / 1e6) . ' MB read, as the kernel counts';
    }
    if (($summary = figure("cold-pages $how-summary")) !== null) {
        $notes[] = digits($summary) . ' pages of the summary';
    }
    $table->count(
        "pages of the file read from disk, $text",
        "cold-pages $how",
        'pages per sample',
        $pages / Questions::SAMPLES,
        $how === 'kept' ? ['<=', 1.5, 'count', '≤ 1.5 per sample'] : null,
        digits($pages / Questions::SAMPLES) . ' per sample' . ($notes === [] ? '' : ' (' . implode(', ', $notes) . ')'),
    );
    $table->row("time, $text", ["cold $how"]);
}

$table->heading('All rows as CSV');
$bytes = figure('csv bytes');
foreach (['command' => '`emonfeed get --rows --format csv` to `/dev/null`', 'c' => 'in pieces in C'] as $how => $text) {
    $rate = $bytes / figure("csv $how") / 1e6;
    $table->count("$text, in bytes of the feed", "csv $how", 'MB/s', $rate, ['>=', 200, 'count', '≥ 200 MB/s'], digits($rate) . ' MB/s');
}
foreach (['command' => 'of the command', 'c' => 'in C'] as $how => $text) {
    [$less, $more] = [figure("csv $how-smaller-kib") / 1024, figure("csv $how-kib") / 1024];
    $table->count(
        "peak memory $text, for feeds of " . digits(figure('csv bytes-smaller') / 1e6) . ' and ' . digits($bytes / 1e6) . ' MB',
        "csv $how-kib",
        'MiB more',
        $more - $less,
        ['<=', 1, 'count', 'flat (≤ 1 MiB more)'],
        digits($less) . ' and ' . digits($more) . ' MiB',
    );
}

$table->heading('Growth: 1,000 samples of all of a feed, asked before, in C');
$sizes = [];
foreach (array_keys($measured) as $name) {
    if (preg_match('/^growth (\d+) c$/', $name, $match)) {
        $sizes[] = (int) $match[1];
    }
}
sort($sizes);
foreach ($sizes as $i => $rows) {
    $table->row(
        number_format($rows) . ' rows',
        ["growth $rows c"],
        $i === 0 ? null : [number_format($sizes[0]) . ' rows', ["growth $sizes[0] c"]],
        $i === 0 ? null : ['<=', 2, 'share'],
    );
}
file_put_contents("$folder/queries.tsv", $table->tsv);

// --- the charts ---------------------------------------------------------------

$chart = [];
foreach ([
    "1,000 samples of $longest days" => [
        ['MySQL engine', "samples $longest mysql", false],
        ['reader of rows in PHP', "samples $longest rows", false],
        ['reader of fixed intervals in PHP', "samples $longest fixed", false],
        ['emonfeed, array in PHP', "samples $longest php", true],
        ['emonfeed, JSON in PHP', "samples $longest php-json", true],
        ['emonfeed in C', "samples $longest c", true],
    ],
    'averages of all rows in 1,000 windows' => [
        ['MySQL engine', 'average mysql', false],
        ['reader of rows in PHP', 'average rows', false],
        ['reader of fixed intervals in PHP', 'average fixed', false],
        ['emonfeed in C, first call', 'first average', true],
        ['emonfeed in C, again', 'average again', true],
    ],
] as $group => $bars) {
    $chart[$group] = array_map(fn($bar) => [$bar[0], figure($bar[1]), $bar[2]], $bars);
}
$feed = 'a feed of ' . number_format($about['rows']) . ' readings';
file_put_contents("$folder/images/benchmarks.svg", bars('A graph of 1,000 points, each way', "$feed; shorter is faster", $chart));

$lines = [];
foreach (['MySQL engine' => 'mysql', 'reader of rows in PHP' => 'rows', 'emonfeed in C' => 'c'] as $label => $way) {
    $points = [];
    foreach ($sizes as $rows) {
        if (($seconds = figure("growth $rows $way")) !== null) {
            $points[$rows] = $seconds;
        }
    }
    $lines[$label] = [$way === 'c', $points];
}
file_put_contents("$folder/images/growth.svg", growth('The same 1,000 samples of larger and larger feeds', 'asked before, in memory; lower is faster', $lines));

// --- the report ---------------------------------------------------------------

$interval = Questions::EVERY;
?>
# Benchmarks

`make bench` measures all of this and writes this page<?= $about['quick'] === '' ? '' : '; this is of a quick run (`QUICK=1`), whose feed is smaller' ?>.

<?php foreach (['machine', 'file system', 'programs', 'date', 'load'] as $name): ?>
- <?= ucfirst($name) ?>: <?= $about[$name] ?>

<?php endforeach ?>

## Queries

![A bar for each way to a graph of 1,000 points](images/benchmarks.svg)

The feed has <?= number_format($about['rows']) ?> readings, one every <?= $interval ?> seconds: watts that
follow the day, with noise and a kettle. Each 17th reading comes a second late; every 17 days the
meter is out for 20 minutes, every four months for 26 hours. A MariaDB server wrote it into the table
that emoncms makes today, `(time INT UNSIGNED NOT NULL, data FLOAT NOT NULL, UNIQUE (time))`.

Figures are medians of <?= $about['rounds'] ?> rounds. In each round every line of a group has its turn, in a different
order; where calls are fast, a turn is the median of several. Everything is in the page cache unless the
line says otherwise. Where there are several figures, they are for the latest <?= implode(' / ', $days) ?> days;
a target is met if all of them meet it. Before any clock starts, all answers are compared:
samples to six digits, which is what the server prints, averages to 10⁻⁹, JSON and CSV to the byte.

The library is compared with:

- *MySQL engine*: what emoncms asks the server for through mysqli: a prepared
  `SELECT … WHERE time BETWEEN ? AND ? ORDER BY time ASC LIMIT 1` for each sample, a
  `SELECT … AVG(data) … GROUP BY FLOOR(time / interval)` for averages.
- *reader of rows in PHP*: bisects the same file with `fseek()`, `fread()` and `unpack()`, as PHPTimeSeries does.
- *reader of fixed intervals in PHP*: computes the place of each value in a file of one float32 every
  <?= $interval ?> seconds, as PHPFina does. The file has the same readings, without their own times.
- *its bytes as words*: a loop in C that adds up the mapped file as 64-bit numbers, in four sums.

A *kept summary* is what the library stores about a feed in a folder, for the next process. It is valid
until something is written, and after that if there is proof that rows were only added: the table’s checksum,
or, if the program says so, the counters of its index (*counters trusted*).

| | time | compared with | its time | ratio | target | |
|---|---|---|---|---|---|---|
<?= $table->markdown ?>

<?= $table->met ?> of <?= $table->met + $table->missed ?> targets are met. A ratio with × says how many times as long the other takes; one without × is the share
of the other’s time. Memory is the process’s own; pages of the mapped feed are the kernel’s.

![Time for 1,000 samples against the number of rows](images/growth.svg)

The lines under “Growth” are the same feed, longer or shorter. The largest is a bare file without a
table, as PHPTimeSeries has it.
<?php if ($backupFile !== ''): ?>

## Backups

<?= file_get_contents($backupFile) ?>
<?php endif ?>
<?php if ($cardFile !== ''): ?>

<?= file_get_contents($cardFile) ?>
<?php endif ?>
