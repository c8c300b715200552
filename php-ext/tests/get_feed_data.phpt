--TEST--
emonfeed_get_feed_data(): the call of July 2013
--INI--
emonfeed.datadir={PWD}/get_feed_data.tmp
--FILE--
<?php
require 'feeds.inc';
$folder = folder('get_feed_data');

// Short ranges: all rows, newest first, without those that have no value.
write_feed($folder, 1, [[1372636800, 0.1], [1372636810, null], [1372636820, 0], [1372636830, 230.5]]);
show('rows', emonfeed_get_feed_data(1, 1372636800000, 1372636820000, 800));
show('fractions', emonfeed_get_feed_data(1, 1372636819999.5, 1372636830000.9, 800));

// Longer ones: averages over range/dp seconds.
$rows = [];
for ($i = 0; $i < 7200; $i += 10) {
    $rows[] = [1372636800 + $i, $i % 20 ? 1 : 2];
}
write_feed($folder, 2, $rows);
$data = emonfeed_get_feed_data(2, 1372636800000, 1372644000000, 4);
show('averages', $data);

// The longest: the first row of each of dp parts.
$rows = [];
for ($i = 0; $i < 864000; $i += 3600) {
    $rows[] = [1372636800 + $i, $i / 3600];
}
write_feed($folder, 3, $rows);
show('samples', emonfeed_get_feed_data(3, 1372636800000, 1373500800000, 5));
show('dp 0', count(emonfeed_get_feed_data(3, 1372636800000, 1373500800000, 0)));

// 0 as the end is now.
write_feed($folder, 4, [[time() - 60, 7]]);
$data = emonfeed_get_feed_data(4, (time() - 120) * 1000, 0, 800);
show('until now', $data[0][1]);
var_dump(is_int($data[0][0]) || PHP_INT_SIZE === 4, fmod($data[0][0], 1000));

// Times beyond 2038 and of a feed's last second.
write_feed($folder, 5, [[4294967295, 1.5]]);
show('last second', emonfeed_get_feed_data(5, 4294967295000, 4294967296000, 800));
show('nothing', emonfeed_get_feed_data(5, 0, 1000, 800));
?>
--EXPECT--
rows: [[1372636820000,0.0],[1372636800000,0.1]]
fractions: [[1372636830000,230.5],[1372636820000,0.0]]
averages: [[1372636800000,1.5],[1372638600000,1.5],[1372640400000,1.5],[1372642200000,1.5]]
samples: [[1372636800000,0.0],[1372809600000,48.0],[1372982400000,96.0],[1373155200000,144.0],[1373328000000,192.0]]
dp 0: 240
until now: 7.0
bool(true)
float(0)
last second: [[4294967295000,1.5]]
nothing: []
