--TEST--
Many calls of every function and method, answered and refused, do not add up to memory
--INI--
emonfeed.datadir={PWD}/many_calls.tmp/from
memory_limit=128M
--FILE--
<?php
/* 20,000 calls; 100,000 in `make soak`. */
require 'feeds.inc';
require 'calls.inc';
use Emonfeed\Backup;
use Emonfeed\Feed;
/* A checker of memory that comes between (valgrind, AddressSanitizer) says itself
 * what leaks, and keeps back what was freed: there the size of the process says
 * nothing, and each call takes long. */
$checked = getenv('USE_ZEND_ALLOC') === '0';
$calls = $checked ? 500 : (getenv('EMONFEED_SOAK') === false ? 20000 : 100000);

$folder = folder('many_calls');
foreach (['from', 'to', 'copies', 'bad'] as $name) {
    mkdir("$folder/$name");
}
$rows = [];
for ($i = 0; $i < 1000; $i++) {
    $rows[] = [$i, $i, $i % 7];
}
$path = write_table("$folder/from", 1, ['time' => INT, 'data' => FLOAT, 'data2' => FLOAT], $rows);
// Opens, but no query can be answered.
$bad = write_feed("$folder/bad", 1, $rows);
poke($bad, 0, "\x07");
// What is missing in a folder that changed just now is first waited for.
foreach (["$folder/from", "$folder/bad", $folder] as $name) {
    touch($name, time() - 60);
}

$arguments = right_arguments($folder);
$arguments['emonfeed_copy'][1] = "$folder/copies";
show('called', array_keys(array_diff_key(all_callables(), $arguments)));

$made = ['answers' => 0, 'refusals' => 0];
function call(callable $call, array $arguments): void
{
    global $made;
    try {
        $call(...$arguments);
        $made['answers']++;
    } catch (Emonfeed\Exception | Error) {
        $made['refusals']++;
    }
}

/* Everything some times: as it should be, with files that cannot be read, and with too
 * many arguments or one of a wrong type. */
function cycle(): void
{
    global $arguments, $folder, $path, $bad;
    $begun = [Feed::class => [new Feed($path), new Feed($bad)]];
    $backup = fn () => new Backup(...$arguments['Emonfeed\Backup::__construct']);
    $begun[Backup::class] = [$backup()];
    // The destination is locked by the one that was begun. That is waited for.
    static $count = 0;
    if ($count++ % 50 === 0) {
        call($backup, []);
    }
    foreach ($arguments as $name => $right) {
        [$class, $method] = explode('::', $name) + [1 => null];
        if ($method === null) {
            $calls = [$name];
        } elseif ($method === '__construct') {
            call(fn () => new $class("$folder/none/feed_1.MYD", "$folder/to"), []);
            $calls = $class === Feed::class ? [fn (...$all) => new $class(...$all)] : [];
        } else {
            $calls = array_map(fn ($object) => [$object, $method], $begun[$class]);
        }
        foreach ($calls as $call) {
            for ($i = 0; $i < 4; $i++) {
                call($call, $right);
            }
            call($call, array_fill(0, 20, null));
            if ($right) {
                call($call, array_replace($right, [count($right) - 1 => ['x' => [new stdClass()]]]));
            }
        }
    }
    call('emonfeed_copy', [$bad, "$folder/copies/bad.MYD"]);
    call('emonfeed_get_feed_data', [99, 0, 1e9, 10]);
    // A run from its begin to its end.
    unset($begun[Backup::class]);
    $run = $backup();
    foreach ($run as $report) {
        call([$run, 'rewind'], []);
    }
    call([$run, 'close'], []);
}

/* What could grow, by what is to be seen from outside. */
function sizes(): array
{
    $status = file_get_contents('/proc/self/status');
    preg_match('/VmRSS:\s+(\d+)/', $status, $kilobytes);
    $mappings = substr_count(file_get_contents('/proc/self/maps'), '.MYD');
    return [(int)$kilobytes[1], memory_get_usage(), count(scandir('/proc/self/fd')), $mappings];
}

function cycles(int $calls): void
{
    global $made;
    $made['answers'] = $made['refusals'] = 0;
    while (array_sum($made) < $calls) {
        cycle();
    }
}

// Caches fill, and PHP and the C library get their heaps.
cycles((int)($calls / 5));
sizes();
[$resident, $used, $files, $mappings] = sizes();
cycles($calls);
[$resident_now, $used_now, $files_now, $mappings_now] = sizes();
$grown = $resident_now - $resident;

// What was asked of everything is answered, a good part of it refused.
show('many answers, many refusals', [$made['answers'] > $calls / 4, $made['refusals'] > $calls / 4]);
// To the byte, as PHP counts its own.
show('used by PHP', $used_now - $used);
show('open files', $files_now - $files);
show('mappings', $mappings_now - $mappings);
/* The C library's heap had what it needs once from the calls before, so what
 * comes is kept: one answer in hundreds, if of many points, one exception's
 * message in six. Each byte shows to the checkers, which run this too. */
var_dump($checked || $grown < 256 ? 'kept nothing' : 'kept something');
echo array_sum($made), " calls, $grown kB\n";
?>
--EXPECTF--
called: []
many answers, many refusals: [true,true]
used by PHP: 0
open files: 0
mappings: 0
string(12) "kept nothing"
%d calls, %i kB
