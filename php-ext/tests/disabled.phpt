--TEST--
disable_functions and disable_classes: what is named there cannot be called, and the rest works
--INI--
pcre.jit=0
--FILE--
<?php
/* These settings are read at the start only. */
require 'feeds.inc';
$folder = folder('disabled');
mkdir("$folder/to");
write_feed($folder, 1, [[100, 1.5]]);
preg_match('~/\S*emonfeed\.so~', file_get_contents('/proc/self/maps'), $extension);
file_put_contents("$folder/all.php", '<?php
$folder = __DIR__;
$calls = [
    "feed" => fn () => (new Emonfeed\Feed("$folder/feed_1.MYD"))->lastValue()["value"],
    "get_feed_data" => fn () => count(emonfeed_get_feed_data(1, 1, 200000, 0)),
    "copy" => fn () => emonfeed_copy("$folder/feed_1.MYD", "$folder/to")["rows_total"],
    "backup" => fn () => (new Emonfeed\Backup($folder, "$folder/to", ["same_device" => true, "dry_run" => true]))->feeds(),
    "exception" => fn () => new Emonfeed\Feed("$folder/to/none.MYD"),
];
foreach ($calls as $name => $call) {
    try {
        $answer = json_encode($call());
    } catch (Throwable $thrown) {
        $answer = get_class($thrown) . ($thrown->getCode() ? " " . $thrown->getCode() : ": " . $thrown->getMessage());
    }
    echo "  $name: $answer\n";
}
');
/* What comes of each call under a setting, and how the process ends. */
$try = function (string $setting) use ($folder, $extension): string {
    touch("$folder/to", time() - 60);
    file_put_contents("$folder/php.ini", "extension=$extension[0]\nemonfeed.datadir=$folder\n$setting\n");
    // A script that dies leaves what it was compiled to: PHP's own allocator sweeps that up.
    $sweeps = $setting === 'disable_classes=Emonfeed\Exception' ? 'USE_ZEND_ALLOC=1 ' : '';
    $command = $sweeps . getenv('TEST_PHP_EXECUTABLE') . ' -n -c ' . escapeshellarg("$folder/php.ini")
        . ' -d display_errors=0 ' . escapeshellarg("$folder/all.php") . ' 2>/dev/null; echo "  exit code $?"';
    return "$setting\n" . shell_exec($command);
};
echo $try(';'), $try('disable_functions=emonfeed_copy'), $try('disable_functions=emonfeed_get_feed_data,emonfeed_copy');
// The extension reads files without those.
echo $try('disable_functions=exec,shell_exec,fopen,file_get_contents');

/* PHP 8.5 has no such setting any more. Before, PHP itself takes the methods
 * and parents of a class away: an exception without them ends the script. */
$expected = [
    'disable_classes=Emonfeed\Backup
  feed: 1.5
  get_feed_data: 1
  copy: 1
  backup: Error: Call to undefined method Emonfeed\Backup::feeds()
  exception: Emonfeed\Exception 10
  exit code 0
',
    'disable_classes=Emonfeed\Feed
  feed: Error: Call to undefined method Emonfeed\Feed::lastValue()
  get_feed_data: 1
  copy: 1
  backup: 1
  exception: {}
  exit code 0
',
    'disable_classes=Emonfeed\Exception
  feed: 1.5
  get_feed_data: 1
  copy: 1
  backup: 1
  exit code 255
',
];
foreach (PHP_VERSION_ID < 80500 ? $expected : [] as $text) {
    if (($got = $try(strtok($text, "\n"))) !== $text) {
        echo "not as expected:\n$got";
    }
}
?>
--EXPECT--
;
  feed: 1.5
  get_feed_data: 1
  copy: 1
  backup: 1
  exception: Emonfeed\Exception 10
  exit code 0
disable_functions=emonfeed_copy
  feed: 1.5
  get_feed_data: 1
  copy: Error: Call to undefined function emonfeed_copy()
  backup: 1
  exception: Emonfeed\Exception 10
  exit code 0
disable_functions=emonfeed_get_feed_data,emonfeed_copy
  feed: 1.5
  get_feed_data: Error: Call to undefined function emonfeed_get_feed_data()
  copy: Error: Call to undefined function emonfeed_copy()
  backup: 1
  exception: Emonfeed\Exception 10
  exit code 0
disable_functions=exec,shell_exec,fopen,file_get_contents
  feed: 1.5
  get_feed_data: 1
  copy: 1
  backup: 1
  exception: Emonfeed\Exception 10
  exit code 0
