<?php
// What the first samples of a new PHP process cost: prints the seconds.
//
//   php first.php FEED START END INTERVAL

[, $path, $start, $end, $interval] = $argv;
$begun = hrtime(true);
$feed = new Emonfeed\Feed($path);
$points = $feed->windows((int) $start, (int) $end, (int) $interval);
printf("%.9f\n", (hrtime(true) - $begun) / 1e9);
exit(count($points) > 0 ? 0 : 1);
