--TEST--
Emonfeed\Backup: final, not clonable, not serialisable, no dynamic properties, not comparable, and what is not constructed
--FILE--
<?php
require 'feeds.inc';
use Emonfeed\Backup;
$folder = folder('backup_object');
mkdir("$folder/from");
write_feed("$folder/from", 7, [[100, 1]]);
$backup = new Backup("$folder/from", "$folder/to", ['same_device' => true]);

refuse('clone', fn () => clone $backup);
refuse('serialize', fn () => serialize($backup));
refuse('unserialize', fn () => unserialize('O:15:"Emonfeed\Backup":0:{}'));
refuse('property', fn () => $backup->color = 'red');
var_dump($backup, $backup == new stdClass(), $backup == $backup);
var_dump((new ReflectionClass($backup))->isFinal(), $backup instanceof Iterator);
refuse('without constructor', fn () => (new ReflectionClass('Emonfeed\Backup'))->newInstanceWithoutConstructor());

// An error handler can get hold of the object while its constructor runs.
$caught = null;
set_error_handler(function () use (&$caught) {
    foreach (debug_backtrace(DEBUG_BACKTRACE_PROVIDE_OBJECT) as $call) {
        $caught ??= $call['object'] ?? null;
    }
    return true;
}, E_DEPRECATED);
refuse('null as path', fn () => new Backup(null, ''));
restore_error_handler();
foreach (get_class_methods('Emonfeed\Backup') as $method) {
    if ($method !== '__construct') {
        refuse($method, fn () => $caught->$method());
    }
}
$backup->close();
$caught->__construct("$folder/from", "$folder/to", ['same_device' => true]);
show('constructed at last', $caught->close()['feeds']);
?>
--EXPECTF--
clone: Error: Trying to clone an uncloneable object of class Emonfeed\Backup
serialize: Exception: Serialization of 'Emonfeed\Backup' is not allowed
unserialize: Exception: Unserialization of 'Emonfeed\Backup' is not allowed
property: Error: Cannot create dynamic property Emonfeed\Backup::$color
object(Emonfeed\Backup)#%d (0) {
}
bool(false)
bool(true)
bool(true)
bool(true)
without constructor: ReflectionException: Class Emonfeed\Backup is an internal class marked as final that cannot be instantiated without invoking its constructor
null as path: ValueError: Emonfeed\Backup::__construct(): Argument #1 ($source) must not be empty
feeds: Error: Emonfeed\Backup object is not constructed
stop: Error: Emonfeed\Backup object is not constructed
close: Error: Emonfeed\Backup object is not constructed
current: Error: Emonfeed\Backup object is not constructed
key: Error: Emonfeed\Backup object is not constructed
next: Error: Emonfeed\Backup object is not constructed
rewind: Error: Emonfeed\Backup object is not constructed
valid: Error: Emonfeed\Backup object is not constructed
constructed at last: 1
