--TEST--
emonfeed_get_feed_data() with a path that no system takes
--FILE--
<?php
$folder = str_repeat('/feeds', 1000);
$code = 'try { emonfeed_get_feed_data(1, 0, 1e6, 0); } catch (Emonfeed\Exception $e) { echo $e->getCode(), strrchr($e->getMessage(), ":"); }';
passthru(getenv('TEST_PHP_EXECUTABLE') . ' ' . getenv('TEST_PHP_EXTRA_ARGS') . ' -d emonfeed.datadir=' . $folder . ' -r ' . escapeshellarg($code));
?>
--EXPECT--
10: this path is too long
