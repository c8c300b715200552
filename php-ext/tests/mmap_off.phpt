--TEST--
emonfeed.mmap=0 reads without mapping the file, and answers the same
--INI--
emonfeed.mmap=0
--FILE--
<?php
require 'feeds.inc';
use Emonfeed\Feed;
$folder = folder('mmap_off');
$rows = [];
for ($i = 0; $i < 5000; $i++) {
    $rows[] = [1000 + 10 * $i, $i / 4];
}
$feed = new Feed(write_feed($folder, 1, $rows));
var_dump($feed->rows(0, 100000) == $rows);
show('sum', $feed->windows(0, 0, 100000, Feed::SUM));
show('at', $feed->valuesAt([1005]));
var_dump(str_contains(file_get_contents('/proc/self/maps'), 'feed_1.MYD'));
?>
--EXPECT--
bool(true)
sum: [[0,3124375.0]]
at: [[1005,0.125]]
bool(false)
