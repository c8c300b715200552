--TEST--
windowsJson(), windowsAtJson() and rowsJson() say what json_encode() would
--INI--
serialize_precision=-1
--FILE--
<?php
require 'feeds.inc';
use Emonfeed\Feed;
$folder = folder('feed_json');
$values = [0.1, -0.1, 0, -0.0, 3, 16777215, 1e25, -1.5e-7, 123456.789, null, 3.4028234663852886e38, 1e-45, 1 / 3];
$rows = [];
foreach ($values as $i => $value) {
    $rows[] = [1000 + 10 * $i, $value];
}
$feed = new Feed(write_feed($folder, 1, $rows));

echo $feed->rowsJson(0, 2000), "\n";
var_dump($feed->rowsJson(0, 2000) === json_encode($feed->rows(0, 2000)));
foreach (range(Feed::FIRST, Feed::COUNT) as $aggregate) {
    foreach ([0, Feed::SKIP_MISSING, Feed::TRUE_TIME] as $flags) {
        if ($feed->windowsJson(990, 1300, 25, $aggregate, $flags) !== json_encode($feed->windows(990, 1300, 25, $aggregate, $flags))) {
            echo "windows differ: $aggregate $flags\n";
        }
        $edges = [900, 1001, 1035, 1040, 1041, 1200];
        if ($feed->windowsAtJson($edges, $aggregate, $flags) !== json_encode($feed->windowsAt($edges, $aggregate, $flags))) {
            echo "windowsAt differ: $aggregate $flags\n";
        }
    }
}

// JSON has no infinity; a PHP array has.
$feed = new Feed(write_feed($folder, 2, [[100, INF], [101, -INF], [102, NAN]]));
echo $feed->rowsJson(0, 200), "\n";
var_dump(array_column($feed->rows(0, 200), 1));
?>
--EXPECT--
[[1000,0.1],[1010,-0.1],[1020,0],[1030,-0],[1040,3],[1050,16777215],[1060,1.0e+25],[1070,-1.5e-7],[1080,123456.79],[1090,null],[1100,3.4028235e+38],[1110,1.0e-45],[1120,0.33333334]]
bool(true)
[[100,null],[101,null],[102,null]]
array(3) {
  [0]=>
  float(INF)
  [1]=>
  float(-INF)
  [2]=>
  NULL
}
