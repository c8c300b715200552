--TEST--
A fatal error in the midst of an answer leaks nothing into the next request
--FILE--
<?php
/* One process does the same request again and again (php --repeat). Each ends
 * in a fatal error: the array passes the check, but not with what the script
 * holds besides. What the library holds, 16 bytes a point, must be freed. */
require 'feeds.inc';
$folder = folder('memory_fatal');
$path = write_feed($folder, 1, [[100, 1]]);
file_put_contents("$folder/request.php", '<?php
register_shutdown_function(function () use (&$feed) {
    // The object still works, and its next answer replaces the one cut short.
    echo "after: ", $feed->windowsJson(100, 100, 1), "\n";
    preg_match("/VmRSS:\s+(\d+)/", file_get_contents("/proc/self/status"), $kilobytes);
    echo "resident: $kilobytes[1]\n";
});
$feed = new Emonfeed\Feed(' . var_export($path, true) . ');
$room = 64 << 20;
$points = intdiv($room - memory_get_usage(), 16 + 56 + 8 * 16) - 100;
$feed->windows(0, $points, 1);
');
$requests = 20;
putenv('USE_ZEND_ALLOC=1');
exec(getenv('TEST_PHP_EXECUTABLE') . ' ' . getenv('TEST_PHP_EXTRA_ARGS')
    . " -d memory_limit=64M -d html_errors=0 --repeat $requests " . escapeshellarg("$folder/request.php"), $output);
$output = implode("\n", $output);
var_dump(substr_count($output, 'Allowed memory size of 67108864 bytes exhausted') === $requests);
var_dump(substr_count($output, 'after: [[100,1]]') === $requests);
preg_match_all('/resident: (\d+)/', $output, $kilobytes);
// Twenty answers of 5 MB would have been kept.
$grown = end($kilobytes[1]) - $kilobytes[1][4];
var_dump($grown < 20000 ? 'kept nothing' : "kept $grown kB");
?>
--EXPECT--
bool(true)
bool(true)
string(12) "kept nothing"
