--TEST--
A fatal error in the midst of an answer leaks nothing into the next request
--FILE--
<?php
/* One process does the same request again and again (php --repeat). Each ends
 * in a fatal error: the text passes the check, for there is memory, but only in
 * small holes. What the library holds, more than 2 MB, must be freed, whether
 * or not the request makes another call after that. */
require 'feeds.inc';
$folder = folder('memory_fatal');
$rows = [];
for ($i = 0; $i < 70000; $i++) {
    $rows[] = [1700000000 + $i, $i];
}
$path = write_feed($folder, 1, $rows);
unset($rows);
file_put_contents("$folder/request.php", '<?php
$count = (int) @file_get_contents(__DIR__ . "/count") + 1;
file_put_contents(__DIR__ . "/count", $count);
register_shutdown_function(function () use (&$feed, $count) {
    ini_set("memory_limit", -1);
    if ($count % 2) {
        echo "after: ", $feed->windowsJson(1700000000, 1700000000, 1), "\n";
    }
    preg_match("/VmRSS:\s+(\d+)/", file_get_contents("/proc/self/status"), $kilobytes);
    echo "resident: $kilobytes[1]\n";
});
$feed = new Emonfeed\Feed(' . var_export($path, true) . ');
$texts = [];
while (memory_get_usage() < (32 << 20) - (512 << 10)) {
    $texts[] = str_repeat("x", 3000);
}
for ($i = 0; $i < count($texts); $i += 2) {
    $texts[$i] = null;
}
$feed->rowsCsv(0, 2000000000);
');
$requests = 20;
putenv('USE_ZEND_ALLOC=1');
exec(getenv('TEST_PHP_EXECUTABLE') . ' ' . getenv('TEST_PHP_EXTRA_ARGS')
    . " -d memory_limit=32M -d pcre.jit=0 --repeat $requests " . escapeshellarg("$folder/request.php"), $output);
$output = implode("\n", $output);
var_dump(substr_count($output, 'Allowed memory size of 33554432 bytes exhausted') === $requests);
var_dump(substr_count($output, 'after: [[1700000000,0]]') === $requests / 2);
preg_match_all('/resident: (\d+)/', $output, $kilobytes);
// Ten answers of 2 MB would have been kept. (The first ten do not count:
// valgrind holds back what was freed last.)
$grown = end($kilobytes[1]) - $kilobytes[1][9];
var_dump($grown < 8000 ? 'kept nothing' : "kept $grown kB");
?>
--EXPECT--
bool(true)
bool(true)
string(12) "kept nothing"
