--TEST--
What can be wrong with a feed's files, each with its code
--FILE--
<?php
require 'feeds.inc';
$folder = folder('feed_file_errors');
$id = 0;

/* Makes a table, does something to its files, and shows what comes of it. */
function spoil(string $code, callable $spoil, array $columns = ['time' => INT, 'data' => FLOAT]): void
{
    global $folder, $id;
    $id++;
    $rows = in_array(TEXT, $columns) ? [] : array_fill(0, 3, array_pad([100], count($columns), 1));
    $path = write_table($folder, $id, $columns, $rows);
    $spoil(substr($path, 0, -4));
    refuse($code, fn () => (new Emonfeed\Feed($path))->rows(0, 1000));
}

spoil('NOT_FOUND', fn ($feed) => unlink("$feed.MYD"));
spoil('NOT_REGULAR', fn ($feed) => unlink("$feed.MYD") && mkdir("$feed.MYD"));
spoil('NOT_A_FEED', fn () => null, ['time' => INT, 'power' => FLOAT]);
spoil('UNKNOWN_COLUMN', fn () => null, ['time' => INT, 'data' => TEXT]);
spoil('ENGINE', fn ($feed) => poke("$feed.frm", 3, chr(42)));
spoil('COMPRESSED', fn ($feed) => poke("$feed.MYI", 4, pack('n', 4)));
spoil('DYNAMIC', fn ($feed) => poke("$feed.MYI", 4, pack('n', 1)));
spoil('MISSING_DEFINITION', fn ($feed) => unlink("$feed.frm"));
spoil('CRASHED', fn ($feed) => poke("$feed.MYI", 26, chr(2)));
spoil('PHASE_SHIFTED', fn ($feed) => poke("$feed.MYI", 68, be64(26)));
spoil('DAMAGED', fn ($feed) => poke("$feed.MYI", 28, be64(99)));
spoil('BAD_ROW', fn ($feed) => poke("$feed.MYD", 9, chr(0x42)));
?>
--EXPECT--
NOT_FOUND: Emonfeed\Exception NOT_FOUND: feed_1.MYD
NOT_REGULAR: Emonfeed\Exception NOT_REGULAR: feed_2.MYD
NOT_A_FEED: Emonfeed\Exception NOT_A_FEED: feed_3.frm
UNKNOWN_COLUMN: Emonfeed\Exception UNKNOWN_COLUMN: feed_4.frm
ENGINE: Emonfeed\Exception ENGINE: feed_5.frm
COMPRESSED: Emonfeed\Exception COMPRESSED: feed_6.MYI
DYNAMIC: Emonfeed\Exception DYNAMIC: feed_7.MYI
MISSING_DEFINITION: Emonfeed\Exception MISSING_DEFINITION: feed_8.frm
CRASHED: Emonfeed\Exception CRASHED: feed_9.MYI
PHASE_SHIFTED: Emonfeed\Exception PHASE_SHIFTED: feed_10.MYI
DAMAGED: Emonfeed\Exception DAMAGED: feed_11.MYI
BAD_ROW: Emonfeed\Exception BAD_ROW: feed_12.MYD
