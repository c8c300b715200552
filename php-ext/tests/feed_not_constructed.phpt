--TEST--
Emonfeed\Feed: an object whose constructor did not finish
--FILE--
<?php
require 'feeds.inc';
$folder = folder('feed_not_constructed');
$path = write_feed($folder, 7, [[100, 1.5]]);

// An error handler can get hold of the object while its constructor runs.
$caught = null;
set_error_handler(function () use (&$caught) {
    foreach (debug_backtrace(DEBUG_BACKTRACE_PROVIDE_OBJECT) as $call) {
        $caught ??= $call['object'] ?? null;
    }
    return true;
}, E_DEPRECATED);
refuse('null as path', fn () => new Emonfeed\Feed(null));
restore_error_handler();
var_dump($caught);

$arguments = [
    'meta' => [], 'lastValue' => [], 'windows' => [0, 9, 1], 'windowsJson' => [0, 9, 1],
    'windowsCsv' => [0, 9, 1], 'windowsAt' => [[0, 9]], 'windowsAtJson' => [[0, 9]],
    'windowsAtCsv' => [[0, 9]], 'valuesAt' => [[0]], 'valuesAtCsv' => [[0]],
    'rows' => [0, 9], 'rowsJson' => [0, 9], 'rowsCsv' => [0, 9], 'histogram' => [0, 9], 'sumByTime' => [0.0, 9.0],
];
foreach (get_class_methods('Emonfeed\Feed') as $method) {
    if ($method !== '__construct') {
        refuse($method, fn () => $caught->$method(...$arguments[$method]));
    }
}
$caught->__construct($path);
show('constructed at last', $caught->lastValue());
refuse('without constructor', fn () => (new ReflectionClass('Emonfeed\Feed'))->newInstanceWithoutConstructor());
?>
--EXPECTF--
null as path: ValueError: Emonfeed\Feed::__construct(): Argument #1 ($path) must not be empty
object(Emonfeed\Feed)#%d (0) {
}
meta: Error: Emonfeed\Feed object is not constructed
lastValue: Error: Emonfeed\Feed object is not constructed
windows: Error: Emonfeed\Feed object is not constructed
windowsJson: Error: Emonfeed\Feed object is not constructed
windowsCsv: Error: Emonfeed\Feed object is not constructed
windowsAt: Error: Emonfeed\Feed object is not constructed
windowsAtJson: Error: Emonfeed\Feed object is not constructed
windowsAtCsv: Error: Emonfeed\Feed object is not constructed
valuesAt: Error: Emonfeed\Feed object is not constructed
valuesAtCsv: Error: Emonfeed\Feed object is not constructed
rows: Error: Emonfeed\Feed object is not constructed
rowsJson: Error: Emonfeed\Feed object is not constructed
rowsCsv: Error: Emonfeed\Feed object is not constructed
histogram: Error: Emonfeed\Feed object is not constructed
sumByTime: Error: Emonfeed\Feed object is not constructed
constructed at last: {"time":100,"value":1.5}
without constructor: ReflectionException: Class Emonfeed\Feed is an internal class marked as final that cannot be instantiated without invoking its constructor
