--TEST--
Emonfeed\Backup: a folder of feeds, again and again
--FILE--
<?php
require 'feeds.inc';
use Emonfeed\Backup;
$folder = folder('backup');
mkdir("$folder/from");
$from = "$folder/from";
$to = "$folder/to";
$options = ['same_device' => true];

/* Every report without what differs from run to run. */
function run(string $title, Backup $backup): array
{
    global $folder;
    $all = [];
    foreach ($backup as $file => $report) {
        if ($file !== $report['table'] . '.MYD') {
            echo "$file is of $report[table]\n";
        }
        $all[$file] = $report;
    }
    ksort($all, SORT_NATURAL);
    foreach ($all as $file => $report) {
        show("$title: $file", array_diff_key($report, array_flip(['feed', 'table', 'kept', 'seconds', 'message'])));
    }
    $summary = $backup->close();
    show($title, array_filter(array_diff_key($summary, ['seconds' => 0])));
    return $all;
}

// The first run makes the folder; its reports are of these types.
write_feed($from, 7, [[100, 1], [110, 2]]);
write_feed($from, 10, [[100, 1]]);
write_table($from, 8, ['time' => INT, 'data' => DOUBLE], [[100, 0.1], null, [120, 0.3]]);
poke(write_feed($from, 9, [[100, 1], [110, 2]]), 9, "\x07");
show('dry run', array_column(iterator_to_array(new Backup($from, $to, ['dry-run' => true] + $options)), 'outcome'));
var_dump(file_exists($to));
$backup = new Backup($from, $to, $options);
var_dump($backup->feeds(), $backup->valid(), $backup->current(), $backup->key());
$all = run('first', $backup);
var_dump(array_map('get_debug_type', $all['feed_7.MYD']));
show('number', [$all['feed_7.MYD']['feed'], $all['feed_10.MYD']['table']]);
var_dump(str_contains($all['feed_9.MYD']['message'], 'feed_9.MYD: at byte 9'));
var_dump($all['feed_9.MYD']['status'] === Emonfeed\Exception::BAD_ROW);

// Closed.
show('summary', $backup->close() === $backup->close());
var_dump(array_map('get_debug_type', $backup->close()));
var_dump($backup->feeds(), $backup->valid(), $backup->current(), $backup->key());
$backup->next();
$backup->stop();
var_dump($backup->valid());

// Growth, an edit, a feed cleared, one gone, one mended.
file_put_contents("$from/feed_7.MYD", rows_of([[120, 3]]), FILE_APPEND);
poke("$from/feed_8.MYD", 5, pack('e', 0.5));
$old = file_get_contents("$from/feed_8.MYD");
unlink("$from/feed_10.MYD");
write_feed($from, 9, [[100, 1]]);
run('second', new Backup($from, $to, $options));
foreach ([7, 8, 9] as $id) {
    var_dump(file_get_contents("$to/feed_$id.MYD") === file_get_contents("$from/feed_$id.MYD"));
}
$was = file_get_contents("$to/feed_7.MYD");
write_feed($from, 7, [[500, 5]]);
$all = run('third', new Backup($from, $to, $options));
var_dump(file_get_contents($all['feed_7.MYD']['kept']) === $was);
$backup = new Backup($from, $to, ['delete' => true, 'max_delete' => 0] + $options);
show('not deleted', array_column(iterator_to_array($backup), 'outcome', 'feed')[10]);
$summary = $backup->close();
var_dump($summary['complete'], str_contains($summary['not_deleted'], '1 copies'));

