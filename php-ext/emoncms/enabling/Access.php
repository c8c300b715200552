<?php
// SPDX-License-Identifier: AGPL-3.0-or-later
//
// Commands to paste, and the access lists that let PHP read the tables.

final class EnableAccess
{
    /** What a command begins with that only root may run. */
    public static function sudo(): string
    {
        return self::shell_user() === 0 ? '' : 'sudo ';
    }

    /** Whose shell the commands will be pasted into. */
    private static function shell_user(): int
    {
        $caller = posix_geteuid() === 0 ? posix_getpwnam((string) getenv('SUDO_USER')) : false;
        return $caller ? $caller['uid'] : posix_geteuid();
    }

    /** For a shell; plain where that is the same, to be read more easily. */
    public static function quoted(string $text): string
    {
        return preg_match('~^[\w./@:+,=-]+$~', $text) ? $text : escapeshellarg($text);
    }

    public static function program(string $name): ?string
    {
        foreach (explode(':', (string) getenv('PATH') . ':/usr/sbin:/usr/bin:/sbin:/bin') as $folder) {
            if ($folder !== '' && is_executable("$folder/$name")) {
                return $name;
            }
        }
        return null;
    }

    /** Whether it is for lack of rights that $folder, or one above it, is not seen by us. */
    public static function denied(string $folder): bool
    {
        foreach (self::above($folder) as $path) {
            if (!is_executable($path)) {
                return is_dir($path);
            }
        }
        return false;
    }

    /** @return string[] $folder and those above it, from the top, links followed too */
    public static function above(string $folder): array
    {
        $all = [];
        foreach (array_filter([$folder, realpath($folder)]) as $path) {
            for ($chain = []; strlen($path) > 1; $path = dirname($path)) {
                array_unshift($chain, $path);
            }
            $all = array_merge($all, $chain);
        }
        return array_values(array_unique($all));
    }

    /**
     * Lets $user read the feeds' tables in $folder and no other file that is
     * there now; a default entry for those that the server will make.
     *
     * @param string[] $closed folders of the path that $user may not enter
     * @return string[]
     */
    public static function commands(string $user, string $folder, string $prefix, array $closed): array
    {
        $commands = self::program('setfacl') === null ? [self::sudo() . 'apt-get install acl'] : [];
        $owned = array_filter([$folder, ...$closed], fn ($path) => @fileowner($path) === self::shell_user());
        $sudo = count($owned) === count($closed) + 1 ? '' : self::sudo();
        if ($closed !== []) {
            $commands[] = "{$sudo}setfacl -m u:$user:x " . implode(' ', array_map([self::class, 'quoted'], $closed));
        }
        $feeds = self::quoted("$folder/") . ($prefix === '' ? '[0-9]*' : NativeNames::file($prefix) . '*');
        // The shell that knows what * stands for must be one that may look into the folder.
        $commands[] = $sudo === '' ? "setfacl -m u:$user:r $feeds" : 'sudo sh -c ' . escapeshellarg("setfacl -m u:$user:r $feeds");
        $commands[] = "{$sudo}setfacl -m d:u:$user:r " . self::quoted($folder);
        return $commands;
    }
}
