<?php
// What a worker of PHP-FPM does at one request: its process id, and a line for
// each of some questions.

require __DIR__ . '/answers.php';

['folder' => $folder, 'first' => $first] = json_decode($_GET['request'], true);
echo getmypid(), "\n";
for ($i = 0; $i < 8; $i++) {
    try {
        echo ask($folder, $first + $i), "\n";
    } catch (Wrong $wrong) {
        echo 'WRONG: ', $wrong->getMessage(), "\n";
    }
}
