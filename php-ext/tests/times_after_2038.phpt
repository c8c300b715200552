--TEST--
Times after 2038, which an int of 32 bits does not hold, are given as floats and taken back
--FILE--
<?php
require 'feeds.inc';

use Emonfeed\Feed;

$folder = folder('times_after_2038');
$feed = new Feed(write_feed($folder, 1, [[2147483646, 1], [2147483649, 2], [4102444800, 3], [4294967295, 4]]));

$last = $feed->lastValue()['time'];
var_dump(PHP_INT_SIZE === 4 ? is_float($last) : is_int($last), $last == 4294967295);
show('all', $feed->rows(0, 4294967295));
show('from the last on', $feed->rows($last, $last));
show('windows', $feed->windows(2147483640, 2147483655, 5, Feed::SUM));
show('windows of all', $feed->windows(0, $last, 2147483647, Feed::COUNT));
show('at edges', $feed->windowsAt([2147483646, 2147483647, 2147483648, $last], Feed::COUNT));
show('at times', $feed->valuesAt([2147483648, $feed->meta()['start_time'], 4102444800], Feed::EXACT));
show('JSON', $feed->rowsJson(4102444800, $last));
[$text, $next] = $feed->rowsCsv(4102444800, $last);
show('CSV', $text);
show('span', [$feed->meta()['end_time'] - $feed->meta()['start_time']]);

refuse('a half', fn () => $feed->valuesAt([2147483648.5]));
refuse('a float that is an int', fn () => $feed->valuesAt([100.0]));
refuse('no number', fn () => $feed->rows(NAN, 4294967295));
refuse('too large', fn () => $feed->rows(0, 1e300));
?>
--EXPECT--
bool(true)
bool(true)
all: [[2147483646,1.0],[2147483649,2.0],[4102444800,3.0],[4294967295,4.0]]
from the last on: [[4294967295,4.0]]
windows: [[2147483640,null],[2147483645,3.0],[2147483650,null],[2147483655,null]]
windows of all: [[0,1.0],[2147483647,2.0],[4294967294,1.0]]
at edges: [[2147483646,1.0],[2147483647,0.0],[2147483648,2.0]]
at times: [[2147483648,null],[2147483646,1.0],[4102444800,3.0]]
JSON: "[[4102444800,3],[4294967295,4]]"
CSV: "4102444800,3\n4294967295,4\n"
span: [2147483649]
a half: TypeError: Emonfeed\Feed::valuesAt(): Argument #1 ($times) must be a list of int, but element 0 is of type float
a float that is an int: TypeError: Emonfeed\Feed::valuesAt(): Argument #1 ($times) must be a list of int, but element 0 is of type float
no number: TypeError: Emonfeed\Feed::rows(): Argument #1 ($start) must be of type int, float given
too large: TypeError: Emonfeed\Feed::rows(): Argument #2 ($end) must be of type int, float given