// Options of each kind.
foreach ([
    ['only' => 7], ['only' => '7,8'], ['only' => [7, 'feed_9']], ['only' => '7-9', 'exclude' => [8]],
    ['exclude' => []], ['prefix' => 'feed_', 'max-size' => '20'], ['recheck' => 'all', 'keep' => 1, 'bwlimit' => '10M'],
    ['delete' => '1', 'max_delete' => 3, 'require_mount' => false, 'trust_owner' => 0],
] as $more) {
    $outcomes = [];
    foreach (new Backup($from, $to, $more + $options) as $report) {
        $outcomes[$report['feed']] = $report['outcome'];
    }
    ksort($outcomes);
    show(json_encode($more), $outcomes);
}
var_dump(file_exists("$to/feed_10.MYD"));
?>
--EXPECT--
dry run: ["created","created","created","created"]
bool(false)
int(4)
bool(false)
NULL
NULL
first: feed_7.MYD: {"outcome":"created","rows_copied":2,"rows_total":2,"bytes_copied":18,"bytes_total":18,"bytes_repaired":0,"definition_copied":false,"dry_run":false,"bytes_overwritten":0,"adopted":false,"status":0}
first: feed_8.MYD: {"outcome":"created","rows_copied":3,"rows_total":3,"bytes_copied":39,"bytes_total":39,"bytes_repaired":0,"definition_copied":true,"dry_run":false,"bytes_overwritten":0,"adopted":false,"status":0}
first: feed_9.MYD: {"outcome":"failed","rows_copied":0,"rows_total":0,"bytes_copied":0,"bytes_total":0,"bytes_repaired":0,"definition_copied":false,"dry_run":false,"bytes_overwritten":0,"adopted":false,"status":43}
first: feed_10.MYD: {"outcome":"created","rows_copied":1,"rows_total":1,"bytes_copied":9,"bytes_total":9,"bytes_repaired":0,"definition_copied":false,"dry_run":false,"bytes_overwritten":0,"adopted":false,"status":0}
first: {"feeds":4,"created":3,"failed":1,"rows_copied":6,"bytes_copied":66}
array(16) {
  ["feed"]=>
  string(6) "string"
  ["table"]=>
  string(6) "string"
  ["outcome"]=>
  string(6) "string"
  ["rows_copied"]=>
  string(3) "int"
  ["rows_total"]=>
  string(3) "int"
  ["bytes_copied"]=>
  string(3) "int"
  ["bytes_total"]=>
  string(3) "int"
  ["bytes_repaired"]=>
  string(3) "int"
  ["kept"]=>
  string(4) "null"
  ["definition_copied"]=>
  string(4) "bool"
  ["dry_run"]=>
  string(4) "bool"
  ["bytes_overwritten"]=>
  string(3) "int"
  ["adopted"]=>
  string(4) "bool"
  ["seconds"]=>
  string(5) "float"
  ["status"]=>
  string(3) "int"
  ["message"]=>
  string(6) "string"
}
number: ["7","feed_10"]
bool(true)
bool(true)
summary: true
array(16) {
  ["feeds"]=>
  string(3) "int"
  ["unchanged"]=>
  string(3) "int"
  ["created"]=>
  string(3) "int"
  ["appended"]=>
  string(3) "int"
  ["patched"]=>
  string(3) "int"
  ["new-generation"]=>
  string(3) "int"
  ["failed"]=>
  string(3) "int"
  ["skipped"]=>
  string(3) "int"
  ["source-gone"]=>
  string(3) "int"
  ["deleted"]=>
  string(3) "int"
  ["rows_copied"]=>
  string(3) "int"
  ["bytes_copied"]=>
  string(3) "int"
  ["seconds"]=>
  string(5) "float"
  ["stopped"]=>
  string(4) "bool"
  ["complete"]=>
  string(4) "bool"
  ["not_deleted"]=>
  string(4) "null"
}
int(4)
bool(false)
NULL
NULL
bool(false)
second: feed_7.MYD: {"outcome":"appended","rows_copied":1,"rows_total":3,"bytes_copied":9,"bytes_total":27,"bytes_repaired":0,"definition_copied":false,"dry_run":false,"bytes_overwritten":0,"adopted":false,"status":0}
second: feed_8.MYD: {"outcome":"patched","rows_copied":0,"rows_total":3,"bytes_copied":0,"bytes_total":39,"bytes_repaired":0,"definition_copied":false,"dry_run":false,"bytes_overwritten":39,"adopted":false,"status":0}
second: feed_9.MYD: {"outcome":"created","rows_copied":1,"rows_total":1,"bytes_copied":9,"bytes_total":9,"bytes_repaired":0,"definition_copied":false,"dry_run":false,"bytes_overwritten":0,"adopted":false,"status":0}
second: feed_10.MYD: {"outcome":"source-gone","rows_copied":0,"rows_total":0,"bytes_copied":0,"bytes_total":0,"bytes_repaired":0,"definition_copied":false,"dry_run":false,"bytes_overwritten":0,"adopted":false,"status":0}
second: {"feeds":3,"created":1,"appended":1,"patched":1,"source-gone":1,"rows_copied":2,"bytes_copied":57,"complete":true}
bool(true)
bool(true)
bool(true)
third: feed_7.MYD: {"outcome":"new-generation","rows_copied":1,"rows_total":1,"bytes_copied":9,"bytes_total":9,"bytes_repaired":0,"definition_copied":false,"dry_run":false,"bytes_overwritten":0,"adopted":false,"status":0}
third: feed_8.MYD: {"outcome":"unchanged","rows_copied":0,"rows_total":3,"bytes_copied":0,"bytes_total":39,"bytes_repaired":0,"definition_copied":false,"dry_run":false,"bytes_overwritten":0,"adopted":false,"status":0}
third: feed_9.MYD: {"outcome":"unchanged","rows_copied":0,"rows_total":1,"bytes_copied":0,"bytes_total":9,"bytes_repaired":0,"definition_copied":false,"dry_run":false,"bytes_overwritten":0,"adopted":false,"status":0}
third: feed_10.MYD: {"outcome":"source-gone","rows_copied":0,"rows_total":0,"bytes_copied":0,"bytes_total":0,"bytes_repaired":0,"definition_copied":false,"dry_run":false,"bytes_overwritten":0,"adopted":false,"status":0}
third: {"feeds":3,"unchanged":2,"new-generation":1,"source-gone":1,"rows_copied":1,"bytes_copied":9,"complete":true}
bool(true)
not deleted: "source-gone"
bool(false)
bool(true)
{"only":7}: {"7":"unchanged"}
{"only":"7,8"}: {"7":"unchanged","8":"unchanged"}
{"only":[7,"feed_9"]}: {"7":"unchanged","9":"unchanged"}
{"only":"7-9","exclude":[8]}: {"7":"unchanged","9":"unchanged"}
{"exclude":[]}: {"7":"unchanged","8":"unchanged","9":"unchanged","10":"source-gone"}
{"prefix":"feed_","max-size":"20"}: {"7":"unchanged","8":"skipped","9":"unchanged","10":"source-gone"}
{"recheck":"all","keep":1,"bwlimit":"10M"}: {"7":"unchanged","8":"unchanged","9":"unchanged","10":"source-gone"}
{"delete":"1","max_delete":3,"require_mount":false,"trust_owner":0}: {"7":"unchanged","8":"unchanged","9":"unchanged","10":"deleted"}
bool(false)
