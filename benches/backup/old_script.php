<?php
// What emoncms's old backup script did with every feed, written anew to compare
// with: look at the two sizes, open both files, append what the copy lacks.
//
//   php old_script.php SOURCE_DIRECTORY BACKUP_DIRECTORY
//
// Its pauses are left out, and so is its query for the list of feeds, which
// comes from the directory here.

const BLOCK = 147456; // 16,384 rows of 9 bytes
const LARGEST = 100 * 1024 * 1024;

[, $source, $backup] = $argv;
$feeds = [];
foreach (scandir($source) as $name) {
    if (preg_match('/^feed_(\d+)\.MYD$/', $name, $match)) {
        $feeds[] = (int) $match[1];
    }
}
sort($feeds);

foreach ($feeds as $number => $feed) {
    $from = "$source/feed_$feed.MYD";
    $to = "$backup/feed_$feed.MYD";
    $size = filesize($from);
    $have = is_file($to) ? filesize($to) : 0;
    if ($size >= LARGEST) {
        continue;
    }
    $left = $size - $have;
    $begun = microtime(true);
    if ($left > 0) {
        $in = fopen($from, 'rb');
        $out = fopen($to, 'ab');
        fseek($in, $have);
        while ($left > 0) {
            $block = fread($in, min(BLOCK, $left));
            if ($block === false || $block === '' || fwrite($out, $block) !== strlen($block)) {
                fwrite(STDERR, "feed $feed could not be copied\n");
                exit(1);
            }
            $left -= strlen($block);
            echo $left, ' ';
        }
        fclose($in);
        fclose($out);
    }
    $rate = ($size - $have) / 1000 / max(microtime(true) - $begun, 1e-6);
    printf("%d feed %d %.0f kB/s (%d)\n", $number + 1, $feed, $rate, $size - $have);
}
