--TEST--
Emonfeed\Feed::windows(): aggregates and flags
--FILE--
<?php
require 'feeds.inc';
use Emonfeed\Feed;
$folder = folder('feed_windows');
$feed = new Feed(write_feed($folder, 1, [[100, 1], [103, 4], [106, 2.5], [110, null], [115, 6], [130, 8], [139, 0]]));

foreach (['FIRST', 'LAST', 'AVERAGE', 'MIN', 'MAX', 'SUM', 'COUNT'] as $name) {
    show($name, $feed->windows(100, 139, 10, constant("Emonfeed\Feed::$name")));
}
show('default', $feed->windows(100, 139, 10));
show('up to the end', $feed->windows(90, 130, 20));
show('CLOSED_END', $feed->windows(85, 130, 15, Feed::FIRST, Feed::CLOSED_END));
show('SKIP_MISSING', $feed->windows(100, 139, 10, Feed::FIRST, Feed::SKIP_MISSING));
show('TRUE_TIME', $feed->windows(101, 139, 10, Feed::FIRST, Feed::TRUE_TIME));
show('CLIP_END', $feed->windows(100, 106, 10, Feed::COUNT, Feed::CLIP_END));
show('without it', $feed->windows(100, 106, 10, Feed::COUNT));
show('two flags', $feed->windows(101, 139, 10, Feed::LAST, Feed::TRUE_TIME | Feed::SKIP_MISSING));
show('by name', $feed->windows(interval: 10, start: 100, end: 139, flags: Feed::SKIP_MISSING));
show('end before start', $feed->windows(100, 99, 10));
show('outside', $feed->windows(-20, -1, 10));
show('far outside', $feed->windows(1099511627776, 1099511627777, 10, Feed::COUNT));
var_dump($feed->windows(100, 115, 10, Feed::SUM));
?>
--EXPECT--
FIRST: [[100,1.0],[110,null],[120,null],[130,8.0]]
LAST: [[100,2.5],[110,6.0],[120,null],[130,0.0]]
AVERAGE: [[100,2.5],[110,6.0],[120,null],[130,4.0]]
MIN: [[100,1.0],[110,6.0],[120,null],[130,0.0]]
MAX: [[100,4.0],[110,6.0],[120,null],[130,8.0]]
SUM: [[100,7.5],[110,6.0],[120,null],[130,8.0]]
COUNT: [[100,3.0],[110,1.0],[120,0.0],[130,2.0]]
default: [[100,1.0],[110,null],[120,null],[130,8.0]]
up to the end: [[90,1.0],[110,null],[130,8.0]]
CLOSED_END: [[85,1.0],[100,1.0],[115,6.0],[130,8.0]]
SKIP_MISSING: [[100,1.0],[130,8.0]]
TRUE_TIME: [[103,4.0],[115,6.0],[130,8.0],[139,0.0]]
CLIP_END: [[100,2.0]]
without it: [[100,3.0]]
two flags: [[115,6.0],[130,8.0],[139,0.0]]
by name: [[100,1.0],[130,8.0]]
end before start: []
outside: [[-20,null],[-10,null]]
far outside: [[1099511627776,0.0]]
array(2) {
  [0]=>
  array(2) {
    [0]=>
    int(100)
    [1]=>
    float(7.5)
  }
  [1]=>
  array(2) {
    [0]=>
    int(110)
    [1]=>
    float(6)
  }
}
