<?php
// Asks in a loop until FOLDER/stop is there, adds a byte to FOLDER/right for
// each right answer, and prints how often each kind of answer came.
//
//     php reader.php FOLDER

require __DIR__ . '/answers.php';

[, $folder] = $argv;
$progress = fopen("$folder/right", 'a');
$tally = [];
for ($i = 0; clearstatcache() || !file_exists("$folder/stop"); $i++) {
    try {
        $kind = ask($folder, $i);
    } catch (Wrong $wrong) {
        echo 'WRONG: ', $wrong->getMessage(), "\n";
        exit(1);
    }
    $tally[$kind] = ($tally[$kind] ?? 0) + 1;
    if (strpos($kind, 'status_') !== 0) {
        fwrite($progress, '.');
    }
}
foreach ($tally as $kind => $count) {
    echo "$kind $count\n";
}
