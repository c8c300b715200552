--TEST--
Emonfeed\Feed::histogram() and sumByTime()
--FILE--
<?php
require 'feeds.inc';
use Emonfeed\Feed;
$folder = folder('feed_histogram');
$feed = new Feed(write_table($folder, 1, ['time' => INT, 'data' => FLOAT, 'data2' => FLOAT], [
    [100, 1.5, 0.1], [100, 2, 50], null, [200, 4, 0.1], [200, null, 70], [300, 8, 50],
]));

show('by data2', $feed->histogram(0, 1000));
show('end is left out', $feed->histogram(100, 300));
show('none', $feed->histogram(0, 100));
show('by time', $feed->sumByTime(0, 100));
show('bounds included', $feed->sumByTime(50, 70));
show('none', $feed->sumByTime(51, 69));
show('int', $feed->sumByTime(50, 50));

$plain = new Feed(write_feed($folder, 2, [[100, 1]]));
refuse('no data2', fn () => $plain->histogram(0, 1000));
refuse('no data2', fn () => $plain->sumByTime(0, 100));
refuse('text', fn () => $feed->histogram('a', 1000));
refuse('text', fn () => $feed->sumByTime('a', 1000));
refuse('too few', fn () => $feed->histogram(0));
refuse('no number', fn () => $feed->sumByTime(0, NAN));
refuse('too few', fn () => $feed->sumByTime(0));
?>
--EXPECT--
by data2: [[0.1,5.5],[50.0,10.0],[70.0,null]]
end is left out: [[0.1,5.5],[50.0,2.0],[70.0,null]]
none: []
by time: [[100,3.5],[200,4.0],[300,8.0]]
bounds included: [[100,2.0],[200,null],[300,8.0]]
none: []
int: [[100,2.0],[300,8.0]]
no data2: Emonfeed\Exception NO_HISTOGRAM: feed_2.MYD
no data2: Emonfeed\Exception NO_HISTOGRAM: feed_2.MYD
text: TypeError: Emonfeed\Feed::histogram(): Argument #1 ($start) must be of type int, string given
text: TypeError: Emonfeed\Feed::sumByTime(): Argument #1 ($min) must be of type float, string given
too few: ArgumentCountError: Emonfeed\Feed::histogram() expects exactly 2 arguments, 1 given
no number: ValueError: min and max must be numbers
too few: ArgumentCountError: Emonfeed\Feed::sumByTime() expects exactly 2 arguments, 1 given
