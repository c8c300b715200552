<?php

/** @generate-class-entries */

namespace Emonfeed;

/**
 * Something is wrong with the files. getCode() says what, for programs;
 * getMessage() says it for people, with the path and what to do.
 */
class Exception extends \RuntimeException
{
    /**
     * A fault of emonfeed itself.
     * @var int
     */
    public const INTERNAL = 1;
    /**
     * There is no such file.
     * @var int
     */
    public const NOT_FOUND = 10;
    /**
     * The system, or open_basedir, does not allow it.
     * @var int
     */
    public const PERMISSION = 11;
    /**
     * The system failed to read or write.
     * @var int
     */
    public const IO = 12;
    /**
     * A symbolic link, a directory, a pipe or a device.
     * @var int
     */
    public const NOT_REGULAR = 13;
    /**
     * Too little memory or address space.
     * @var int
     */
    public const MEMORY = 14;
    /**
     * The table's columns are not those of a feed, or the path does not end in .MYD.
     * @var int
     */
    public const NOT_A_FEED = 20;
    /**
     * A column has a type that emonfeed does not read.
     * @var int
     */
    public const UNKNOWN_COLUMN = 21;
    /**
     * The table belongs to another storage engine.
     * @var int
     */
    public const ENGINE = 22;
    /**
     * The table was compressed by myisampack.
     * @var int
     */
    public const COMPRESSED = 23;
    /**
     * The table has rows of variable length.
     * @var int
     */
    public const DYNAMIC = 24;
    /**
     * The .MYI, or the .frm or .sdi, is missing; of a PHPFina feed, the .meta.
     * @var int
     */
    public const MISSING_DEFINITION = 25;
    /**
     * The query needs a column data2.
     * @var int
     */
    public const NO_HISTOGRAM = 26;
    /**
     * The server marked the table as crashed.
     * @var int
     */
    public const CRASHED = 40;
    /**
     * Rows lie between row boundaries after a crash.
     * @var int
     */
    public const PHASE_SHIFTED = 41;
    /**
     * The files contradict themselves or each other.
     * @var int
     */
    public const DAMAGED = 42;
    /**
     * A row begins with flag bits that no row can have.
     * @var int
     */
    public const BAD_ROW = 43;
    /**
     * The file kept changing while it was read; try again.
     * @var int
     */
    public const CHANGED = 50;
    /**
     * Another program holds the lock on the file.
     * @var int
     */
    public const LOCKED = 51;
    /**
     * The destination is no place for a copy, or holds something that a copy cannot continue from.
     * @var int
     */
    public const DESTINATION = 60;
    /**
     * The catalog of a backup is damaged, or cannot be written.
     * @var int
     */
    public const CATALOG = 61;
}
