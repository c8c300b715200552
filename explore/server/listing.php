<?php

declare(strict_types=1);

namespace Emonfeed\Explore;

use Emonfeed\Feed;

/** The feeds in the directory that is served. */
final class Listing
{
    /** What a server keeps a table in, of whichever engine. */
    private const TABLE = '/^(feed_([0-9]+))\.(MYD|MYI|frm|ibd|MAD)$/D';
    private const FINA = '/^[0-9]+\.dat$/D';
    private const CATALOG = 'emonfeed.sqlite';

    public function __construct(public readonly string $directory)
    {
    }

    /**
     * What is known of each without reading it, by number.
     *
     * @return list<array{id: ?string, name: string, bytes: int, error: ?string}>
     */
    public function feeds(): array
    {
        $feeds = [];
        foreach ($this->files() as $file) {
            if (preg_match(self::TABLE, $file, $match)) {
                $feed = &$feeds[$match[1]];
                $feed ??= ['id' => $match[2], 'name' => $match[1], 'bytes' => 0, 'error' => null];
                $feed['error'] ??= $this->link($file);
                if ($match[3] === 'MYD') {
                    $feed['bytes'] = $this->size($file);
                }
                unset($feed);
            } elseif (preg_match(self::FINA, $file)) {
                $error = 'a feed of PHPFina: emonfeed backs it up, but does not read it';
                $feeds[$file] = ['id' => null, 'name' => $file, 'bytes' => $this->size($file), 'error' => $error];
            }
        }
        uksort($feeds, strnatcmp(...));
        return array_values($feeds);
    }

    /** The feed with that number. Its path is made of names in the directory, not of what was asked. */
    public function open(string $id): Feed
    {
        $path = null;
        foreach ($this->files() as $file) {
            if (preg_match(self::TABLE, $file, $match) && $match[2] === $id) {
                $path = "$this->directory/$match[1].MYD";
                $error = $this->link($file);
                if ($error !== null) {
                    throw new Refused(422, $error);
                }
            }
        }
        return new Feed($path ?? throw new Refused(404, 'there is no such feed in the directory'));
    }

    /** Whether this is where `emonfeed backup` copies to. */
    public function is_backup(): bool
    {
        return in_array(self::CATALOG, $this->files(), true);
    }

    /** @return list<string> */
    private function files(): array
    {
        $files = @scandir($this->directory);
        if ($files === false) {
            throw new Refused(503, "$this->directory: the directory cannot be read any more");
        }
        return $files;
    }

    /** What is wrong with a file that is a link; null if it is none. */
    private function link(string $file): ?string
    {
        // Of one that leads out of the directory, open_basedir tells nothing.
        if (!@is_link("$this->directory/$file") && @lstat("$this->directory/$file")) {
            return null;
        }
        return "$file is a symbolic link, and this page follows none";
    }

    private function size(string $file): int
    {
        return (int) (@lstat("$this->directory/$file")['size'] ?? 0);
    }
}
