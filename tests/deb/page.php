<?php
// Who answers, then the averages of the hours as in the README.
header('Content-Type: text/plain');
echo php_sapi_name(), ' ', getmypid(), "\n";
try {
    include '/srv/task.php';
} catch (Emonfeed\Exception $error) {
    echo 'refused: ', $error->getMessage(), "\n";
}
