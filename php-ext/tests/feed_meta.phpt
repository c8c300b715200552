--TEST--
Emonfeed\Feed::meta()
--FILE--
<?php
require 'feeds.inc';
$folder = folder('feed_meta');

var_dump((new Emonfeed\Feed(write_feed($folder, 1, [[100, 1], [110, null], [120, 3], [140, 4]])))->meta());
show('empty', (new Emonfeed\Feed(write_feed($folder, 2, [])))->meta());
show('unsorted', (new Emonfeed\Feed(write_feed($folder, 3, [[100, 1], [90, 2]])))->meta());
show('table', (new Emonfeed\Feed(write_table($folder, 4, ['time' => INT, 'data' => DOUBLE], [[100, 1], null, [120, 3]])))->meta());
show('histogram', (new Emonfeed\Feed(write_table($folder, 5, ['time' => INT, 'data' => FLOAT, 'data2' => FLOAT], [[100, 1, 2]])))->meta());

// A feed that grows is seen to grow.
$feed = new Emonfeed\Feed("$folder/feed_2.MYD");
file_put_contents("$folder/feed_2.MYD", rows_of([[200, 5]]), FILE_APPEND);
show('grown', $feed->meta()['npoints']);

refuse('argument', fn () => $feed->meta(1));
unlink("$folder/feed_2.MYD");
refuse('gone', fn () => $feed->meta());
?>
--EXPECT--
array(13) {
  ["npoints"]=>
  int(4)
  ["start_time"]=>
  int(100)
  ["end_time"]=>
  int(140)
  ["interval"]=>
  int(10)
  ["bytes"]=>
  int(36)
  ["index_bytes"]=>
  int(0)
  ["slots"]=>
  int(4)
  ["stride"]=>
  int(9)
  ["sorted"]=>
  bool(true)
  ["indexed"]=>
  bool(false)
  ["checksum"]=>
  bool(false)
  ["histogram"]=>
  bool(false)
  ["value_type"]=>
  string(5) "FLOAT"
}
empty: {"npoints":0,"start_time":0,"end_time":0,"interval":0,"bytes":0,"index_bytes":0,"slots":0,"stride":9,"sorted":true,"indexed":false,"checksum":false,"histogram":false,"value_type":"FLOAT"}
unsorted: {"npoints":2,"start_time":90,"end_time":100,"interval":10,"bytes":18,"index_bytes":0,"slots":2,"stride":9,"sorted":false,"indexed":false,"checksum":false,"histogram":false,"value_type":"FLOAT"}
table: {"npoints":2,"start_time":100,"end_time":120,"interval":20,"bytes":39,"index_bytes":1024,"slots":3,"stride":13,"sorted":true,"indexed":true,"checksum":false,"histogram":false,"value_type":"DOUBLE"}
histogram: {"npoints":1,"start_time":100,"end_time":100,"interval":0,"bytes":13,"index_bytes":1024,"slots":1,"stride":13,"sorted":true,"indexed":true,"checksum":false,"histogram":true,"value_type":"FLOAT"}
grown: 1
argument: ArgumentCountError: Emonfeed\Feed::meta() expects exactly 0 arguments, 1 given
gone: Emonfeed\Exception NOT_FOUND: feed_2.MYD
