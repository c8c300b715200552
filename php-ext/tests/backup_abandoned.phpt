--TEST--
Emonfeed\Backup: a run that is left early keeps what it copied, and the next one has everything
--FILE--
<?php
require 'feeds.inc';
use Emonfeed\Backup;
$folder = folder('backup_abandoned');
$from = "$folder/from";
$to = "$folder/to";
mkdir($from);
for ($id = 1; $id <= 20; $id++) {
    write_feed($from, $id, [[100, $id], [110, $id]]);
}
$options = ['same_device' => true];
function grow(int $time): void
{
    global $from;
    for ($id = 1; $id <= 20; $id++) {
        file_put_contents("$from/feed_$id.MYD", rows_of([[$time, $id]]), FILE_APPEND);
    }
}
function same(): int
{
    global $from, $to;
    $same = 0;
    for ($id = 1; $id <= 20; $id++) {
        $same += (int) (@file_get_contents("$to/feed_$id.MYD") === file_get_contents("$from/feed_$id.MYD"));
    }
    return $same;
}
function whole(string $title): void
{
    global $from, $to, $options;
    $backup = new Backup($from, $to, $options);
    foreach ($backup as $report) {
        if ($report['status'] !== 0) {
            echo "$report[feed]: $report[message]\n";
        }
    }
    $summary = $backup->close();
    show($title, [same(), $summary['feeds'], $summary['complete'], $summary['rows_copied']]);
}

// Left by break: what was copied stays when the object goes.
$backup = new Backup($from, $to, $options);
foreach ($backup as $report) {
    show('broken off at', $report['feed']);
    break;
}
unset($backup);
whole('after break');

// Never begun.
grow(120);
$backup = new Backup($from, $to, $options);
$backup = null;
whole('after nothing');

// Stopped: no more than was looked at.
grow(130);
$backup = new Backup($from, $to, $options);
$backup->stop();
show('stopped at once', iterator_to_array($backup));
$summary = $backup->close();
show('stopped', [$summary['stopped'], $summary['complete'], $summary['feeds'], $summary['rows_copied']]);
$backup = new Backup($from, $to, $options);
$reports = 0;
foreach ($backup as $report) {
    $reports++;
    $backup->stop();
}
$summary = $backup->close();
var_dump($reports === $summary['unchanged'] + $summary['appended'], $summary['stopped']);
whole('after stop');

// Left by an exception, and an object that lives to the end of a fatal error.
grow(140);
try {
    foreach (new Backup($from, $to, $options) as $report) {
        throw new DomainException();
    }
} catch (DomainException $exception) {
    unset($exception);
}
whole('after exception');
grow(150);
file_put_contents("$folder/request.php", '<?php
$backup = new Emonfeed\Backup(' . var_export($from, true) . ', ' . var_export($to, true) . ', ["same_device" => true]);
foreach ($backup as $report) {
    ini_set("memory_limit", "2M");
    str_repeat("x", 8 << 20);
}
');
putenv('USE_ZEND_ALLOC=1');
exec(getenv('TEST_PHP_EXECUTABLE') . ' ' . getenv('TEST_PHP_EXTRA_ARGS') . ' ' . escapeshellarg("$folder/request.php"), $output);
var_dump(str_contains(implode($output), 'Allowed memory size'));
show('after fatal error', same());
whole('after fatal error');
?>
--EXPECT--
broken off at: "1"
after break: [20,20,true,0]
after nothing: [20,20,true,20]
stopped at once: []
stopped: [true,false,20,0]
bool(true)
bool(true)
after stop: [20,20,true,0]
after exception: [20,20,true,0]
bool(true)
after fatal error: 20
after fatal error: [20,20,true,0]
