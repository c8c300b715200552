--TEST--
Emonfeed\Feed::rows() and rowsJson()
--FILE--
<?php
require 'feeds.inc';
use Emonfeed\Feed;
$folder = folder('feed_rows');
$feed = new Feed(write_feed($folder, 1, [[100, 1], [130, null], [120, 3.5], [120, 0], [140, -2]]));

show('all', $feed->rows(0, 1000));
show('both ends', $feed->rows(120, 130));
show('limit', $feed->rows(0, 1000, 2));
show('limit 0', $feed->rows(0, 1000, 0));
show('none', $feed->rows(141, 1000));
show('end before start', $feed->rows(130, 120));
show('everything', $feed->rows(PHP_INT_MIN, PHP_INT_MAX));
echo $feed->rowsJson(0, 1000), "\n", $feed->rowsJson(0, 1000, 2), "\n", $feed->rowsJson(141, 1000), "\n";

foreach (['rows', 'rowsJson'] as $method) {
    refuse('limit -1', fn () => $feed->$method(0, 100, -1));
    refuse('text', fn () => $feed->$method('a', 100));
    refuse('too few', fn () => $feed->$method(0));
}
unlink("$folder/feed_1.MYD");
refuse('gone', fn () => $feed->rows(0, 100));
refuse('gone', fn () => $feed->rowsJson(0, 100));
?>
--EXPECT--
all: [[100,1.0],[120,3.5],[120,0.0],[130,null],[140,-2.0]]
both ends: [[120,3.5],[120,0.0],[130,null]]
limit: [[100,1.0],[120,3.5]]
limit 0: [[100,1.0],[120,3.5],[120,0.0],[130,null],[140,-2.0]]
none: []
end before start: []
everything: [[100,1.0],[120,3.5],[120,0.0],[130,null],[140,-2.0]]
[[100,1],[120,3.5],[120,0],[130,null],[140,-2]]
[[100,1],[120,3.5]]
[]
limit -1: ValueError: Emonfeed\Feed::rows(): Argument #3 ($limit) must be 0 (no limit) or more
text: TypeError: Emonfeed\Feed::rows(): Argument #1 ($start) must be of type int, string given
too few: ArgumentCountError: Emonfeed\Feed::rows() expects at least 2 arguments, 1 given
limit -1: ValueError: Emonfeed\Feed::rowsJson(): Argument #3 ($limit) must be 0 (no limit) or more
text: TypeError: Emonfeed\Feed::rowsJson(): Argument #1 ($start) must be of type int, string given
too few: ArgumentCountError: Emonfeed\Feed::rowsJson() expects at least 2 arguments, 1 given
gone: Emonfeed\Exception NOT_FOUND: feed_1.MYD
gone: Emonfeed\Exception NOT_FOUND: feed_1.MYD
