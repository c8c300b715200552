<?php
// SPDX-License-Identifier: AGPL-3.0-or-later
//
// Which feeds will be read natively, which will not, why, and what helps.

/** Why feeds are not read natively. Feeds of the same text are told of together. */
final class EnableReason
{
    /**
     * @param string[] $commands to be pasted as they are
     * @param string $detail of this one feed
     */
    public function __construct(public string $text, public array $commands = [], public string $detail = '')
    {
    }
}

final class EnableCheck
{
    /** Whatever the extension calls by these, the server can mend. */
    private const DAMAGED = ['CRASHED', 'PHASE_SHIFTED', 'DAMAGED', 'BAD_ROW'];

    /** @var array<string, EnableReason> why an engine as a whole is not native, by its name */
    private array $engines = [];

    /**
     * @param EnablePhp[] $phps those that serve emoncms
     * @param array{name: string, uid: int, gid: int} $user the web server's
     */
    public function __construct(
        private EnableServer $server,
        private EnableSettings $settings,
        private array $phps,
        private array $user,
        /** The folder of the tables; null if it was not found or verified. */
        private ?string $tables
    ) {
    }

    public function user(): array
    {
        return $this->user;
    }

    public function rule_out(string $engine, EnableReason $reason): void
    {
        $this->engines[$engine] ??= $reason;
    }

    /** Whom a probe shall become: nobody else, unless we are root. */
    public function to_become(): ?array
    {
        return posix_geteuid() === 0 ? $this->user : null;
    }

    /** Loads the classes as emoncms will, $native by this path, in each PHP; a failure there would stop the site. */
    public function loads(string $engine, EnableTree $tree, string $native): void
    {
        $parent = 'Modules/feed/engine/' . EnablePatch::ENGINES[$engine][1] . '.php';
        foreach ($this->phps as $php) {
            $answer = $php->ask(['load' => [realpath($tree->path), $parent, $native]], $this->to_become());
            if (!isset($answer['loads'])) {
                throw new EnableError("$native cannot be loaded by {$php->name()} as {$this->user['name']}: {$answer['failed']}");
            }
        }
    }

    /**
     * @param array<int, array{engine: int, table: string}> $feeds of those of the server
     * @return array<int, ?EnableReason> by feed; null: native
     */
    public function feeds(array $feeds): array
    {
        $reasons = array_map(fn ($feed) => $this->without_looking($feed), $feeds);
        $open = array_filter($reasons, fn ($reason) => $reason === null);
        foreach ($this->phps as $php) {
            $ids = array_keys($open);
            $paths = array_combine($ids, array_map(fn ($id) => $this->path($id), $ids));
            $answer = $php->ask(['feeds' => (object) $paths], $this->to_become());
            $whole = $this->extension($php, $answer);
            foreach ($ids as $id) {
                $reasons[$id] ??= $whole ?? $this->looked_at($id, $php, $answer);
            }
        }
        return $reasons;
    }

    private function path(int $id): string
    {
        $feed = $this->server->feeds[$id];
        return $feed['engine'] === 0
            ? "$this->tables/" . NativeNames::file($feed['table']) . '.MYD'
            : "{$this->settings->phptimeseries}feed_$id.MYD";
    }

    /** What the server knows is enough for these. */
    private function without_looking(array $feed): ?EnableReason
    {
        $engine = $feed['engine'] === 0 ? 'mysql' : 'phptimeseries';
        $ruled_out = $this->engines[$engine] ?? null;
        if ($engine === 'phptimeseries' || ($ruled_out !== null && !$this->server->tables)) {
            return $ruled_out;
        }
        $table = $this->server->tables[$feed['table']] ?? null;
        $alter = fn (string $how) => [$this->sql('ALTER TABLE ' . self::name($feed['table']) . " $how")];
        if ($table === null) {
            return new EnableReason('there is no table', [], $feed['table']);
        }
        if ($table['engine'] === null) {
            // REPAIR TABLE needs a sound index; with USE_FRM it makes that anew too.
            $file = "$this->tables/" . NativeNames::file($feed['table']) . '.MYD';
            $repair = is_file($file) ? [$this->sql('REPAIR TABLE ' . self::name($feed['table']) . ' USE_FRM')] : [];
            return new EnableReason('the server cannot open the table', $repair, $table['comment']);
        }
        if ($table['engine'] !== 'MyISAM') {
            return new EnableReason("the table belongs to {$table['engine']}", $alter('ENGINE=MyISAM'));
        }
        if (str_contains((string) $table['options'], 'partitioned')) {
            return new EnableReason('the table is partitioned', $alter('REMOVE PARTITIONING'));
        }
        if ($table['format'] !== 'Fixed') {
            return new EnableReason("the table's rows are of the format {$table['format']}", $alter('ROW_FORMAT=FIXED'));
        }
        return $ruled_out;
    }

