--TEST--
An answer that memory_limit cannot hold is an exception, not the end of the script
--INI--
memory_limit=8M
--FILE--
<?php
require 'feeds.inc';
use Emonfeed\Feed;
$folder = folder('memory_limit');
$feed = new Feed(write_feed($folder, 1, [[100, 1]]));

foreach (['windows' => 0, 'windowsJson' => 1000000000] as $method => $start) {
    try {
        $feed->$method($start, $start + 499999, 1);
    } catch (Emonfeed\Exception $error) {
        var_dump($error->getCode() === Emonfeed\Exception::MEMORY, $error->getMessage());
    }
}
show('a smaller one', count($feed->windows(0, 9999, 1)));
// JSON takes a tenth of the memory.
show('smaller as JSON', strlen($feed->windowsJson(0, 99999, 1)));
ini_set('memory_limit', -1);
show('without limit', count($feed->windows(0, 99999, 1)));
?>
--EXPECTF--
bool(true)
string(%d) "the answer takes %d MiB, which memory_limit (8 MiB) does not allow: ask for less"
bool(true)
string(%d) "the answer takes %d MiB, which memory_limit (8 MiB) does not allow: ask for less"
a smaller one: 10000
smaller as JSON: 1288888
without limit: 100000
