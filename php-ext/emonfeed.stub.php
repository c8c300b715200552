<?php

/** @generate-function-entries */

/**
 * The call of July 2013: reads feed_<feedid>.MYD in the folder emonfeed.datadir
 * between two times in milliseconds (an $end of 0 means now), in about $dp points.
 *
 * @phpstan-return list<array{int|float, float}> [time in milliseconds, value]
 */
function emonfeed_get_feed_data(int $feedid, float $start, float $end, int $dp): array {}

/**
 * Copies one feed file, or only what was appended to it since the last copy.
 *
 * @param string $destination the path of the copy, or an existing folder
 * @phpstan-param array{dry_run?: bool, full?: bool} $options dry_run: write nothing; full: compare every row the copy holds, not only its last ones
 * @phpstan-return array{outcome: string, rows_copied: int, rows_total: int, bytes_copied: int, bytes_total: int, bytes_repaired: int, kept: ?string, definition_copied: bool, dry_run: bool, message: string} outcome is unchanged, created, appended, patched or new-generation
 */
function emonfeed_copy(string $source, string $destination, array $options = []): array {}
