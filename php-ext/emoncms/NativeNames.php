<?php
// SPDX-License-Identifier: AGPL-3.0-or-later
// Part of emonfeed. It works inside emoncms and has emoncms's licence, the
// GNU Affero General Public License, version 3 or later.

/** Names of databases and tables. */
class NativeNames
{
    /** A name of ASCII as MySQL writes it in file names: `emon-cms` is emon@002dcms. */
    public static function file(string $name): string
    {
        return preg_replace_callback('/[^0-9A-Za-z_]/', fn($match) => sprintf('@%04x', ord($match[0])), $name);
    }
}
