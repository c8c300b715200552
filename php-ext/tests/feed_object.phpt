--TEST--
Emonfeed\Feed: final, not clonable, not serialisable, no dynamic properties, not comparable
--FILE--
<?php
require 'feeds.inc';
$folder = folder('feed_object');
$path = write_feed($folder, 7, [[100, 1.5]]);
$feed = new Emonfeed\Feed($path);

refuse('clone', fn () => clone $feed);
refuse('serialize', fn () => serialize($feed));
refuse('unserialize', fn () => unserialize('O:13:"Emonfeed\Feed":0:{}'));
refuse('property', fn () => $feed->color = 'red');
var_dump($feed, $feed == new Emonfeed\Feed($path), $feed == $feed);
var_dump((new ReflectionClass($feed))->isFinal());

// An exception of the extension is one of PHP.
try {
    new Emonfeed\Feed("$folder/feed_8.MYD");
} catch (RuntimeException $error) {
    var_dump(get_class($error), $error->getCode() === Emonfeed\Exception::NOT_FOUND, $error->getPrevious());
}
?>
--EXPECTF--
clone: Error: Trying to clone an uncloneable object of class Emonfeed\Feed
serialize: Exception: Serialization of 'Emonfeed\Feed' is not allowed
unserialize: Exception: Unserialization of 'Emonfeed\Feed' is not allowed
property: Error: Cannot create dynamic property Emonfeed\Feed::$color
object(Emonfeed\Feed)#%d (0) {
}
bool(false)
bool(true)
bool(true)
string(18) "Emonfeed\Exception"
bool(true)
NULL
