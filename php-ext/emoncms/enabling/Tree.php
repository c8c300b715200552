<?php
// SPDX-License-Identifier: AGPL-3.0-or-later
//
// An emoncms on disk: where it is, and whether it is one we know.

final class EnableTree
{
    public const MODEL = 'Modules/feed/feed_model.php';
    public const OWN = 'Modules/feed/engine/emonfeed';

    /** The parameters that get_data_combined has had since times are seconds, after the feed's id. */
    private const ASKED = ['$start', '$end', '$interval', '$average', '$timezone', '$timeformat', '$csv',
        '$skipmissing', '$limitinterval'];

    private function __construct(public string $path)
    {
    }

    /** The one that is named, or the one that this program lies in, as it is called. */
    public static function find(?string $named, string $called): self
    {
        if ($named !== null) {
            if (!self::is_one($named)) {
                throw new EnableError("$named is no emoncms: it has no " . self::MODEL . " that can be read.\n"
                    . 'Name the folder that holds emoncms\'s index.php.');
            }
            return new self(self::absolute($named));
        }
        foreach ([dirname(self::absolute($called)), __DIR__] as $folder) {
            for (; strlen($folder) > 1; $folder = dirname($folder)) {
                if (self::is_one($folder)) {
                    return new self($folder);
                }
            }
        }
        throw new EnableError("This folder lies in no emoncms. Name the one you mean: ./enable /path/to/emoncms");
    }

    private static function is_one(string $folder): bool
    {
        return is_file($folder . '/' . self::MODEL);
    }

    /** Without following links, as the owner calls it. */
    public static function absolute(string $path): string
    {
        $path = str_starts_with($path, '/') ? $path : getcwd() . '/' . $path;
        $parts = [];
        foreach (explode('/', $path) as $part) {
            if ($part === '..' && is_link('/' . implode('/', $parts))) {
                return realpath($path) ?: $path;
            }
            if ($part === '..') {
                array_pop($parts);
            } elseif ($part !== '' && $part !== '.') {
                $parts[] = $part;
            }
        }
        return '/' . implode('/', $parts);
    }

    /** The file to be changed, links resolved. */
    public function model(): string
    {
        return realpath("$this->path/" . self::MODEL);
    }

    /** What the owner should know before feed_model.php is changed; '' if nothing. */
    public function remark(): string
    {
        $expected = realpath($this->path) . '/' . self::MODEL;
        return $this->model() === $expected ? '' : "$expected is reached through a symbolic link; the file is {$this->model()}";
    }

    /** The git checkout that feed_model.php belongs to, or null. */
    public function git(): ?string
    {
        for ($folder = dirname($this->model()); strlen($folder) > 1; $folder = dirname($folder)) {
            if (file_exists("$folder/.git")) {
                return $folder;
            }
        }
        return null;
    }

    /** How emoncms is to name a file of our folder: as its own ones if it lies inside. */
    public function path_of(string $file): string
    {
        $inside = realpath($this->path) . '/';
        $ours = dirname(__DIR__);
        if (str_starts_with("$ours/", $inside)) {
            return substr($ours, strlen($inside)) . "/$file";
        }
        return realpath("$this->path/" . self::OWN) === $ours ? self::OWN . "/$file" : "$ours/$file";
    }

    /** Refuses an engine of emoncms that the native one would not fit. */
    public function recognise(string $engine): void
    {
        [, $class] = EnablePatch::ENGINES[$engine];
        $file = "$this->path/Modules/feed/engine/$class.php";
        if (!is_file($file)) {
            throw new EnableError("There is no $file.");
        }
        $tokens = array_values(array_filter(PhpToken::tokenize(EnableFile::read($file)), fn ($token) => !$token->isIgnorable()));
        foreach ($tokens as $i => $token) {
            if ($token->text === '/' && (float) ($tokens[$i + 1]->text ?? 0) === 1000.0) {
                throw new EnableError("$file counts in milliseconds: this emoncms is too old. Update it, then run ./enable again.");
            }
        }
        if (array_slice(self::parameters($tokens, 'get_data_combined') ?? [], 1) !== self::ASKED) {
            throw new EnableError("$file has no get_data_combined with the parameters that are known here.\n"
                . 'Either this emoncms is too old (update it), or newer than this emonfeed (update that).');
        }
        if ($engine === 'phptimeseries' && count(self::parameters($tokens, '__construct') ?? []) !== 1) {
            throw new EnableError("$file keeps readings in memory that are not in its files, as its constructor has more than one parameter.");
        }
    }

    /** @return string[]|null the names of the parameters of a function, or null */
    private static function parameters(array $tokens, string $function): ?array
    {
        foreach ($tokens as $i => $token) {
            if ($token->id !== T_FUNCTION || ($tokens[$i + 1]->text ?? '') !== $function) {
                continue;
            }
            $names = [];
            for ($i += 2, $depth = 0; isset($tokens[$i]); $i++) {
                $depth += ['(' => 1, '[' => 1, ')' => -1, ']' => -1][$tokens[$i]->text] ?? 0;
                if ($depth === 0) {
                    return $names;
                }
                if ($depth === 1 && $tokens[$i]->id === T_VARIABLE) {
                    $names[] = $tokens[$i]->text;
                }
            }
        }
        return null;
    }
}
