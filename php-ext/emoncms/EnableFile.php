<?php
// SPDX-License-Identifier: AGPL-3.0-or-later
//
// How `enable` shows a change of a file, and writes it.

final class EnableFile
{
    private const AROUND = 3;

    /** The change as `diff -u` shows it, fit for `patch -p1`; '' if there is none. */
    public static function diff(string $name, string $old, string $new): string
    {
        if ($old === $new) {
            return '';
        }
        $a = self::lines($old);
        $b = self::lines($new);
        $head = 0;
        while (isset($a[$head], $b[$head]) && $a[$head] === $b[$head]) {
            $head++;
        }
        $tail = 0;
        while ($tail < min(count($a), count($b)) - $head && $a[count($a) - 1 - $tail] === $b[count($b) - 1 - $tail]) {
            $tail++;
        }
        $changes = self::changes(array_slice($a, $head, count($a) - $head - $tail), array_slice($b, $head, count($b) - $head - $tail));
        $lines = array_merge(
            array_map(fn ($line) => [' ', $line], array_slice($a, 0, $head)),
            $changes,
            array_map(fn ($line) => [' ', $line], array_slice($a, count($a) - $tail))
        );
        return "--- a/$name\n+++ b/$name\n" . self::hunks($lines);
    }

    /** @return string[] with their ends */
    private static function lines(string $text): array
    {
        return preg_split('/(?<=\n)/', $text, -1, PREG_SPLIT_NO_EMPTY);
    }

    /** By the longest common subsequence; the texts differ in a few lines near each other. */
    private static function changes(array $a, array $b): array
    {
        $length = array_fill(0, count($a) + 1, array_fill(0, count($b) + 1, 0));
        for ($i = count($a) - 1; $i >= 0; $i--) {
            for ($j = count($b) - 1; $j >= 0; $j--) {
                $length[$i][$j] = $a[$i] === $b[$j] ? $length[$i + 1][$j + 1] + 1 : max($length[$i + 1][$j], $length[$i][$j + 1]);
            }
        }
        $changes = [];
        for ($i = $j = 0; $i < count($a) || $j < count($b);) {
            if ($i < count($a) && $j < count($b) && $a[$i] === $b[$j]) {
                $changes[] = [' ', $a[$i++]];
                $j++;
            } elseif ($i < count($a) && ($j === count($b) || $length[$i + 1][$j] >= $length[$i][$j + 1])) {
                $changes[] = ['-', $a[$i++]];
            } else {
                $changes[] = ['+', $b[$j++]];
            }
        }
        return $changes;
    }

    /** @param array{0: string, 1: string}[] $lines each with ' ', '-' or '+' */
    private static function hunks(array $lines): string
    {
        $shown = [];
        foreach ($lines as $i => [$sign]) {
            for ($n = $i - self::AROUND; $sign !== ' ' && $n <= $i + self::AROUND; $n++) {
                $shown[$n] = true;
            }
        }
        $text = $hunk = '';
        $old = $new = 1;
        $count = [0, 0];
        foreach (array_merge($lines, [[' ', '']]) as $i => [$sign, $line]) {
            if (!isset($shown[$i], $lines[$i])) {
                if ($hunk !== '') {
                    $text .= sprintf("@@ -%d,%d +%d,%d @@\n%s", $old - $count[0], $count[0], $new - $count[1], $count[1], $hunk);
                }
                $hunk = '';
                $count = [0, 0];
            } else {
                $hunk .= $sign . $line . (str_ends_with($line, "\n") ? '' : "\n\\ No newline at end of file\n");
                $count[0] += $sign !== '+';
                $count[1] += $sign !== '-';
            }
            $old += $sign !== '+';
            $new += $sign !== '-';
        }
        return $text;
    }

    public static function read(string $path): string
    {
        $text = @file_get_contents($path);
        if ($text === false) {
            throw new EnableError("$path cannot be read" . self::why() . '.');
        }
        return $text;
    }

