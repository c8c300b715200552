--TEST--
The engines for emoncms with files beyond 2 and 4 GiB: their size is right, or emoncms's own engine is asked
--FILE--
<?php
require 'emoncms.inc';

$folder = folder('emoncms_large');
$columns = ['time' => INT, 'data' => FLOAT];
$rows = [[100, 1], [200, 2]];

/* Makes a file that large, of which nearly all is a hole. */
function enlarge(string $path, int|float $size): void
{
    exec("truncate -s $size " . escapeshellarg($path), $output, $code);
    $code === 0 or die("truncate: $code");
    put_to_rest($path);
}

write_table($folder, 1, $columns, $rows);
write_feed($folder, 1, $rows);
var_dump(from_file(php_engine($folder)->get_feed_size(1), 18));
var_dump(from_file(php_engine($folder)->get_sha256sum(1), hash('sha256', rows_of($rows))));
var_dump(from_file(mysql_engine($folder)->get_feed_size(1), 18 + filesize("$folder/feed_1.MYI")));

// Together they are more than either may be.
write_table($folder, 2, $columns, $rows);
foreach (['MYD', 'MYI'] as $extension) {
    enlarge("$folder/feed_2.$extension", 2000000000);
}
var_dump(from_file(mysql_engine($folder)->get_feed_size(2), 4000000000));

foreach ([2147483648, 4294967296 + 14] as $id => $size) {
    enlarge(write_feed($folder, 10 + $id, $rows), $size);
    var_dump(from_file_or_left(php_engine($folder)->get_feed_size(10 + $id), $size));
    write_table($folder, 20 + $id, $columns, $rows);
    enlarge("$folder/feed_" . 20 + $id . '.MYI', $size);
    var_dump(from_file_or_left(mysql_engine($folder)->get_feed_size(20 + $id), 18 + $size));
}

var_dump(from_file_or_left(php_engine($folder)->get_sha256sum(11, 2), hash('sha256', rows_of($rows))));

// The last two rows.
$sent = sent('php_engine', $folder, 'export', 11, 4294967296);
var_dump($sent === (PHP_INT_SIZE > 4 ? str_repeat("\0", 18) . 'logged: 0' : 'askedlogged: 1'));
?>
--EXPECT--
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
