--TEST--
An answer throws where memory_limit is a page less than it takes, and is given where there are three chunks more
--FILE--
<?php
require 'feeds.inc';

const CHUNK = 2 << 20; // what PHP takes from the system at a time
$folder = folder('memory_page');
$path = write_feed($folder, 1, [[1000, 1], [200000, 2]]);
// A process for each answer: PHP keeps chunks, and counts them, when they are free.
file_put_contents("$folder/answer.php", '<?php
$feed = new Emonfeed\Feed($argv[1]);
// Room in the first chunk would hide what is missing: a little is left, for all else.
for ($filled = []; memory_get_usage() < ' . (CHUNK - 100000) . ';) {
    $filled[] = str_repeat("x", 1000);
}
try {
    $answer = $feed->windows(0, $argv[2] - 1, 1);
    echo memory_get_peak_usage(true);
} catch (Emonfeed\Exception $e) {
    echo $e->getCode() === Emonfeed\Exception::MEMORY ? "throws" : $e;
}
');

function answer(int $points, int $limit): string
{
    global $folder, $path;
    return shell_exec(getenv('TEST_PHP_EXECUTABLE') . ' ' . getenv('TEST_PHP_EXTRA_ARGS') .
        " -d memory_limit=$limit " . escapeshellarg("$folder/answer.php") . ' ' . escapeshellarg($path) . " $points");
}

/* A chunk holds ten thousand pairs. The list itself is part of a chunk, a block of its
 * own, or a larger one. Of sixty chunks, a pair that is taken for two per cent less than
 * it is misses a part that these steps do not step over. */
$sizes = [...range(56000, 65000, 1500), 131000, 131500, 140000, ...range(600000, 610000, 1250)];
/* Under valgrind a few will do: it takes its time. */
if (getenv('USE_ZEND_ALLOC') === '0') {
    $sizes = [56000, 131500];
}
putenv('USE_ZEND_ALLOC=1');
foreach ($sizes as $size) {
    $taken = (int) answer($size, -1);
    $taken > 200 * $size or print("$size take $taken\n");
    foreach ([$taken - 4096 => 'throws', $taken + 3 * CHUNK => (string) $taken] as $limit => $expected) {
        $answer = answer($size, $limit);
        $answer === $expected or print("$size with $limit instead of $taken: $answer\n");
    }
}
?>
--EXPECT--
