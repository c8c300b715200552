<?php
// Measures processes that have not asked before: first calls, files that are
// not in memory, exports. This process maps none of the files.
//
//   php fresh.php FOLDER ROUNDS DAYS EMONFEED
//
// FOLDER is that of queries.sh, DAYS the range, EMONFEED the command.

require __DIR__ . '/bench.php';
require __DIR__ . '/contenders.php';

[, $folder, $rounds, $days, $emonfeed] = $argv;
$results = new Results("$folder/results", (int) $rounds);
$data = "$folder/server/emoncms";
$path = "$data/feed_1.MYD";
$reader = new RowReader($path);
$questions = new Questions(...$reader->span());
$samples = $questions->latest((int) $days);
$whole = $questions->whole();
$checksum = "$data/feed_2.MYD";
$kept = "$folder/kept";
$trusted = "trust:$folder/kept-trusted";
foreach ([$kept, "$folder/kept-trusted"] as $summaries) {
    mkdir($summaries, 0700);
}
// As if nothing had been written for a while: nobody need keep a summary that
// the next row makes useless.
touch($path, time() - 3600);
usleep(100000);

// The lines of a program, parted at tabs. It must succeed, or end with a status
// that is allowed, which is given instead.
function run(array $command, array $allowed = [0]): array|int
{
    $process = proc_open($command, [['file', '/dev/null', 'r'], ['pipe', 'w'], STDERR], $pipes);
    $output = stream_get_contents($pipes[1]);
    $status = proc_close($process);
    if (!in_array($status, $allowed, true)) {
        fail(implode(' ', $command) . " failed ($status)");
    }
    if ($status !== 0) {
        return $status;
    }
    return array_map(fn($line) => explode("\t", $line), explode("\n", trim($output)));
}

// The lines of first.c by number, that of what was read from disk by its name,
// and what measure.c says of the process: seconds and KiB at most.
function first(string $path, string $how, array $range, string ...$steps): array
{
    global $folder;
    @unlink("$folder/measured");
    $lines = run(["$folder/measure", "$folder/measured", 'first', '0', "$folder/first", $path, $how,
        ...array_map('strval', $range), ...$steps]);
    $figures = [];
    foreach ($lines as $i => $words) {
        $figures[$words[0] === 'read_bytes' ? 'read_bytes' : $i] = $words;
    }
    [, $seconds, , , $kib] = explode("\t", trim(file_get_contents("$folder/measured")));
    return $figures + ['whole' => (float) $seconds, 'kib' => (int) $kib];
}

// --- first calls --------------------------------------------------------------

$caller = new Caller("$folder/call");
$hasKept = $caller->open('kept', $path, $kept);
if ($hasKept) {
    // To keep a summary, somebody must have asked for it.
    first($path, $kept, $whole, 'samples', 'average');
    first($checksum, $kept, $whole, 'samples', 'average');
    if (count(scandir($kept)) < 4) {
        fail('not all summaries are kept');
    }
    // Another process, which has nothing but what is kept.
    $other = new Caller("$folder/call");
    $other->open('kept', $path, $kept);
    $caller->open('plain', $path);
    foreach ([[$samples, 0, 'sameSingle'], [$whole, 2, 'sameAverage']] as [$range, $aggregate, $equal]) {
        compare(
            'with a kept summary and without',
            $other->points('kept', $range, $aggregate, 0),
            $caller->points('plain', $range, $aggregate, 0),
            $equal,
        );
    }
    $other->close();
}

// The first step of a process, whose whole time is noted besides.
$step = function (string $name, string $path, string $how, array $range, string $step) use ($results, $hasKept): ?float {
    if ($how !== '-' && !$hasKept) {
        return null;
    }
    $figures = first($path, $how, $range, $step);
    $results->add("first $name-process", $figures['whole']);
    return (float) $figures[0][1];
};
$php = [PHP_BINARY, __DIR__ . '/first.php', $path, ...array_map('strval', $samples)];
$phpKept = [PHP_BINARY, '-d', "emonfeed.cache_dir=$kept", ...array_slice($php, 1)];
$phpKeeps = trim(run([PHP_BINARY, '-r', 'echo ini_get("emonfeed.cache_dir") === false ? "no" : "yes";'])[0][0]) === 'yes';
$asked = ['--start', $samples[0], '--end', $samples[1], '--interval', $samples[2], '--format', 'json'];
$get = array_map('strval', [$emonfeed, 'get', $path, ...$asked]);
$getKeeps = str_contains(implode("\n", array_merge(...run([$emonfeed, 'get', '--help']))), '--cache');
$clocked = function (array $command): float {
    $begun = hrtime(true);
    run($command);
    return (hrtime(true) - $begun) / 1e9;
};
if ($phpKeeps) {
    run($phpKept);
}
if ($getKeeps) {
    if (run([...$get, '--cache', $kept]) !== run($get)) {
        fail('the command gives other answers with a kept summary');
    }
}
$results->turns('first', [
    'words' => fn() => $caller->words($path, 5),
    'map+words' => fn() => $caller->mapAndWords($path, 1),
    'samples' => fn() => $step('samples', $path, '-', $samples, 'samples'),
    'samples-kept' => fn() => $step('samples-kept', $path, $kept, $samples, 'samples'),
    'samples-kept-checksum' => fn() => $step('samples-kept-checksum', $checksum, $kept, $samples, 'samples'),
    'samples-unsorted' => fn() => $step('samples-unsorted', "$data/feed_3.MYD", '-', $samples, 'samples'),
    'average' => fn() => $step('average', $path, '-', $whole, 'average'),
    'average-kept' => fn() => $step('average-kept', $path, $kept, $whole, 'average'),
    'average-after' => fn() => (float) first($path, '-', $whole, 'samples', 'average')[1][1],
    'average-third' => fn() => (float) first($path, '-', $whole, 'samples', 'average', 'average')[2][1],
    'php' => fn() => (float) run($php)[0][0],
    'php-kept' => fn() => $phpKeeps ? (float) run($phpKept)[0][0] : null,
    'command' => fn() => $clocked($get),
    'command-kept' => fn() => $getKeeps ? $clocked([...$get, '--cache', $kept]) : null,
]);
$caller->close();

