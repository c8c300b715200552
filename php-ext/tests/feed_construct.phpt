--TEST--
Emonfeed\Feed::__construct(): what it accepts and what it refuses
--FILE--
<?php
require 'feeds.inc';
$folder = folder('feed_construct');
$path = write_feed($folder, 7, [[100, 1.5]]);

// A path stays the same file when the script changes folders.
chdir($folder);
$feed = new Emonfeed\Feed('feed_7.MYD');
chdir('/');
show('by relative path', $feed->lastValue());

refuse('missing', fn () => new Emonfeed\Feed("$folder/feed_8.MYD"));
refuse('folder', fn () => new Emonfeed\Feed($folder));
refuse('twice', fn () => $feed->__construct($path));
show('and stays what it was', $feed->lastValue());
refuse('empty path', fn () => new Emonfeed\Feed(''));
refuse('NUL byte', fn () => new Emonfeed\Feed("$path\0.MYD"));
refuse('path too long', fn () => new Emonfeed\Feed(str_repeat('a/', 10000)));
refuse('wrapper', fn () => new Emonfeed\Feed('php://memory'));
refuse('no path', fn () => new Emonfeed\Feed());
refuse('array', fn () => new Emonfeed\Feed([]));
?>
--EXPECT--
by relative path: {"time":100,"value":1.5}
missing: Emonfeed\Exception NOT_FOUND: feed_8.MYD
folder: Emonfeed\Exception NOT_A_FEED: feed_construct.tmp
twice: Error: Emonfeed\Feed object is already constructed
and stays what it was: {"time":100,"value":1.5}
empty path: ValueError: Emonfeed\Feed::__construct(): Argument #1 ($path) must not be empty
NUL byte: ValueError: Emonfeed\Feed::__construct(): Argument #1 ($path) must not contain any null bytes
path too long: ValueError: Emonfeed\Feed::__construct(): Argument #1 ($path) must be a shorter path
wrapper: Emonfeed\Exception NOT_A_FEED: memory
no path: ArgumentCountError: Emonfeed\Feed::__construct() expects exactly 1 argument, 0 given
array: TypeError: Emonfeed\Feed::__construct(): Argument #1 ($path) must be of type string, array given
