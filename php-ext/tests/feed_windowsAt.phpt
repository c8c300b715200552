--TEST--
Emonfeed\Feed::windowsAt(): windows between given edges
--FILE--
<?php
require 'feeds.inc';
use Emonfeed\Feed;
$folder = folder('feed_windowsAt');
$feed = new Feed(write_feed($folder, 1, [[100, 1], [103, 4], [106, 2.5], [110, null], [115, 6], [130, 8]]));

$edges = [100, 104, 110, 111, 131];
foreach (['FIRST', 'LAST', 'AVERAGE', 'MIN', 'MAX', 'SUM', 'COUNT'] as $name) {
    show($name, $feed->windowsAt($edges, constant("Emonfeed\Feed::$name")));
}
show('default', $feed->windowsAt($edges));
show('flags', $feed->windowsAt([101, 110, 111, 131], Feed::FIRST, Feed::TRUE_TIME | Feed::SKIP_MISSING));
show('one edge', $feed->windowsAt([100]));
show('no edge', $feed->windowsAt([]));
show('with keys', $feed->windowsAt(['monday' => 100, 'tuesday' => 131], Feed::COUNT));
$edge = 131;
$list = [100, &$edge];
show('with references', $feed->windowsAt($list, Feed::COUNT));

// Days as PHP's calendar has them: the day summer time begins is short.
$zone = new DateTimeZone('Europe/London');
$days = [];
foreach (['2013-03-30', '2013-03-31', '2013-04-01'] as $day) {
    $days[] = (new DateTime($day, $zone))->getTimestamp();
}
$rows = [];
for ($time = $days[0]; $time < $days[2]; $time += 3600) {
    $rows[] = [$time, 1];
}
show('hours of each day', (new Feed(write_feed($folder, 2, $rows)))->windowsAt($days, Feed::COUNT));
?>
--EXPECT--
FIRST: [[100,1.0],[104,2.5],[110,null],[111,6.0]]
LAST: [[100,4.0],[104,2.5],[110,null],[111,8.0]]
AVERAGE: [[100,2.5],[104,2.5],[110,null],[111,7.0]]
MIN: [[100,1.0],[104,2.5],[110,null],[111,6.0]]
MAX: [[100,4.0],[104,2.5],[110,null],[111,8.0]]
SUM: [[100,5.0],[104,2.5],[110,null],[111,14.0]]
COUNT: [[100,2.0],[104,1.0],[110,0.0],[111,2.0]]
default: [[100,1.0],[104,2.5],[110,null],[111,6.0]]
flags: [[103,4.0],[115,6.0]]
one edge: []
no edge: []
with keys: [[100,5.0]]
with references: [[100,5.0]]
hours of each day: [[1364601600,24.0],[1364688000,23.0]]
