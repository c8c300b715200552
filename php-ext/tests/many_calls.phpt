--TEST--
Many objects, calls and exceptions do not add up to memory
--FILE--
<?php
require 'feeds.inc';
use Emonfeed\Feed;
$folder = folder('many_calls');
$rows = [];
for ($i = 0; $i < 1000; $i++) {
    $rows[] = [$i, $i];
}
$path = write_feed($folder, 1, $rows);
function resident(): int
{
    preg_match('/VmRSS:\s+(\d+)/', file_get_contents('/proc/self/status'), $kilobytes);
    return (int) $kilobytes[1];
}
function calls(string $path): void
{
    for ($i = 0; $i < 150; $i++) {
        $feed = new Feed($path);
        $feed->windows(0, 999, 1);
        $feed->windowsJson(0, 999, 1);
        $feed->windowsAt(range(0, 999));
        $feed->valuesAt(range(0, 999));
        try {
            $feed->histogram(0, 10);
        } catch (Emonfeed\Exception) {
        }
        try {
            $feed->windows(0, 10, 0);
        } catch (ValueError) {
        }
        try {
            new Feed("$path.gone.MYD");
        } catch (Emonfeed\Exception) {
        }
    }
}
calls($path);
$before = resident();
calls($path);
calls($path);
// One kept series of 1000 points per round would be 4.8 MB.
$grown = resident() - $before;
var_dump($grown < 3000 ? 'kept nothing' : "kept $grown kB");
?>
--EXPECT--
string(12) "kept nothing"
