--TEST--
Emonfeed\Feed::valuesAt()
--FILE--
<?php
require 'feeds.inc';
use Emonfeed\Feed;
$folder = folder('feed_valuesAt');
$feed = new Feed(write_feed($folder, 1, [[100, 1], [110, 2], [120, null], [130, 8]]));

$times = [90, 100, 105, 110, 115, 120, 125, 130, 140];
foreach (['NEXT', 'PREVIOUS', 'LINEAR', 'EXACT'] as $name) {
    show($name, $feed->valuesAt($times, constant("Emonfeed\Feed::$name")));
}
show('default', $feed->valuesAt($times));
show('skipping', $feed->valuesAt($times, Feed::PREVIOUS, Feed::SKIP_MISSING));
show('true time', $feed->valuesAt($times, Feed::PREVIOUS, Feed::TRUE_TIME));
show('both', $feed->valuesAt($times, Feed::NEXT, Feed::TRUE_TIME | Feed::SKIP_MISSING));
show('on the line', $feed->valuesAt([105], Feed::LINEAR, Feed::TRUE_TIME));
show('any order', $feed->valuesAt([130, 100, 130], Feed::EXACT));
show('none', $feed->valuesAt([]));

refuse('mode 4', fn () => $feed->valuesAt([100], 4));
refuse('mode -1', fn () => $feed->valuesAt([100], -1));
refuse('mode 2**32', fn () => $feed->valuesAt([100], PHP_INT_MAX));
refuse('flags of windows', fn () => $feed->valuesAt([100], Feed::NEXT, Feed::CLIP_END));
refuse('text', fn () => $feed->valuesAt([100, 'now']));
refuse('float', fn () => $feed->valuesAt([100.5]));
refuse('no array', fn () => $feed->valuesAt(100));
unlink("$folder/feed_1.MYD");
refuse('gone', fn () => $feed->valuesAt([100]));
?>
--EXPECT--
NEXT: [[90,1.0],[100,1.0],[105,2.0],[110,2.0],[115,null],[120,null],[125,8.0],[130,8.0],[140,null]]
PREVIOUS: [[90,null],[100,1.0],[105,1.0],[110,2.0],[115,2.0],[120,null],[125,null],[130,8.0],[140,8.0]]
LINEAR: [[90,null],[100,1.0],[105,1.5],[110,2.0],[115,null],[120,null],[125,null],[130,8.0],[140,null]]
EXACT: [[90,null],[100,1.0],[105,null],[110,2.0],[115,null],[120,null],[125,null],[130,8.0],[140,null]]
default: [[90,null],[100,1.0],[105,1.5],[110,2.0],[115,null],[120,null],[125,null],[130,8.0],[140,null]]
skipping: [[100,1.0],[105,1.0],[110,2.0],[115,2.0],[130,8.0],[140,8.0]]
true time: [[90,null],[100,1.0],[100,1.0],[110,2.0],[110,2.0],[120,null],[125,null],[130,8.0],[130,8.0]]
both: [[100,1.0],[100,1.0],[110,2.0],[110,2.0],[130,8.0],[130,8.0]]
on the line: [[105,1.5]]
any order: [[130,8.0],[100,1.0],[130,8.0]]
none: []
mode 4: ValueError: Emonfeed\Feed::valuesAt(): Argument #2 ($mode) must be one of Emonfeed\Feed::NEXT, PREVIOUS, LINEAR and EXACT
mode -1: ValueError: Emonfeed\Feed::valuesAt(): Argument #2 ($mode) must be one of Emonfeed\Feed::NEXT, PREVIOUS, LINEAR and EXACT
mode 2**32: ValueError: Emonfeed\Feed::valuesAt(): Argument #2 ($mode) must be one of Emonfeed\Feed::NEXT, PREVIOUS, LINEAR and EXACT
flags of windows: ValueError: Emonfeed\Feed::valuesAt(): Argument #3 ($flags) must be a combination of Emonfeed\Feed::SKIP_MISSING and TRUE_TIME
text: TypeError: Emonfeed\Feed::valuesAt(): Argument #1 ($times) must be a list of int, but element 1 is of type string
float: TypeError: Emonfeed\Feed::valuesAt(): Argument #1 ($times) must be a list of int, but element 0 is of type float
no array: TypeError: Emonfeed\Feed::valuesAt(): Argument #1 ($times) must be of type array, int given
gone: Emonfeed\Exception NOT_FOUND: feed_1.MYD
