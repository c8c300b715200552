--TEST--
open_basedir holds for feeds, for the folder of emonfeed_get_feed_data() and for both ends of a copy
--INI--
emonfeed.datadir={PWD}/open_basedir.tmp/outside
--FILE--
<?php
require 'feeds.inc';
use Emonfeed\Feed;
$folder = folder('open_basedir', clean: false);
mkdir("$folder/inside");
mkdir("$folder/outside");
$inside = write_feed("$folder/inside", 7, [[100, 1]]);
$outside = write_feed("$folder/outside", 7, [[100, 2]]);
$moved = write_feed("$folder/inside", 8, [[100, 3]]);
symlink($outside, "$folder/inside/feed_9.MYD");
$before = new Feed($outside);
$swapped = new Feed($moved);

ini_set('open_basedir', "$folder/inside");
show('inside', (new Feed($inside))->lastValue());
refuse('outside', fn () => new Feed($outside));
try {
    new Feed($outside);
} catch (Emonfeed\Exception $error) {
    echo str_replace("$folder/", '', $error->getMessage()), "\n";
}
refuse('by dots', fn () => new Feed("$folder/inside/../outside/feed_7.MYD"));
refuse('by link', fn () => new Feed("$folder/inside/feed_9.MYD"));
refuse('missing outside', fn () => new Feed("$folder/outside/feed_8.MYD"));
refuse('opened before', fn () => $before->lastValue());
foreach ([
    'meta' => [], 'lastValue' => [], 'windows' => [0, 9, 1], 'windowsJson' => [0, 9, 1],
    'windowsCsv' => [0, 9, 1], 'windowsAt' => [[0, 9]], 'windowsAtJson' => [[0, 9]],
    'windowsAtCsv' => [[0, 9]], 'valuesAt' => [[0]], 'valuesAtCsv' => [[0]],
    'rows' => [0, 9], 'rowsJson' => [0, 9], 'rowsCsv' => [0, 9], 'histogram' => [0, 9], 'sumByTime' => [0.0, 9.0],
] as $method => $arguments) {
    refuse($method, fn () => $before->$method(...$arguments));
}
refuse('datadir', fn () => emonfeed_get_feed_data(7, 0, 1e6, 0));
refuse('copy from', fn () => emonfeed_copy($outside, "$folder/inside/feed_10.MYD"));
refuse('copy to', fn () => emonfeed_copy($inside, "$folder/outside/feed_10.MYD"));
refuse('copy to folder', fn () => emonfeed_copy($inside, "$folder/outside"));

// A link put in the place of the file leads nowhere.
unlink($moved);
shell_exec('ln -s ' . escapeshellarg($outside) . ' ' . escapeshellarg($moved));
refuse('swapped', fn () => $swapped->lastValue());
?>
--CLEAN--
<?php
require 'feeds.inc';
remove(__DIR__ . '/open_basedir.tmp');
?>
--EXPECT--
inside: {"time":100,"value":1.0}
outside: Emonfeed\Exception PERMISSION: feed_7.MYD
outside/feed_7.MYD: open_basedir does not allow this path; it allows inside
by dots: Emonfeed\Exception PERMISSION: feed_7.MYD
by link: Emonfeed\Exception PERMISSION: feed_9.MYD
missing outside: Emonfeed\Exception PERMISSION: feed_8.MYD
opened before: Emonfeed\Exception PERMISSION: feed_7.MYD
meta: Emonfeed\Exception PERMISSION: feed_7.MYD
lastValue: Emonfeed\Exception PERMISSION: feed_7.MYD
windows: Emonfeed\Exception PERMISSION: feed_7.MYD
windowsJson: Emonfeed\Exception PERMISSION: feed_7.MYD
windowsCsv: Emonfeed\Exception PERMISSION: feed_7.MYD
windowsAt: Emonfeed\Exception PERMISSION: feed_7.MYD
windowsAtJson: Emonfeed\Exception PERMISSION: feed_7.MYD
windowsAtCsv: Emonfeed\Exception PERMISSION: feed_7.MYD
valuesAt: Emonfeed\Exception PERMISSION: feed_7.MYD
valuesAtCsv: Emonfeed\Exception PERMISSION: feed_7.MYD
rows: Emonfeed\Exception PERMISSION: feed_7.MYD
rowsJson: Emonfeed\Exception PERMISSION: feed_7.MYD
rowsCsv: Emonfeed\Exception PERMISSION: feed_7.MYD
histogram: Emonfeed\Exception PERMISSION: feed_7.MYD
sumByTime: Emonfeed\Exception PERMISSION: feed_7.MYD
datadir: Emonfeed\Exception PERMISSION: feed_7.MYD
copy from: Emonfeed\Exception PERMISSION: feed_7.MYD
copy to: Emonfeed\Exception PERMISSION: feed_10.MYD
copy to folder: Emonfeed\Exception PERMISSION: outside
swapped: Emonfeed\Exception PERMISSION: feed_8.MYD
