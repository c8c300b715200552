--TEST--
emonfeed_get_feed_data(): what it refuses
--INI--
emonfeed.datadir={PWD}/get_feed_data_errors.tmp
--FILE--
<?php
require 'feeds.inc';
$folder = folder('get_feed_data_errors');
write_feed($folder, 1, [[100, 1]]);

show('fine', emonfeed_get_feed_data(1, 0, 1e6, 0));
refuse('no such feed', fn () => emonfeed_get_feed_data(2, 0, 1e6, 0));
refuse('feed 0', fn () => emonfeed_get_feed_data(0, 0, 1e6, 0));
refuse('feed -1', fn () => emonfeed_get_feed_data(-1, 0, 1e6, 0));
refuse('path as feed', fn () => emonfeed_get_feed_data('../1', 0, 1e6, 0));
refuse('text as time', fn () => emonfeed_get_feed_data(1, 'yesterday', 1e6, 0));
refuse('NAN', fn () => emonfeed_get_feed_data(1, NAN, 1e6, 0));
refuse('INF', fn () => emonfeed_get_feed_data(1, 0, INF, 0));
refuse('too few', fn () => emonfeed_get_feed_data(1, 0, 1e6));

file_put_contents("$folder/feed_3.MYD", "\x42" . str_repeat("\0", 8));
refuse('no feed inside', fn () => emonfeed_get_feed_data(3, 0, 1e6, 0));
var_dump(ini_set('emonfeed.datadir', '/tmp'), ini_get('emonfeed.datadir') === $folder);
?>
--EXPECTF--
fine: [[100000,1.0]]
no such feed: Emonfeed\Exception NOT_FOUND: feed_2.MYD
feed 0: ValueError: emonfeed_get_feed_data(): Argument #1 ($feedid) must be greater than 0
feed -1: ValueError: emonfeed_get_feed_data(): Argument #1 ($feedid) must be greater than 0
path as feed: TypeError: emonfeed_get_feed_data(): Argument #1 ($feedid) must be of type int, string given
text as time: TypeError: emonfeed_get_feed_data(): Argument #2 ($start) must be of type float, string given
NAN: ValueError: %s
INF: ValueError: %s
too few: ArgumentCountError: emonfeed_get_feed_data() expects exactly 4 arguments, 3 given
no feed inside: Emonfeed\Exception MISSING_DEFINITION: feed_3.MYD
bool(false)
bool(true)