    private function sql(string $statement): string
    {
        return $this->server->client() . ' -e ' . EnableAccess::quoted($statement);
    }

    /** A table's name as a statement has it; emoncms's usual ones need no quotes. */
    private static function name(string $table): string
    {
        return preg_match('/^[A-Za-z_][0-9A-Za-z_]*$/D', $table) ? $table : '`' . str_replace('`', '``', $table) . '`';
    }

    /** Why this PHP has no extension, or null if it has. */
    private function extension(EnablePhp $php, array $answer): ?EnableReason
    {
        if (isset($answer['failed'])) {
            return new EnableReason("{$php->name()} could not be asked: {$answer['failed']}");
        }
        if ($answer['loaded']) {
            return $php->started_without()
                ? new EnableReason("{$php->name()} was started before the extension was switched on", $php->restart()) : null;
        }
        if ($answer['old']) {
            return new EnableReason("{$php->name()} loads an older extension than " . dirname(__DIR__)
                . ' needs (README.md, "Install": make php, sudo make install-php)', $php->restart());
        }
        if (str_contains($answer['said'], 'emonfeed')) {
            return new EnableReason("{$php->name()} cannot load the extension: {$answer['said']}");
        }
        $library = rtrim($answer['extension_dir'], '/') . '/emonfeed.so';
        if (!is_file($library)) {
            return new EnableReason("{$php->name()} has no extension emonfeed: $library is missing "
                . '(README.md, "Install": make php, sudo make install-php)', $php->switch_on());
        }
        return new EnableReason("{$php->name()} does not load the extension", $php->switch_on());
    }

    private function looked_at(int $id, EnablePhp $php, array $answer): ?EnableReason
    {
        $found = $answer['feeds'][$id];
        if (!isset($found['code'])) {
            return null;
        }
        $code = $this->name_of($found['code']);
        $table = $this->server->feeds[$id]['engine'] === 0 ? $this->server->feeds[$id]['table'] : null;
        if ($code === 'PERMISSION' && $answer['open_basedir'] !== '') {
            return new EnableReason("{$php->name()} may not leave {$answer['open_basedir']}: put " . dirname($this->path($id))
                . "/ into open_basedir in {$php->ini()}", $php->restart(), $found['message']);
        }
        if ($code === 'PERMISSION') {
            return new EnableReason("{$this->user['name']} may not read " . ($table ? 'the tables\' files' : 'the files'),
                $table ? $this->access() : $this->own($id), $found['message']);
        }
        if ($table !== null && in_array($code, self::DAMAGED, true)) {
            return new EnableReason('the table is damaged', [$this->sql('REPAIR TABLE ' . self::name($table))], $found['message']);
        }
        return new EnableReason($code === 'NOT_FOUND' ? 'there is no file' : $found['message'], [], $found['message']);
    }

    /** The constant of Emonfeed\Exception; the extension itself may not be loaded here. */
    private function name_of(int $code): string
    {
        $names = [10 => 'NOT_FOUND', 11 => 'PERMISSION', 40 => 'CRASHED', 41 => 'PHASE_SHIFTED', 42 => 'DAMAGED', 43 => 'BAD_ROW'];
        return $names[$code] ?? '';
    }

    /** @return string[] */
    private function access(): array
    {
        return EnableAccess::commands($this->user['name'], $this->tables, $this->settings->prefix, $this->may_not($this->tables)['closed']);
    }

    /** @return string[] emoncms itself writes these files: they ought to be the web server's */
    private function own(int $id): array
    {
        $folder = dirname($this->path($id));
        $limits = $this->may_not($folder);
        // Beside a file without a table, the folder is looked through for one.
        $last = array_intersect([$folder, realpath($folder)], [...$limits['closed'], ...$limits['unlisted']]);
        $grant = function (string $right, array $folders): array {
            $folders = implode(' ', array_map([EnableAccess::class, 'quoted'], array_unique($folders)));
            return $folders === '' ? [] : [EnableAccess::sudo() . "setfacl -m u:{$this->user['name']}:$right $folders"];
        };
        $file = EnableAccess::quoted($this->path($id));
        return [
            ...$grant('x', array_diff($limits['closed'], $last)),
            ...$grant('rx', $last),
            EnableAccess::sudo() . "chown {$this->user['name']} $file",
            EnableAccess::sudo() . "chmod u+rw $file",
        ];
    }

    /** @return array{closed: string[], unlisted: string[]} on the way to $folder, what the web server's user may not enter, or list */
    private function may_not(string $folder): array
    {
        // The limits of open_basedir are not what is asked for here.
        $answer = $this->phps[0]->ask(['enter' => EnableAccess::above($folder)], $this->to_become(), ['open_basedir' => '']);
        return ['closed' => array_values($answer['closed'] ?? []), 'unlisted' => array_values($answer['unlisted'] ?? [])];
    }
}
