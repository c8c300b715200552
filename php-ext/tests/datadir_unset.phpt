--TEST--
emonfeed_get_feed_data() without emonfeed.datadir
--FILE--
<?php
require 'feeds.inc';
refuse('not set', fn () => emonfeed_get_feed_data(1, 0, 1e6, 0));
?>
--EXPECT--
not set: Emonfeed\Exception NOT_FOUND: emonfeed.datadir is not set: name the folder of the feed files in php.ini
