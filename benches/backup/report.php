<?php
// The report of benches/backup.sh, in Markdown.
//
//   php report.php ABOUT RESULTS
//
// ABOUT holds a name and a value per line, RESULTS the lines of measure.c.

[, $aboutFile, $resultsFile] = $argv;

$about = [];
foreach (file($aboutFile, FILE_IGNORE_NEW_LINES) as $line) {
    [$name, $value] = explode("\t", $line, 2);
    $about[$name] = $value;
}
$seconds = $cpu = $memory = [];
foreach (file($resultsFile, FILE_IGNORE_NEW_LINES) as $line) {
    [$label, $wall, $user, $system, $kib] = explode("\t", $line);
    $seconds[$label][] = (float) $wall;
    $cpu[$label][] = $user + $system;
    $memory[$label][] = $kib / 1024;
}

function median(array $values): float
{
    sort($values);
    $middle = intdiv(count($values) - 1, 2);
    return ($values[$middle] + $values[count($values) - 1 - $middle]) / 2;
}

function duration(float $seconds): string
{
    return $seconds < 1 ? sprintf('%.0f ms', $seconds * 1000) : sprintf('%.2f s', $seconds);
}

// The times of a tool, each with its sync -f if that is asked for.
function times(string $label, bool $synced): array
{
    global $seconds;
    $times = $seconds[$label];
    return $synced
        ? array_map(fn ($a, $b) => $a + $b, $times, $seconds["$label+sync"])
        : $times;
}

// case => its title, and the rows: tool, whether sync -f follows, name, target.
$cases = [
    'first' => ['First copy', [
        ['cp_all', true, '`cp -a` of the directory + `sync -f`', 1.10],
        ['cp_data', true, '`cp -a *.MYD *.frm` + `sync -f`', null],
        ['cp_all', false, '`cp -a` of the directory', null],
        ['cp_data', false, '`cp -a *.MYD *.frm`', null],
    ]],
    'grown' => [number_format($about['growth']) . ' more rows each', [
        ['append_all', true, '`rsync -a --append` of the directory + `sync -f`', 0.5],
        ['append_data', true, '`rsync -a --append` of `*.MYD` and `*.frm` + `sync -f`', null],
        ['append_all', false, '`rsync -a --append` of the directory', null],
        ['append_data', false, '`rsync -a --append` of `*.MYD` and `*.frm`', null],
        ['old_script', true, 'the old script’s loop (`*.MYD`) + `sync -f`', 0.5],
        ['old_script', false, 'the old script’s loop (`*.MYD`)', 0.5],
    ]],
    'same' => ['Nothing new', [
        ['rsync_all', false, '`rsync -a` of the directory', 1],
        ['rsync_data', false, '`rsync -a` of `*.MYD` and `*.frm`', null],
        ['old_script', false, 'the old script’s loop (`*.MYD`)', null],
    ]],
];

printf(
    "%s feeds of %s rows%s: each has a `.MYD`, `.MYI` and `.frm` of a MariaDB server. Times are medians of\n"
        . "%d rounds, with the least and the most in parentheses. `emonfeed backup` copies `.MYD` and `.frm`, and\n"
        . "its time includes its syncs. Sources are in the page cache, and no writes are pending when a clock\n"
        . "starts.\n\n",
    number_format($about['feeds']),
    number_format($about['rows']),
    $about['options'] === '' ? '' : " ({$about['options']})",
    $about['rounds'],
);
foreach (['machine', 'file system', 'programs'] as $name) {
    printf("- %s: %s\n", ucfirst($name), $about[$name]);
}

echo "\n| | | time | per feed | CPU | `emonfeed backup`, as a share of that | target |\n";
echo "|---|---|---|---|---|---|---|\n";
foreach ($cases as $case => [$title, $rows]) {
    $own = median(times("$case emonfeed", false));
    array_unshift($rows, ['emonfeed', false, '**`emonfeed backup`**', null]);
    foreach ($rows as $number => [$tool, $synced, $name, $target]) {
        $times = times("$case $tool", $synced);
        $time = median($times);
        $ratio = $own / $time;
        printf(
            "| %s | %s | %s (%s–%s) | %.0f µs | %s | %s | %s |\n",
            $number === 0 ? $title : '',
            $name,
            duration($time),
            duration(min($times)),
            duration(max($times)),
            $time / $about['feeds'] * 1e6,
            duration(median($cpu["$case $tool"])),
            $tool === 'emonfeed' ? '' : sprintf('%.2f', $ratio),
            $target === null ? '' : sprintf('≤ %.4g %s', $target, $ratio <= $target ? '(met)' : '**(missed)**'),
        );
    }
}

$after = [];
foreach ($cases as $case => [$title]) {
    $after[] = duration(median($seconds["$case emonfeed+sync"])) . ' (' . lcfirst($title) . ')';
}
printf("\nA `sync -f` after `emonfeed backup` took another %s.\n", implode(', ', $after));

if ($about['many'] > 0) {
    printf(
        "\nPeak memory of `emonfeed backup` with %s feeds (of %s rows, then %s more; target: under 64 MiB):\n\n",
        number_format($about['many']),
        number_format($about['many rows']),
        number_format($about['many growth']),
    );
    echo "| | peak memory | time | per feed |\n|---|---|---|---|\n";
    foreach (['first' => 'First copy', 'grown' => 'More rows', 'same' => 'Nothing new'] as $case => $title) {
        $label = "many-$case emonfeed";
        printf(
            "| %s | %.1f MiB %s | %s | %.0f µs |\n",
            $title,
            max($memory[$label]),
            max($memory[$label]) < 64 ? '(met)' : '**(missed)**',
            duration($seconds[$label][0]),
            $seconds[$label][0] / $about['many'] * 1e6,
        );
    }
}
