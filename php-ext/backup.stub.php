<?php

/** @generate-class-entries */

namespace Emonfeed;

/**
 * One run of the backup. It brings the copies of all feeds in a folder up to
 * date, and gives one report per feed.
 *
 *     $backup = new Emonfeed\Backup('/var/lib/mysql/emoncms', '/mnt/backup');
 *     foreach ($backup as $file => $report)
 *         echo "$file: $report[message]\n";
 *     $summary = $backup->close();
 *
 * What is reported is on the disk and in the catalog of the copies. Between
 * two reports nothing is done, so the program can show progress there, pause,
 * or stop. Other runs find the destination locked (except by a dry run) until
 * close(), or until the object is destroyed, which closes the run and ignores
 * errors.
 *
 * A feed that cannot be copied has a report that says so (outcome failed), and
 * the others follow. Whatever ends the run throws Exception; wrong arguments
 * throw ValueError or TypeError.
 *
 * @strict-properties
 * @not-serializable
 * @implements \Iterator<string, array{feed: string, table: string, outcome: string, rows_copied: int, rows_total: int, bytes_copied: int, bytes_total: int, bytes_repaired: int, kept: ?string, definition_copied: bool, dry_run: bool, bytes_overwritten: int, adopted: bool, seconds: float, status: int, message: string}>
 */
final class Backup implements \Iterator
{
    /**
     * Begins the run. It throws Exception with the code LOCKED if another run is
     * at work in $destination, and with DESTINATION if that is no place for copies.
     *
     * $options are those of the command `emonfeed backup`, with - or _ in their
     * names: prefix ("feed_"); only, exclude: 7, "1-50", "feed_1*", several as a
     * list or separated by commas; dry_run; recheck ("1/30", "all" or "none");
     * keep (3 old states of each feed); delete, max_delete (10): remove copies of
     * feeds that are gone; bwlimit, max_size: bytes, or "500k", "2M"; same_device,
     * require_mount, trust_owner.
     *
     * @phpstan-param array<string, bool|int|string|list<int|string>> $options
     */
    public function __construct(string $source, string $destination, array $options = []) {}

    /** How many feeds there are to look at. Feeds created meanwhile are added at the end. */
    public function feeds(): int {}

    /** Stops looking at further feeds. The loop goes on for those already looked at. */
    public function stop(): void {}

    /**
     * Ends the run: commits what was copied and records how it went. A second
     * call gives the same answer.
     *
     * @phpstan-return array{feeds: int, unchanged: int, created: int, appended: int, patched: int, new-generation: int, failed: int, skipped: int, source-gone: int, deleted: int, rows_copied: int, bytes_copied: int, seconds: float, stopped: bool, complete: bool, not_deleted: ?string} not_deleted: why copies that were due for removal were not removed
     */
    public function close(): array {}

    /** The report of the current feed; null after the last one. */
    public function current(): ?array {}

    /** The file of the current feed's rows, in both folders: feed_7.MYD. */
    public function key(): ?string {}

    /** Goes on to the next feed. */
    public function next(): void {}

    /** Goes on to the first feed. This works only once, because the object is one run. */
    public function rewind(): void {}

    /** Whether there is a report. */
    public function valid(): bool {}
}
