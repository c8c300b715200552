--TEST--
rowsCsv() gives the rows piece by piece
--FILE--
<?php
require 'feeds.inc';
use Emonfeed\Feed;
$folder = folder('feed_rowsCsv');

/* All pieces, and how many there were. */
function pieces(Feed $feed, int $start, int $end, array $format = []): array
{
    $text = '';
    $count = 0;
    for ($next = [$start, 0]; $next; $count++, $text .= $csv) {
        [$csv, $next] = $feed->rowsCsv($next[0], $end, $format, $next[1]);
    }
    return [$text, $count];
}

$lines = [];
$rows = [];
for ($i = 0; $i < 150000; $i++) {
    // In pairs of one second, so that a piece ends between two of them.
    $rows[] = [1000 + intdiv($i + 1, 2), $i % 7 ? $i % 1000 : null];
    $lines[] = implode(',', end($rows)) . "\n";
}
// At once: under valgrind each addition copies all of a text.
$expected = implode($lines);
$feed = new Feed(write_feed($folder, 1, $rows));
[$text, $count] = pieces($feed, 0, 200000);
var_dump($text === $expected, $count);
[$csv, $next] = $feed->rowsCsv(0, 200000);
var_dump(substr_count($csv, "\n"), $next);

// From a second on to another, both included.
[$text] = pieces($feed, 1001, 1002, ['decimals' => 1, 'missing' => 'null']);
echo $text;
var_dump(pieces($feed, 1002, 1001), pieces(new Feed(write_feed($folder, 2, [])), 0, 10));

// More rows of one second than a piece holds.
$rows = array_fill(0, 140000, [500, 1]);
$feed = new Feed(write_feed($folder, 3, $rows));
[$text, $count] = pieces($feed, 0, 1000);
var_dump($text === str_repeat("500,1\n", 140000), $count);

// Rows that were given are gone: this is not the end of the feed.
[, $next] = $feed->rowsCsv(0, 1000);
write_feed($folder, 3, [[400, 1], [500, 1], [600, 2]]);
try {
    $feed->rowsCsv($next[0], 1000, [], $next[1]);
} catch (Emonfeed\Exception $e) {
    var_dump($e->getCode() === Emonfeed\Exception::CHANGED);
    echo str_replace($folder, '', $e->getMessage()), "\n";
}

// Memory stays as it was.
$feed = new Feed("$folder/feed_1.MYD");
$feed->rowsCsv(0, 200000);
$before = memory_get_peak_usage();
for ($next = [0, 0]; $next;) {
    [$csv, $next] = $feed->rowsCsv($next[0], 200000, [], $next[1]);
}
var_dump(memory_get_peak_usage() - $before < 1 << 20);
?>
--EXPECT--
bool(true)
int(3)
int(65536)
array(2) {
  [0]=>
  int(33768)
  [1]=>
  int(1)
}
1001,1.0
1001,2.0
1002,3.0
1002,4.0
array(2) {
  [0]=>
  string(0) ""
  [1]=>
  int(1)
}
array(2) {
  [0]=>
  string(0) ""
  [1]=>
  int(1)
}
bool(true)
int(3)
bool(true)
/feed_3.MYD: rows read before were changed or deleted meanwhile; begin again
bool(true)
