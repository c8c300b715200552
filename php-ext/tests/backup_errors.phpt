--TEST--
Emonfeed\Backup: what it refuses
--FILE--
<?php
require 'feeds.inc';
use Emonfeed\Backup;
$folder = folder('backup_errors');
$from = "$folder/from";
$to = "$folder/to";
mkdir($from);
write_feed($from, 7, [[100, 1]]);
$with = fn (array $options) => fn () => new Backup($from, $to, $options + ['same_device' => true]);

refuse('unknown option', $with(['kep' => 3]));
refuse('unknown option', $with(['dry run' => true]));
refuse('option without name', $with(['dry_run']));
refuse('null', $with(['keep' => null]));
refuse('float', $with(['bwlimit' => 1e6]));
refuse('bool', $with(['keep' => true]));
refuse('list', $with(['dry_run' => [true]]));
refuse('object', $with(['only' => new stdClass()]));
refuse('list of bool', $with(['only' => [7, true]]));
refuse('list of lists', $with(['exclude' => [[7]]]));
refuse('empty list', $with(['only' => []]));
refuse('null byte', $with(['prefix' => "feed\0_"]));
refuse('null byte in list', $with(['only' => ["7\0"]]));
refuse('not UTF-8', $with(['prefix' => "\xff"]));
refuse('number', $with(['keep' => -1]));
ob_start();
refuse('number', $with(['keep' => PHP_INT_MIN]));
echo str_replace((string) PHP_INT_MIN, 'PHP_INT_MIN', ob_get_clean());
refuse('number', $with(['max_delete' => 'many']));
refuse('yes', $with(['delete' => 2]));
refuse('share', $with(['recheck' => '1/0']));
refuse('rate', $with(['bwlimit' => 0]));
refuse('range', $with(['only' => '9-7']));
refuse('options not array', fn () => new Backup($from, $to, true));
refuse('too few', fn () => new Backup($from));
refuse('empty source', fn () => new Backup('', $to));
refuse('empty destination', fn () => new Backup($from, ''));
refuse('NUL in source', fn () => new Backup("$from\0", $to));
refuse('NUL in destination', fn () => new Backup($from, "$to\0"));
refuse('same device', fn () => new Backup($from, $to));
refuse('missing source', fn () => new Backup("$folder/none", $to, ['same_device' => true]));
refuse('source a file', fn () => new Backup("$from/feed_7.MYD", $to, ['same_device' => true]));
refuse('missing parent', fn () => new Backup($from, "$folder/none/to", ['same_device' => true]));
refuse('destination a file', fn () => new Backup($from, "$from/feed_7.MYD", ['same_device' => true]));
refuse('onto itself', fn () => new Backup($from, $from, ['same_device' => true]));
refuse('none asked for', $with(['only' => 8]));
mkdir("$folder/empty");
refuse('no feeds', fn () => new Backup("$folder/empty", $to, ['same_device' => true]));
var_dump(scandir($folder) === ['.', '..', 'empty', 'from']);
mkdir("$folder/open");
chmod("$folder/open", 0777);
refuse('others can write', fn () => new Backup($from, "$folder/open", ['same_device' => true]));

// Another run is at work, in this process too.
$backup = new Backup($from, $to, ['same_device' => true]);
refuse('locked', $with([]));
try {
    new Backup($from, $to, ['same_device' => true]);
} catch (RuntimeException $locked) {
    var_dump($locked->getCode() === Emonfeed\Exception::LOCKED, $locked->getCode());
}
foreach ($backup as $report) {
    refuse('locked still', $with(['dry_run' => false]));
}
$backup->close();
show('free', array_column(iterator_to_array($with([])()), 'outcome'));

// One run can be gone through once.
$backup = $with([])();
$backup->rewind();
show('first', $backup->key());
refuse('again', fn () => $backup->rewind());
refuse('again', function () use ($backup) {
    foreach ($backup as $report);
});
show('still', $backup->key());
$backup->next();
var_dump($backup->valid());
refuse('again', fn () => $backup->rewind());
$backup->close();
refuse('closed', fn () => $backup->rewind());
refuse('constructed twice', fn () => $backup->__construct($from, $to));

// Closed by the body of the loop.
foreach ($backup = $with([])() as $report) {
    show('closed in the loop', $backup->close()['unchanged']);
}

// A catalog that breaks during the run: what could not be written down has
// failed, then the run is over, and that is all there is to say of it.
write_feed($from, 7, [[100, 1], [110, 2]]);
$backup = $with([])();
file_put_contents("$to/emonfeed.sqlite", str_repeat('junk', 5000));
refuse('broken', function () use ($backup) {
    foreach ($backup as $file => $report) {
        show($file, [$report['outcome'], $report['status'] === Emonfeed\Exception::CATALOG]);
    }
});
var_dump($backup->valid(), $backup->current());
$backup->next();
var_dump($backup->valid());
refuse('closed badly', fn () => $backup->close());
refuse('closed badly', fn () => $backup->close());

