<?php
// Reads a feed the way emoncms's engines lay it out, in plain PHP, and prints a
// line of time and value for each row or interval; "-" where there is no value.
//
//   php read.php feed_7.MYD
//   php read.php 7.dat

declare(strict_types=1);

[, $path] = $argv;
$bytes = file_get_contents($path);
$points = [];
if (str_ends_with($path, '.dat')) {
    $meta = file_get_contents(substr($path, 0, -strlen('dat')) . 'meta');
    ['interval' => $interval, 'start' => $start] = unpack('Vzero/Vnone/Vinterval/Vstart', $meta);
    foreach (strlen($bytes) ? unpack('g*', $bytes) : [] as $number => $value) {
        $points[] = [$start + ($number - 1) * $interval, $value];
    }
} else {
    foreach (strlen($bytes) ? str_split($bytes, 9) : [] as $row) {
        ['time' => $time, 'value' => $value] = unpack('Cflag/Vtime/gvalue', $row);
        $points[] = [$time, $value];
    }
}
foreach ($points as [$time, $value]) {
    echo $time, ' ', is_nan($value) ? '-' : json_encode($value), "\n";
}
