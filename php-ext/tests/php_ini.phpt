--TEST--
The extension loaded and set up by php.ini
--INI--
pcre.jit=0
--FILE--
<?php
require 'feeds.inc';
$folder = folder('php_ini');
write_feed($folder, 1, [[100, 1.5]]);
preg_match('~/\S*emonfeed\.so~', file_get_contents('/proc/self/maps'), $extension);
file_put_contents("$folder/php.ini", "extension=$extension[0]\nemonfeed.datadir=$folder\nemonfeed.mmap=0\n");
$code = 'echo json_encode([emonfeed_get_feed_data(1, 0, 1e6, 0), ini_get("emonfeed.mmap")]);';
passthru(getenv('TEST_PHP_EXECUTABLE') . ' -n -c ' . escapeshellarg("$folder/php.ini") . ' -r ' . escapeshellarg($code));
?>
--EXPECT--
[[[100000,1.5]],"0"]
