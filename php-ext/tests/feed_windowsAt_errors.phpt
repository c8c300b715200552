--TEST--
Emonfeed\Feed::windowsAt() and windowsAtJson(): what they refuse
--FILE--
<?php
require 'feeds.inc';
$folder = folder('feed_windowsAt_errors');
$feed = new Emonfeed\Feed(write_feed($folder, 1, [[100, 1]]));

foreach (['windowsAt', 'windowsAtJson'] as $method) {
    refuse('descending', fn () => $feed->$method([100, 90]));
    refuse('equal', fn () => $feed->$method([100, 100]));
    refuse('text', fn () => $feed->$method([100, '200']));
    refuse('float', fn () => $feed->$method([100.0, 200]));
    refuse('null', fn () => $feed->$method([100, null]));
    refuse('list', fn () => $feed->$method([100, [200]]));
    refuse('aggregate', fn () => $feed->$method([100, 200], 7));
    refuse('flags', fn () => $feed->$method([100, 200], 0, 16));
    refuse('no array', fn () => $feed->$method(100, 200));
}
unlink("$folder/feed_1.MYD");
refuse('gone', fn () => $feed->windowsAt([100, 200]));
refuse('gone', fn () => $feed->windowsAtJson([100, 200]));
?>
--EXPECTF--
descending: ValueError: %s
equal: ValueError: %s
text: TypeError: Emonfeed\Feed::windowsAt(): Argument #1 ($edges) must be a list of int, but element 1 is of type string
float: TypeError: Emonfeed\Feed::windowsAt(): Argument #1 ($edges) must be a list of int, but element 0 is of type float
null: TypeError: Emonfeed\Feed::windowsAt(): Argument #1 ($edges) must be a list of int, but element 1 is of type null
list: TypeError: Emonfeed\Feed::windowsAt(): Argument #1 ($edges) must be a list of int, but element 1 is of type array
aggregate: ValueError: Emonfeed\Feed::windowsAt(): Argument #2 ($aggregate) must be one of Emonfeed\Feed::FIRST, LAST, AVERAGE, MIN, MAX, SUM and COUNT
flags: ValueError: Emonfeed\Feed::windowsAt(): Argument #3 ($flags) must be a combination of Emonfeed\Feed::CLOSED_END, SKIP_MISSING, TRUE_TIME and CLIP_END
no array: TypeError: Emonfeed\Feed::windowsAt(): Argument #1 ($edges) must be of type array, int given
descending: ValueError: %s
equal: ValueError: %s
text: TypeError: Emonfeed\Feed::windowsAtJson(): Argument #1 ($edges) must be a list of int, but element 1 is of type string
float: TypeError: Emonfeed\Feed::windowsAtJson(): Argument #1 ($edges) must be a list of int, but element 0 is of type float
null: TypeError: Emonfeed\Feed::windowsAtJson(): Argument #1 ($edges) must be a list of int, but element 1 is of type null
list: TypeError: Emonfeed\Feed::windowsAtJson(): Argument #1 ($edges) must be a list of int, but element 1 is of type array
aggregate: ValueError: Emonfeed\Feed::windowsAtJson(): Argument #2 ($aggregate) must be one of Emonfeed\Feed::FIRST, LAST, AVERAGE, MIN, MAX, SUM and COUNT
flags: ValueError: Emonfeed\Feed::windowsAtJson(): Argument #3 ($flags) must be a combination of Emonfeed\Feed::CLOSED_END, SKIP_MISSING, TRUE_TIME and CLIP_END
no array: TypeError: Emonfeed\Feed::windowsAtJson(): Argument #1 ($edges) must be of type array, int given
gone: Emonfeed\Exception NOT_FOUND: feed_1.MYD
gone: Emonfeed\Exception NOT_FOUND: feed_1.MYD
