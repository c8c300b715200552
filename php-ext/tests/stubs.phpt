--TEST--
The generated *_arginfo.h files are those of the stubs beside them
--FILE--
<?php
$stubs = glob(dirname(__DIR__) . '/*.stub.php');
foreach ($stubs as $stub) {
    $header = file_get_contents(substr($stub, 0, -strlen('.stub.php')) . '_arginfo.h');
    preg_match('/Stub hash: ([0-9a-f]{40})/', $header, $hash);
    $same = $hash[1] === sha1(str_replace("\r\n", "\n", file_get_contents($stub)));
    echo basename($stub), ': ', $same ? 'same' : 'changed: README.md says how to make the header anew', "\n";
}
?>
--EXPECT--
backup.stub.php: same
emonfeed.stub.php: same
exception.stub.php: same
feed.stub.php: same
