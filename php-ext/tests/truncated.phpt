--TEST--
A file that is truncated and written again while PHP reads it
--FILE--
<?php
/* A right answer or Exception::CHANGED, and never the end of the process:
 * reading a mapping beyond the end of its file raises SIGBUS. */
require 'feeds.inc';
use Emonfeed\Exception;
use Emonfeed\Feed;
$folder = folder('truncated');
$rows = 300000;
$path = "$folder/feed_1.MYD";
file_put_contents($path, str_repeat(rows_of([[100, 1]]), $rows));
file_put_contents("$folder/writer.php", '<?php
[, $path] = $argv;
$bytes = file_get_contents($path);
$file = fopen($path, "r+b");
for ($until = microtime(true) + 2; microtime(true) < $until;) {
    ftruncate($file, 0);
    rewind($file);
    fwrite($file, $bytes);
    fflush($file);
    usleep(2000);
}
');
$writer = proc_open([getenv('TEST_PHP_EXECUTABLE'), '-n', "$folder/writer.php", $path], [], $pipes);
$feed = new Feed($path);

// valgrind cannot make the stack larger to deliver a signal: do it before.
for ($nested = [], $i = 0; $i < 1000; $i++) {
    $nested = [$nested];
}
serialize($nested);

$wrong = 0;
$codes = [];
do {
    try {
        [[, $average]] = $feed->windows(0, 0, 1000, Feed::AVERAGE);
        $wrong += $average !== null && $average !== 1.0;
    } catch (Exception $error) {
        $codes[$error->getCode()] = true;
    }
} while (proc_get_status($writer)['running']);
unset($codes[Exception::CHANGED]);
var_dump($wrong, $codes);
var_dump($feed->windows(0, 0, 1000, Feed::COUNT)[0][1] == $rows);
?>
--EXPECT--
int(0)
array(0) {
}
bool(true)
