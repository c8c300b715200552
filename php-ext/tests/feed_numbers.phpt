--TEST--
Numbers keep all digits of the file and show no others
--FILE--
<?php
require 'feeds.inc';
use Emonfeed\Feed;
$folder = folder('feed_numbers');

$feed = new Feed(write_feed($folder, 1, [[1, 0.1], [2, 16777215], [3, 123456.7], [4, -0.0], [4294967295, 21.3]]));
show('float32', $feed->rows(0, 4294967295));
show('sampled', $feed->windows(1, 3, 1));
show('at', $feed->valuesAt([1, 2, 3], Feed::EXACT));
show('last', $feed->lastValue());
// Computed in double precision from what is in the file.
var_dump($feed->windows(1, 3, 3, Feed::SUM)[0][1] === array_sum(array_map(fn ($v) => unpack('g', pack('g', $v))[1], [0.1, 16777215, 123456.7])));

$feed = new Feed(write_table($folder, 2, ['time' => INT, 'data' => DOUBLE], [[1, 0.1], [2, 0.1 + 0.2], [3, 1e300]]));
show('double', $feed->rows(0, 10));
$feed = new Feed(write_table($folder, 3, ['time' => INT, 'data' => INT], [[1, 4294967295], [2, null], [3, 0]]));
show('int unsigned', $feed->rows(0, 10));
?>
--EXPECT--
float32: [[1,0.1],[2,16777215.0],[3,123456.7],[4,-0.0],[4294967295,21.3]]
sampled: [[1,0.1],[2,16777215.0],[3,123456.7]]
at: [[1,0.1],[2,16777215.0],[3,123456.7]]
last: {"time":4294967295,"value":21.3}
bool(true)
double: [[1,0.1],[2,0.30000000000000004],[3,1.0e+300]]
int unsigned: [[1,4294967295.0],[2,null],[3,0.0]]
