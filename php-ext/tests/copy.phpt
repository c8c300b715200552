--TEST--
emonfeed_copy(): copies, appends, and reports
--FILE--
<?php
require 'feeds.inc';
$folder = folder('copy');
mkdir("$folder/to");
$path = write_feed($folder, 7, [[100, 1], [110, 2]]);
$copy = "$folder/to/feed_7.MYD";

show('dry run', emonfeed_copy($path, $copy, ['dry_run' => true])['outcome']);
var_dump(file_exists($copy));
$report = emonfeed_copy($path, $copy);
var_dump(array_map('gettype', $report));
show('created', array_slice($report, 0, 7));
show('again', array_slice(emonfeed_copy($path, $copy), 0, 7));
file_put_contents($path, rows_of([[120, 3]]), FILE_APPEND);
$report = emonfeed_copy($path, $copy, ['dry_run' => true]);
show('dry run', array_slice($report, 0, 3));
var_dump($report['dry_run']);
show('appended', array_slice(emonfeed_copy($path, $copy, ['dry_run' => false]), 0, 7));
var_dump(file_get_contents($copy) === file_get_contents($path));

// An old reading was edited, far from the end of the file.
$rows = [];
for ($i = 0; $i < 50000; $i++) {
    $rows[] = [1000 + $i, 1];
}
$long = write_feed($folder, 9, $rows);
show('long', emonfeed_copy($long, "$folder/to")['rows_copied']);
poke($long, 5, pack('g', 2));
show('not looked at', emonfeed_copy($long, "$folder/to")['outcome']);
show('full', emonfeed_copy($long, "$folder/to", ['full' => true])['outcome']);

// Rewritten: the old copy is kept beside the new one.
$old = file_get_contents($copy);
write_feed($folder, 7, [[500, 5]]);
$report = emonfeed_copy($path, $copy);
show('rewritten', array_diff_key($report, ['kept' => 0, 'message' => 0]));
var_dump(file_get_contents($report['kept']) === $old);

// Into a folder, with the definition of the table.
$table = write_table($folder, 8, ['time' => INT, 'data' => DOUBLE], [[100, 0.1], null, [120, 0.3]]);
$report = emonfeed_copy($table, "$folder/to");
show('table', [$report['outcome'], $report['definition_copied']]);
show('its rows', (new Emonfeed\Feed("$folder/to/feed_8.MYD"))->rows(0, 1000));
?>
--EXPECT--
dry run: "created"
bool(false)
array(10) {
  ["outcome"]=>
  string(6) "string"
  ["rows_copied"]=>
  string(7) "integer"
  ["rows_total"]=>
  string(7) "integer"
  ["bytes_copied"]=>
  string(7) "integer"
  ["bytes_total"]=>
  string(7) "integer"
  ["bytes_repaired"]=>
  string(7) "integer"
  ["kept"]=>
  string(4) "NULL"
  ["definition_copied"]=>
  string(7) "boolean"
  ["dry_run"]=>
  string(7) "boolean"
  ["message"]=>
  string(6) "string"
}
created: {"outcome":"created","rows_copied":2,"rows_total":2,"bytes_copied":18,"bytes_total":18,"bytes_repaired":0,"kept":null}
again: {"outcome":"unchanged","rows_copied":0,"rows_total":2,"bytes_copied":0,"bytes_total":18,"bytes_repaired":0,"kept":null}
dry run: {"outcome":"appended","rows_copied":1,"rows_total":3}
bool(true)
appended: {"outcome":"appended","rows_copied":1,"rows_total":3,"bytes_copied":9,"bytes_total":27,"bytes_repaired":0,"kept":null}
bool(true)
long: 50000
not looked at: "unchanged"
full: "new-generation"
rewritten: {"outcome":"new-generation","rows_copied":1,"rows_total":1,"bytes_copied":9,"bytes_total":9,"bytes_repaired":0,"definition_copied":false,"dry_run":false}
bool(true)
table: ["created",true]
its rows: [[100,0.1],[120,0.3]]
