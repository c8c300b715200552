--TEST--
Emonfeed\Feed::lastValue()
--FILE--
<?php
require 'feeds.inc';
$folder = folder('feed_lastValue');

var_dump((new Emonfeed\Feed(write_feed($folder, 1, [[100, 1], [120, 2.5]])))->lastValue());
show('null', (new Emonfeed\Feed(write_feed($folder, 2, [[100, 1], [120, null]])))->lastValue());
show('zero', (new Emonfeed\Feed(write_feed($folder, 3, [[100, 1], [120, 0]])))->lastValue());
show('unsorted', (new Emonfeed\Feed(write_feed($folder, 4, [[130, 1], [120, 2]])))->lastValue());
$feed = new Emonfeed\Feed(write_feed($folder, 5, []));
show('no rows', $feed->lastValue());
refuse('argument', fn () => $feed->lastValue(1));
unlink("$folder/feed_5.MYD");
refuse('gone', fn () => $feed->lastValue());
?>
--EXPECT--
array(2) {
  ["time"]=>
  int(120)
  ["value"]=>
  float(2.5)
}
null: {"time":120,"value":null}
zero: {"time":120,"value":0.0}
unsorted: {"time":130,"value":1.0}
no rows: null
argument: ArgumentCountError: Emonfeed\Feed::lastValue() expects exactly 0 arguments, 1 given
gone: Emonfeed\Exception NOT_FOUND: feed_5.MYD