// --- files that are not in memory ---------------------------------------------

unset($reader);
$results->turns('cold', array_map(
    fn(string $how) => function () use ($how, $folder, $path, $kept, $samples, $results, $hasKept): ?float {
        if ($how !== '-' && !$hasKept) {
            return null;
        }
        $files = glob(substr($path, 0, -3) . '*');
        $summaries = $how === '-' ? [] : array_filter(glob("$kept/*"), 'is_file');
        if (run(["$folder/pages", 'drop', ...$files, ...$summaries], [0, 3]) === 3) {
            return null;
        }
        $figures = first($path, $how, $samples, 'samples');
        $name = $how === '-' ? 'cold-pages full' : 'cold-pages kept';
        $results->add($name, (float) run(["$folder/pages", 'count', $path])[0][0]);
        if ($summaries !== []) {
            $results->add("$name-summary", (float) run(["$folder/pages", 'count', ...$summaries])[0][0]);
        }
        if (isset($figures['read_bytes'])) {
            $results->add("$name-bytes", (float) $figures['read_bytes'][1]);
        }
        return (float) $figures[0][1];
    },
    ['full' => '-', 'kept' => $kept],
));

// --- summaries of feeds that have grown since -----------------------------------

if ($hasKept) {
    $mysqli = connect($folder);
    $last = $questions->last;
    $grow = function () use ($mysqli, &$last) {
        $last += Questions::EVERY;
        foreach ([1, 2] as $number) {
            $mysqli->query("INSERT INTO feed_$number (time, data) VALUES ($last, 230.5)");
        }
        usleep(100000);
    };
    first($path, $trusted, $samples, 'samples');
    $results->turns('kept-grown', [
        'plain' => fn() => (float) first($path, $kept, $samples, 'samples')[0][1],
        'checksum' => fn() => (float) first($checksum, $kept, $samples, 'samples')[0][1],
        'trusted' => fn() => (float) first($path, $trusted, $samples, 'samples')[0][1],
    ], $grow);
}

// --- all rows as CSV ----------------------------------------------------------

// The most memory of its own that a process has while it runs, in KiB: a
// mapping of the feed does not count, and what the kernel keeps of the most a
// process ever had does not tell them apart.
function mostMemory(array $command): float
{
    $process = proc_open($command, [['file', '/dev/null', 'r'], ['file', '/dev/null', 'w'], STDERR], $pipes);
    $pid = proc_get_status($process)['pid'];
    $most = 0;
    while (($status = proc_get_status($process))['running']) {
        $text = @file_get_contents("/proc/$pid/status");
        if (is_string($text) && preg_match('/^RssAnon:\s*(\d+)/m', $text, $match)) {
            $most = max($most, (int) $match[1]);
        }
        usleep(500);
    }
    if ($status['exitcode'] !== 0) {
        fail(implode(' ', $command) . ' failed');
    }
    return $most;
}

$csv = fn(string $path) => [$emonfeed, 'get', $path, '--rows', '--format', 'csv'];
$exported = function (string $path) use ($csv): float {
    $begun = hrtime(true);
    $process = proc_open($csv($path), [['file', '/dev/null', 'r'], ['file', '/dev/null', 'w'], STDERR], $pipes);
    if (proc_close($process) !== 0) {
        fail("the export of $path failed");
    }
    return (hrtime(true) - $begun) / 1e9;
};
$smaller = "$folder/smaller.MYD";
$results->add('csv bytes', filesize($path));
$results->add('csv bytes-smaller', filesize($smaller));
$inC = function (string $name, string $path) use ($results): float {
    $figures = first($path, '-', [0, 0, 1], 'csv');
    $results->add("csv $name-kib", (float) $figures[0][3]);
    $results->add("csv $name-peak", (float) $figures['kib']);
    return (float) $figures[0][1];
};
$results->turns('csv', [
    'command' => fn() => $exported($path),
    'c' => fn() => $inC('c', $path),
    'c-smaller' => fn() => $inC('c-smaller', $smaller),
]);
$results->add('csv command-kib', mostMemory($csv($path)));
$results->add('csv command-smaller-kib', mostMemory($csv($smaller)));