// A catalog that is none.
file_put_contents("$to/emonfeed.sqlite", str_repeat('junk', 5000));
refuse('catalog', $with([]));
?>
--EXPECTF--
unknown option: ValueError: Emonfeed\Backup::__construct(): Argument #3 ($options) must not hold "kep", which is no option
unknown option: ValueError: Emonfeed\Backup::__construct(): Argument #3 ($options) must not hold "dry run", which is no option
option without name: ValueError: Emonfeed\Backup::__construct(): Argument #3 ($options) must hold options by their names
null: TypeError: Emonfeed\Backup::__construct(): Argument #3 ($options) must hold "keep" of type int|string, null given
float: TypeError: Emonfeed\Backup::__construct(): Argument #3 ($options) must hold "bwlimit" of type int|string, float given
bool: TypeError: Emonfeed\Backup::__construct(): Argument #3 ($options) must hold "keep" of type int|string, bool given
list: TypeError: Emonfeed\Backup::__construct(): Argument #3 ($options) must hold "dry_run" of type bool|int|string, array given
object: TypeError: Emonfeed\Backup::__construct(): Argument #3 ($options) must hold "only" of type int|string or a list of these, %s given
list of bool: TypeError: Emonfeed\Backup::__construct(): Argument #3 ($options) must hold "only" of type int|string or a list of these, bool given
list of lists: TypeError: Emonfeed\Backup::__construct(): Argument #3 ($options) must hold "exclude" of type int|string or a list of these, array given
empty list: ValueError: Emonfeed\Backup::__construct(): Argument #3 ($options) must not hold an empty "only"
null byte: ValueError: Emonfeed\Backup::__construct(): Argument #3 ($options) must hold "prefix" without any null bytes
null byte in list: ValueError: Emonfeed\Backup::__construct(): Argument #3 ($options) must hold "only" without any null bytes
not UTF-8: ValueError: options is not valid UTF-8
number: ValueError: the option keep cannot be "-1": this is a whole number, 0 or more
number: ValueError: the option keep cannot be "PHP_INT_MIN": this is a whole number, 0 or more
number: ValueError: the option max-delete cannot be "many": this is a whole number, 0 or more
yes: ValueError: the option delete cannot be "2": this is 1 or 0
share: ValueError: the option recheck cannot be "1/0": this is `all`, `none`, or a share such as 1/30
rate: ValueError: the option bwlimit cannot be "0": this is a number of bytes, such as 800000, 500k or 1.5M
range: ValueError: no feed can be meant by "9-7": give numbers, or ranges such as 1-50
options not array: TypeError: Emonfeed\Backup::__construct(): Argument #3 ($options) must be of type array, %s given
too few: ArgumentCountError: Emonfeed\Backup::__construct() expects at least 2 arguments, 1 given
empty source: ValueError: Emonfeed\Backup::__construct(): Argument #1 ($source) must not be empty
empty destination: ValueError: Emonfeed\Backup::__construct(): Argument #2 ($destination) must not be empty
NUL in source: ValueError: Emonfeed\Backup::__construct(): Argument #1 ($source) must not contain any null bytes
NUL in destination: ValueError: Emonfeed\Backup::__construct(): Argument #2 ($destination) must not contain any null bytes
same device: Emonfeed\Exception DESTINATION: to
missing source: Emonfeed\Exception NOT_FOUND: none
source a file: Emonfeed\Exception IO: feed_7.MYD
missing parent: Emonfeed\Exception NOT_FOUND: to
destination a file: Emonfeed\Exception IO: feed_7.MYD
onto itself: ValueError: %s/backup_errors.tmp/from: source and destination are the same directory
none asked for: Emonfeed\Exception NOT_FOUND: from
no feeds: Emonfeed\Exception NOT_FOUND: empty
bool(true)
others can write: Emonfeed\Exception DESTINATION: open
locked: Emonfeed\Exception LOCKED: .emonfeed.lock
bool(true)
int(51)
locked still: Emonfeed\Exception LOCKED: .emonfeed.lock
free: ["unchanged"]
first: "feed_7.MYD"
again: Error: Emonfeed\Backup object is one run, which has begun already
again: Error: Emonfeed\Backup object is one run, which has begun already
still: "feed_7.MYD"
bool(false)
again: Error: Emonfeed\Backup object is one run, which has begun already
closed: Error: Emonfeed\Backup object is one run, which is closed
constructed twice: Error: Emonfeed\Backup object is already constructed
closed in the loop: 1
feed_7.MYD: ["failed",true]
broken: Emonfeed\Exception CATALOG: emonfeed.sqlite
bool(false)
NULL
bool(false)
closed badly: Emonfeed\Exception CATALOG: emonfeed.sqlite
closed badly: Emonfeed\Exception CATALOG: emonfeed.sqlite
catalog: Emonfeed\Exception CATALOG: emonfeed.sqlite
