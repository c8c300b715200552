--TEST--
emonfeed.cache_dir keeps what was found out of a feed for the next process
--INI--
pcre.jit=0
--FILE--
<?php
require 'feeds.inc';
$folder = folder('cache_dir');
$rows = [];
for ($i = 0; $i < 20000; $i++) {
    $rows[] = [1000 + 10 * $i, $i % 100 / 4];
}
$path = write_feed($folder, 1, $rows);
touch($path, time() - 3600);
clearstatcache();
usleep(50000);
preg_match('~/\S*emonfeed\.so~', file_get_contents('/proc/self/maps'), $extension);

function ask(string $settings): string
{
    global $folder, $extension, $path;
    file_put_contents("$folder/php.ini", "extension=$extension[0]\n$settings");
    $code = 'try { $feed = new Emonfeed\Feed("' . $path . '"); '
        . 'echo json_encode($feed->windows(1000, 200000, 100000, Emonfeed\Feed::AVERAGE)); } '
        . 'catch (Emonfeed\Exception $e) { echo $e->getCode(), strstr($e->getMessage(), "others"); }';
    return shell_exec(getenv('TEST_PHP_EXECUTABLE') . ' -n -c ' . escapeshellarg("$folder/php.ini")
        . ' -d display_errors=1 -d html_errors=0 -r ' . escapeshellarg($code) . ' 2>&1');
}

$kept = "emonfeed.cache_dir=$folder/kept\n";
echo ask(''), "\n", ask($kept), "\n";
[$file] = glob("$folder/kept/feed_1-*.summary");
$first = fileinode($file);
echo ask($kept), "\n";
clearstatcache();
var_dump(fileinode($file) === $first, decoct(fileperms("$folder/kept") & 0777));
echo ask($kept . "emonfeed.evidence=strict\n"), "\n";
echo ask("emonfeed.evidence=counters\n"), "\n";
echo ask("emonfeed.evidence=luck\n"), "\n";
chmod("$folder/kept", 0777);
echo ask($kept), "\n";
?>
--EXPECTF--
[[1000,12.375],[101000,12.375]]
[[1000,12.375],[101000,12.375]]
[[1000,12.375],[101000,12.375]]
bool(true)
string(3) "700"
[[1000,12.375],[101000,12.375]]
[[1000,12.375],[101000,12.375]]
%AWarning: emonfeed.evidence is "luck"; known are checksum, strict and counters; strict is used in %s
[[1000,12.375],[101000,12.375]]
%iothers may write to this directory, and with it change answers: summaries are kept only in one that belongs to this user or root and is writable by nobody else (chmod 700)
