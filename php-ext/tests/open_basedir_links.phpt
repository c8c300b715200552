--TEST--
Under open_basedir a feed that is a link is refused, even if it leads inside
--FILE--
<?php
require 'feeds.inc';
$folder = folder('open_basedir_links');
$path = write_feed($folder, 7, [[100, 1]]);
symlink($path, "$folder/feed_8.MYD");

show('without open_basedir', (new Emonfeed\Feed("$folder/feed_8.MYD"))->lastValue());
ini_set('open_basedir', __DIR__);
refuse('with it', fn () => new Emonfeed\Feed("$folder/feed_8.MYD"));
show('the file itself', (new Emonfeed\Feed($path))->lastValue());
?>
--EXPECT--
without open_basedir: {"time":100,"value":1.0}
with it: Emonfeed\Exception NOT_REGULAR: feed_8.MYD
the file itself: {"time":100,"value":1.0}
