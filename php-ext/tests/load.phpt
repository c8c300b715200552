--TEST--
The extension is loaded, and is of the same version as the library in it
--INI--
pcre.jit=0
--FILE--
<?php
$extension = new ReflectionExtension('emonfeed');
ob_start();
$extension->info();
$info = ob_get_clean();
preg_match('/^Extension version => (.+)$/m', $info, $own);
preg_match('/^Library version => (.+)$/m', $info, $library);
var_dump($own[1] === phpversion('emonfeed'), $own[1] === $library[1]);
var_dump($extension->getINIEntries());
var_dump(array_map(fn ($entry) => $entry['access'], ini_get_all('emonfeed')));
?>
--EXPECT--
bool(true)
bool(true)
array(4) {
  ["emonfeed.cache_dir"]=>
  string(0) ""
  ["emonfeed.datadir"]=>
  string(0) ""
  ["emonfeed.evidence"]=>
  string(8) "checksum"
  ["emonfeed.mmap"]=>
  string(1) "1"
}
array(4) {
  ["emonfeed.cache_dir"]=>
  int(4)
  ["emonfeed.datadir"]=>
  int(6)
  ["emonfeed.evidence"]=>
  int(4)
  ["emonfeed.mmap"]=>
  int(4)
}
