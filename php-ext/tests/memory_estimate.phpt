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
$calls = 0;
/* Under valgrind a few will do: it takes its time. */
$step = getenv('USE_ZEND_ALLOC') === '0' ? 10000 : 2500;
for ($points = 60000; $points < 160000; $points += $step) {
    foreach (['windows', 'windowsJson'] as $method) {
        $calls++;
        try {
            $answer = $feed->$method(0, $points, 1, Feed::COUNT);
            $fits++;
        } catch (Emonfeed\Exception $e) {
            $throws += $e->getCode() === Emonfeed\Exception::MEMORY;
        }
        unset($answer);
    }
}
var_dump($fits + $throws === $calls, $fits > $calls / 2, $throws > $calls / 16);
?>
--EXPECT--
bool(true)
bool(true)
bool(true)
