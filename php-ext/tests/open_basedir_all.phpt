--TEST--
open_basedir holds for every function and method, whichever of its paths lies outside
--INI--
emonfeed.datadir={PWD}/open_basedir_all.tmp/outside/from
--FILE--
<?php
/* All that reflection finds is called: each parameter of type string is taken
 * for a path, and one at a time leads outside. */
require 'feeds.inc';
require 'calls.inc';
use Emonfeed\Exception;
$folder = folder('open_basedir_all', clean: false);
foreach (['inside', 'outside'] as $name) {
    mkdir("$folder/$name");
    foreach (['from', 'to'] as $part) {
        mkdir("$folder/$name/$part");
    }
    write_table("$folder/$name/from", 1, ['time' => INT, 'data' => FLOAT, 'data2' => FLOAT], [[0, 1, 2], [10, 1, 2]]);
}
$all = all_callables();
$inside = right_arguments("$folder/inside");
$outside = right_arguments("$folder/outside");
show('not called', array_keys(array_diff_key($all, $inside)));

// Before, all of it is allowed: an object for each method.
$begun = [];
foreach ($all as $name => $function) {
    [$class, $method] = explode('::', $name) + [1 => '__construct'];
    if ($method !== '__construct') {
        $made_of = $outside["$class::__construct"];
        if ($class === 'Emonfeed\Backup') {
            // One run at a time has a destination.
            $made_of[1] .= $method;
        }
        $begun[$name] = new $class(...$made_of);
    }
}

ini_set('open_basedir', "$folder/inside");
$refused = $answered = [];
$ask = function (string $what, callable $call) use (&$refused, &$answered): void {
    try {
        $call();
        $answered[] = $what;
    } catch (Exception $error) {
        $refused[] = $what . ($error->getCode() === Exception::PERMISSION ? '' : ': ' . $error->getMessage());
    }
};
foreach ($all as $name => $function) {
    [$class, $method] = explode('::', $name) + [1 => null];
    $call = match ($method) {
        null => fn (...$arguments) => $name(...$arguments),
        '__construct' => fn (...$arguments) => new $class(...$arguments),
        default => fn (...$arguments) => $begun[$name]->$method(...$arguments),
    };
    $paths = 0;
    foreach ($function->getParameters() as $i => $parameter) {
        if ((string)$parameter->getType() === 'string') {
            $paths++;
            $ask("$name, \${$parameter->getName()}", fn () => $call(...array_replace($inside[$name], [$i => $outside[$name][$i]])));
        }
    }
    if ($paths === 0) {
        $ask($name, fn () => $call(...$inside[$name]));
    }
}
echo "refused:\n  ", implode("\n  ", $refused), "\nanswered, for they ask nothing of a file that is not open:\n  ", implode("\n  ", $answered), "\n";

// What lies inside is answered.
show('inside', [
    emonfeed_copy(...$inside['emonfeed_copy'])['outcome'],
    (new Emonfeed\Feed(...$inside['Emonfeed\Feed::__construct']))->meta()['npoints'],
    (new Emonfeed\Backup($inside['Emonfeed\Backup::__construct'][0], "$folder/inside/other", ['same_device' => true]))->feeds(),
]);
?>
--CLEAN--
<?php
require 'feeds.inc';
remove(__DIR__ . '/open_basedir_all.tmp');
?>
--EXPECT--
not called: []
refused:
  emonfeed_get_feed_data
  emonfeed_copy, $source
  emonfeed_copy, $destination
  Emonfeed\Feed::__construct, $path
  Emonfeed\Feed::meta
  Emonfeed\Feed::lastValue
  Emonfeed\Feed::windows
  Emonfeed\Feed::windowsJson
  Emonfeed\Feed::windowsCsv
  Emonfeed\Feed::windowsAt
  Emonfeed\Feed::windowsAtJson
  Emonfeed\Feed::windowsAtCsv
  Emonfeed\Feed::valuesAt
  Emonfeed\Feed::valuesAtCsv
  Emonfeed\Feed::rows
  Emonfeed\Feed::rowsJson
  Emonfeed\Feed::rowsCsv
  Emonfeed\Feed::histogram
  Emonfeed\Feed::sumByTime
  Emonfeed\Backup::__construct, $source
  Emonfeed\Backup::__construct, $destination
  Emonfeed\Backup::next
  Emonfeed\Backup::rewind
answered, for they ask nothing of a file that is not open:
  Emonfeed\Backup::feeds
  Emonfeed\Backup::stop
  Emonfeed\Backup::close
  Emonfeed\Backup::current
  Emonfeed\Backup::key
  Emonfeed\Backup::valid
inside: ["created",2,1]
