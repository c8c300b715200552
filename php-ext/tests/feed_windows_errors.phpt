--TEST--
Emonfeed\Feed::windows() and windowsJson(): what they refuse
--FILE--
<?php
require 'feeds.inc';
$folder = folder('feed_windows_errors');
$feed = new Emonfeed\Feed(write_feed($folder, 1, [[100, 1]]));

foreach (['windows', 'windowsJson'] as $method) {
    refuse('interval 0', fn () => $feed->$method(0, 100, 0));
    refuse('interval -1', fn () => $feed->$method(0, 100, -1));
    refuse('too many windows', fn () => $feed->$method(0, 10000000, 1));
    refuse('far too many', fn () => $feed->$method(PHP_INT_MIN, PHP_INT_MAX, 1));
    refuse('aggregate 7', fn () => $feed->$method(0, 100, 10, 7));
    refuse('aggregate -1', fn () => $feed->$method(0, 100, 10, -1));
    refuse('aggregate 2**32', fn () => $feed->$method(0, 100, 10, PHP_INT_MAX));
    refuse('flag 16', fn () => $feed->$method(0, 100, 10, 0, 16));
    refuse('flags -1', fn () => $feed->$method(0, 100, 10, 0, -1));
    refuse('text', fn () => $feed->$method('yesterday', 100, 10));
    refuse('NAN', fn () => $feed->$method(0, NAN, 10));
    refuse('too few', fn () => $feed->$method(0, 100));
    refuse('too many', fn () => $feed->$method(0, 100, 10, 0, 0, 0));
}
show('still works', $feed->windows(100, 100, 10));
unlink("$folder/feed_1.MYD");
refuse('gone', fn () => $feed->windows(100, 100, 10));
refuse('gone', fn () => $feed->windowsJson(100, 100, 10));
?>
--EXPECTF--
interval 0: ValueError: %s
interval -1: ValueError: %s
too many windows: ValueError: 10000001 %s
far too many: ValueError: %s
aggregate 7: ValueError: Emonfeed\Feed::windows(): Argument #4 ($aggregate) must be one of Emonfeed\Feed::FIRST, LAST, AVERAGE, MIN, MAX, SUM and COUNT
aggregate -1: ValueError: Emonfeed\Feed::windows(): Argument #4 ($aggregate) must be one of Emonfeed\Feed::FIRST, LAST, AVERAGE, MIN, MAX, SUM and COUNT
aggregate 2**32: ValueError: Emonfeed\Feed::windows(): Argument #4 ($aggregate) must be one of Emonfeed\Feed::FIRST, LAST, AVERAGE, MIN, MAX, SUM and COUNT
flag 16: ValueError: Emonfeed\Feed::windows(): Argument #5 ($flags) must be a combination of Emonfeed\Feed::CLOSED_END, SKIP_MISSING, TRUE_TIME and CLIP_END
flags -1: ValueError: Emonfeed\Feed::windows(): Argument #5 ($flags) must be a combination of Emonfeed\Feed::CLOSED_END, SKIP_MISSING, TRUE_TIME and CLIP_END
text: TypeError: Emonfeed\Feed::windows(): Argument #1 ($start) must be of type int, string given
NAN: TypeError: Emonfeed\Feed::windows(): Argument #2 ($end) must be of type int, float given
too few: ArgumentCountError: Emonfeed\Feed::windows() expects at least 3 arguments, 2 given
too many: ArgumentCountError: Emonfeed\Feed::windows() expects at most 5 arguments, 6 given
interval 0: ValueError: %s
interval -1: ValueError: %s
too many windows: ValueError: 10000001 %s
far too many: ValueError: %s
aggregate 7: ValueError: Emonfeed\Feed::windowsJson(): Argument #4 ($aggregate) must be one of Emonfeed\Feed::FIRST, LAST, AVERAGE, MIN, MAX, SUM and COUNT
aggregate -1: ValueError: Emonfeed\Feed::windowsJson(): Argument #4 ($aggregate) must be one of Emonfeed\Feed::FIRST, LAST, AVERAGE, MIN, MAX, SUM and COUNT
aggregate 2**32: ValueError: Emonfeed\Feed::windowsJson(): Argument #4 ($aggregate) must be one of Emonfeed\Feed::FIRST, LAST, AVERAGE, MIN, MAX, SUM and COUNT
flag 16: ValueError: Emonfeed\Feed::windowsJson(): Argument #5 ($flags) must be a combination of Emonfeed\Feed::CLOSED_END, SKIP_MISSING, TRUE_TIME and CLIP_END
flags -1: ValueError: Emonfeed\Feed::windowsJson(): Argument #5 ($flags) must be a combination of Emonfeed\Feed::CLOSED_END, SKIP_MISSING, TRUE_TIME and CLIP_END
text: TypeError: Emonfeed\Feed::windowsJson(): Argument #1 ($start) must be of type int, string given
NAN: TypeError: Emonfeed\Feed::windowsJson(): Argument #2 ($end) must be of type int, float given
too few: ArgumentCountError: Emonfeed\Feed::windowsJson() expects at least 3 arguments, 2 given
too many: ArgumentCountError: Emonfeed\Feed::windowsJson() expects at most 5 arguments, 6 given
still works: [[100,1.0]]
gone: Emonfeed\Exception NOT_FOUND: feed_1.MYD
gone: Emonfeed\Exception NOT_FOUND: feed_1.MYD