    /**
     * Puts $new in the place of $old in one step: a file beside it, of the same
     * owner and mode, checked by PHP, then renamed. Whatever fails before that
     * leaves the file as it was.
     */
    public static function replace(string $path, string $old, string $new): void
    {
        $lock = self::locked($path);
        $there = fstat($lock);
        if (stream_get_contents($lock) !== $old) {
            throw new EnableError("$path was changed by somebody meanwhile. Run ./enable again.");
        }
        foreach (glob(self::pattern($path)) as $left_over) {
            @unlink($left_over);
        }
        $copy = dirname($path) . '/.' . basename($path) . '.emonfeed-' . bin2hex(random_bytes(6));
        try {
            self::write($copy, $new, $there);
            self::check_syntax($copy);
            if (!@rename($copy, $path)) {
                throw new EnableError("$path cannot be replaced" . self::why() . '. It is as it was.');
            }
        } finally {
            @unlink($copy);
        }
    }

    /** Copies that a killed run left behind; only under the lock are they nobody's. */
    private static function pattern(string $path): string
    {
        return addcslashes(dirname($path), '\\*?[{') . '/.' . basename($path) . '.emonfeed-*';
    }

    /** @return resource the file, so that two runs do not meet in it */
    private static function locked(string $path)
    {
        $file = @fopen($path, 'rb');
        if ($file === false) {
            throw new EnableError("$path cannot be read" . self::why() . '.');
        }
        clearstatcache();
        if (!flock($file, LOCK_EX | LOCK_NB) || fstat($file)['ino'] !== fileinode($path)) {
            throw new EnableError("Another enable is at work on $path.");
        }
        return $file;
    }

    private static function write(string $copy, string $text, array $like): void
    {
        // The mode at its making: the file is never more open than the original.
        $mask = umask(0777 & ~$like['mode']);
        $file = @fopen($copy, 'xb');
        umask($mask);
        if ($file === false) {
            throw new EnableError("$copy cannot be made" . self::why() . '. Nothing was changed; run ./enable as who may write there (sudo).');
        }
        if (@fwrite($file, $text) !== strlen($text) || !@fflush($file) || !@fsync($file)) {
            throw new EnableError("$copy cannot be written" . self::why() . '. Nothing was changed.');
        }
        self::give($copy, fstat($file), $like);
        fclose($file);
    }

    /** Owner, group and mode. lchown: in a folder of others the name might be a link by now. */
    private static function give(string $copy, array $is, array $like): void
    {
        $same = ($is['uid'] === $like['uid'] || @lchown($copy, $like['uid']))
            && ($is['gid'] === $like['gid'] || @lchgrp($copy, $like['gid']));
        clearstatcache();
        $now = @lstat($copy);
        if (!$same || !$now || $now['ino'] !== $is['ino']) {
            throw new EnableError("The new file cannot be given the owner of the old one. Nothing was changed; run ./enable as root or as that owner.");
        }
        if (($now['mode'] & 07777) !== ($like['mode'] & 07777) && !@chmod($copy, $like['mode'] & 07777)) {
            throw new EnableError("The new file cannot be given the mode of the old one. Nothing was changed.");
        }
    }

    private static function check_syntax(string $path): void
    {
        $process = proc_open([PHP_BINARY, '-n', '-l', $path], [['file', '/dev/null', 'r'], ['pipe', 'w'], ['pipe', 'w']], $pipes);
        $said = trim(stream_get_contents($pipes[1]) . stream_get_contents($pipes[2]));
        if (proc_close($process) !== 0) {
            throw new EnableError("PHP does not accept the changed file: $said Nothing was changed.");
        }
    }

    private static function why(): string
    {
        $last = error_get_last()['message'] ?? '';
        return preg_match('/: ([^:]+)$/', $last, $match) ? ' (' . $match[1] . ')' : '';
    }
}
