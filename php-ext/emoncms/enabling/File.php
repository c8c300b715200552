<?php
// SPDX-License-Identifier: AGPL-3.0-or-later
//
// How `enable` shows a change of a file, and writes it.

final class EnableFile
{
    /** How $new differs from the file, fit for `patch -p1`; '' if it does not. */
    public static function diff(string $name, string $path, string $new): string
    {
        $command = ['diff', '-u', '--label', "a/$name", '--label', "b/$name", $path, '-'];
        [$code, $diff, $errors] = EnableProcess::run($command, $new, ['LC_ALL' => 'C'] + getenv());
        if ($code > 1) {
            throw new EnableError(($code === 127 ? 'there is no program diff to show the change with (Debian: the package diffutils)'
                : "the change cannot be shown: $errors") . '. Nothing was changed.');
        }
        return $diff;
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
        self::refuse_access_list($path);
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

    /** A new file would not have it, and what is its mask would become the group's rights. */
    private static function refuse_access_list(string $path): void
    {
        [, $output] = EnableProcess::run(['ls', '-ld', '--', $path], '');
        if (($output[10] ?? '') === '+') {
            throw new EnableError("$path has an access list (getfacl shows it), which a changed file would lose. "
                . 'Take it away (setfacl -b) and give it again afterwards. Nothing was changed.');
        }
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
        [$code, $output, $errors] = EnableProcess::run([PHP_BINARY, '-n', '-l', $path], '');
        if ($code !== 0) {
            throw new EnableError('PHP does not accept the changed file: ' . trim($output . $errors) . ' Nothing was changed.');
        }
    }

    private static function why(): string
    {
        $last = error_get_last()['message'] ?? '';
        return preg_match('/: ([^:]+)$/', $last, $match) ? ' (' . $match[1] . ')' : '';
    }
}
