--TEST--
An answer of any size either fits into memory_limit or throws
--INI--
memory_limit=32M
--FILE--
<?php
require 'feeds.inc';
use Emonfeed\Feed;
$feed = new Feed(write_feed(folder('memory_estimate'), 1, [[1000, 1], [200000, 2]]));
$fits = 0;
$throws = 0;
for ($points = 60000; $points < 160000; $points += 2500) {
    foreach (['windows', 'windowsJson'] as $method) {
        try {
            $answer = $feed->$method(0, $points, 1, Feed::COUNT);
            $fits++;
        } catch (Emonfeed\Exception $e) {
            $throws += $e->getCode() === Emonfeed\Exception::MEMORY;
        }
        unset($answer);
    }
}
var_dump($fits + $throws, $fits > 40, $throws > 5);
?>
--EXPECT--
int(80)
bool(true)
bool(true)
