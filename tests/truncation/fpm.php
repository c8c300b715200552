<?php
// As reader.php, but the questions are put to the workers of a real PHP-FPM,
// all at once, in request after request. None of the workers may die.
//
//     php fpm.php FOLDER COMMAND...
//
// COMMAND is what PHP-FPM is run by.

require __DIR__ . '/../emoncms/harness.php';
require __DIR__ . '/../emoncms/streaming/servers.php';

const WORKERS = 3;

/** @return list<string> the lines of an answer */
function lines(FastCgi $answer): array
{
    $text = '';
    while (($piece = $answer->read()) !== null) {
        $text .= $piece;
    }
    check('errors', '', $answer->errors);
    [, $body] = explode("\r\n\r\n", $text, 2) + [1 => "no answer: $text"];
    return explode("\n", trim($body));
}

[, $folder] = $argv;
$fpm = new Fpm(fpm_program(), __DIR__ . '/page.php', WORKERS, array_slice($argv, 2));
$progress = fopen("$folder/right", 'a');
$tally = [];
$workers = [];
$first = 0;
while (clearstatcache() || !file_exists("$folder/stop")) {
    $answers = [];
    for ($i = 0; $i < WORKERS; $i++, $first += 8) {
        $answers[] = $fpm->ask(['folder' => $folder, 'first' => $first]);
    }
    foreach ($answers as $answer) {
        $lines = lines($answer);
        check('lines', 9, count($lines));
        $workers[array_shift($lines)] = true;
        foreach ($lines as $kind) {
            if (strpos($kind, 'WRONG') === 0) {
                echo "$kind\n";
                exit(1);
            }
            $tally[$kind] = ($tally[$kind] ?? 0) + 1;
            if (strpos($kind, 'status_') !== 0) {
                fwrite($progress, '.');
            }
        }
    }
}
// One that died would have been replaced by another.
check('workers', WORKERS, count($workers));
check('deaths', 0, preg_match('/exited (on|with) /', $fpm->log()));
check_that('the log is one of workers', strpos($fpm->log(), 'ready to handle connections') !== false);
foreach ($tally as $kind => $count) {
    echo "$kind $count\n";
}
finish();
