--TEST--
The engines for emoncms with times after 2038: the file is read, or emoncms's own engine is asked
--FILE--
<?php
require 'emoncms.inc';

$folder = folder('emoncms_after_2038');
// The second and the third are of 19 January 2038, before and after 03:14:07.
write_feed($folder, 1, [[2147385600, 1], [2147472000, 2], [2147500000, 4], [4102444800, 3], [4150000000, 5]]);

foreach (['mysql_engine', 'php_engine'] as $engine) {
    $combined = fn (...$arguments) => $engine($folder)->get_data_combined(1, ...$arguments);
    $aggregate = fn (...$arguments) => $engine($folder)->get_data_aggregate(1, ...$arguments);
    echo "$engine: the last window ends later\n";
    foreach (['UTC' => 2145916800, 'Europe/Berlin' => 2145913200] as $zone => $year) {
        var_dump(from_file($combined($year, 2147483647, 'annual', 1, $zone), [[$year, 7 / 3]]));
    }
    var_dump(from_file($aggregate(2147385600, 2147472000, 'daily', 'count'), [[2147385600, 1], [2147472000, 2]]));
    var_dump(from_file($aggregate(2147472000, 2147483647, 100000, 'sum'), [[2147472000, 6]]));
    var_dump(from_file($aggregate(2147400000, 2147483647, 100000, 'previous'), [[2147400000, 1]]));
    echo "$engine: what is asked for is later\n";
    foreach (['4102444800', 4102444800] as $start) {
        var_dump(from_file_or_left($combined($start, '4102448400', 3600), [[4102444800, 3], [4102448400, null]]));
    }
    var_dump(from_file_or_left($combined(2147385600, 2147472000, '4000000000'), [[2147385600, 1]]));
}

echo "times of day\n";
foreach (['[0, 3.5]' => [2, 2.9], '[543048]' => [3]] as $hours => $values) {
    $answer = mysql_engine($folder)->get_data_DMY_time_of_day(1, 2147472000, 2147472000, 'daily', 'UTC', 'unix', $hours);
    var_dump(from_file($answer, [[2147472000, $values]]));
}
foreach (['[600000]', '[-600000]', '[1e9]'] as $hours) {
    $answer = mysql_engine($folder)->get_data_DMY_time_of_day(1, 2147472000, 2147472000, 'daily', 'UTC', 'unix', $hours);
    var_dump(from_file_or_left($answer, [[2147472000, [null]]]));
}

echo "edges\n";
$request = new NativeRequest(1, 2147483640, 2147483647, 5, 'UTC', 'unix', false, 0, 1);
var_dump($request->edges() == [2147483640, 2147483645, 2147483650]);
var_dump(iterator_to_array($request->piecesOfEdges()) == [[2147483640, 2147483645, 2147483650]]);
var_dump(NativeCalendar::edges('daily', 2147385600, 2147483647, new DateTimeZone('UTC')) == [2147385600, 2147472000, 2147558400]);

echo "what is sent\n";
$left = fn ($sent) => PHP_INT_SIZE > 4 ? $sent : 'askedlogged: 1';
$sent = sent('mysql_engine', $folder, 'export', 1, 4102444800);
var_dump($sent === $left("4102444800,3\n4150000000,5\nlogged: 0"));
$csv = ['Europe/Berlin', 'excel', true, 0, 2];
$sent = sent('mysql_engine', $folder, 'get_data_aggregate', 1, 2145916800, 2147483647, 'annual', 'max', ...$csv);
var_dump($sent === "19/01/2038 08:46:40,4.00\nlogged: 0");
// The zone may change its clocks before the last window ends.
$sent = sent('mysql_engine', $folder, 'get_data_combined', 1, 2145916800, 2147483647, 31000000, 0, ...$csv);
var_dump($sent === $left("18/01/2038 01:00:00,1.00\nlogged: 0"));
?>
--EXPECT--
mysql_engine: the last window ends later
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
mysql_engine: what is asked for is later
bool(true)
bool(true)
bool(true)
php_engine: the last window ends later
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
php_engine: what is asked for is later
bool(true)
bool(true)
bool(true)
times of day
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
edges
bool(true)
bool(true)
bool(true)
what is sent
bool(true)
bool(true)
bool(true)
