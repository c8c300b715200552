--TEST--
The constants have the numbers of emonfeed.h, and none is missing
--INI--
pcre.jit=0
--FILE--
<?php
$folder = getenv('EMONFEED_INCLUDE') ?: dirname(__DIR__, 2) . '/include';
$header = file_get_contents("$folder/emonfeed.h");
preg_match_all('/^#define EMONFEED_(\w+) +(\d+)/m', $header, $defines, PREG_SET_ORDER);
$c = [];
foreach ($defines as [, $name, $number]) {
    $c[$name] = (int) $number;
}

$feed = (new ReflectionClass('Emonfeed\Feed'))->getConstants();
var_dump(count($feed));
foreach ($feed as $name => $number) {
    if ($c[$name] !== $number) {
        echo "Feed::$name is $number, in C {$c[$name]}\n";
    }
}

// Bad arguments throw ValueError, so there is no exception of that status.
$statuses = [];
foreach ($c as $name => $number) {
    if (str_starts_with($name, 'STATUS_') && !in_array($name, ['STATUS_OK', 'STATUS_ARGUMENT'])) {
        $statuses[substr($name, strlen('STATUS_'))] = $number;
    }
}
$exception = (new ReflectionClass('Emonfeed\Exception'))->getConstants();
asort($exception);
asort($statuses);
var_dump(count($statuses) > 0, $exception === $statuses);
if ($exception !== $statuses) {
    var_dump(array_diff_assoc($exception, $statuses), array_diff_assoc($statuses, $exception));
}
?>
--EXPECT--
int(15)
bool(true)
bool(true)
