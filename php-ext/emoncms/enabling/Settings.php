<?php
// SPDX-License-Identifier: AGPL-3.0-or-later
//
// What `enable` has to know of emoncms's settings, from its ini files and the
// command line.

final class EnableSettings
{
    /** @var array{server: string, username: string, password: ?string, database: string, port: ?int, socket: ?string} */
    public array $sql;
    /** The connection of [feed] mysqltimeseries[database], where it has one of its own. */
    public ?array $feed_sql = null;
    public string $prefix = 'feed_';
    /** Folder of the .meta files that name the tables, where mysqltimeseries[generic] is false. */
    public ?string $meta = null;
    /** What stands before feed_7.MYD. emoncms adds no slash. */
    public string $phptimeseries = '/var/lib/phptimeseries/';
    /** Where it was read, for people. */
    public string $source;

    /** @param array<string, string> $options of the command line */
    public static function load(string $tree, array $options): self
    {
        $settings = new self();
        $all = $settings->read($tree, $options);
        $sql = $all['sql'] ?? [];
        $settings->sql = [
            'server' => (string) ($sql['server'] ?? 'localhost'), 'username' => (string) ($sql['username'] ?? ''),
            'password' => isset($sql['password']) ? (string) $sql['password'] : null,
            'database' => (string) ($sql['database'] ?? 'emoncms'),
            'port' => (int) ($sql['port'] ?? 0) ?: null, 'socket' => null,
        ];
        $mysql = $all['feed']['mysqltimeseries'] ?? [];
        $settings->prefix = (string) ($options['prefix'] ?? $mysql['prefix'] ?? 'feed_');
        if (!($mysql['generic'] ?? true)) {
            $settings->meta = (string) ($mysql['datadir'] ?? '');
        }
        $settings->phptimeseries = isset($options['phptimeseries-dir'])
            ? rtrim($options['phptimeseries-dir'], '/') . '/'
            : (string) ($all['feed']['phptimeseries']['datadir'] ?? $settings->phptimeseries);
        $settings->connection($options, $settings->source === 'options');
        if (isset($mysql['database'])) {
            $settings->feed_sql = $settings->own_connection($mysql);
        }
        return $settings;
    }

    /** emoncms takes settings.php before settings.ini. It is a program, which we do not run. */
    private function read(string $tree, array $options): array
    {
        if (is_file("$tree/settings.php")) {
            if (!isset($options['database'])) {
                throw new EnableError("The settings of this emoncms are $tree/settings.php, a program, which enable does not run.\n"
                    . "Say what it says:  --database NAME [--server HOST] [--user NAME] [--prefix feed_]\n"
                    . "                   [--phptimeseries-dir DIR] [--mysql-dir DIR]\n"
                    . 'The password is asked for, or read from ~/.my.cnf or the file of --defaults-file.');
            }
            $this->source = 'options';
            return ['sql' => ['database' => $options['database']]];
        }
        if (!is_file("$tree/settings.ini")) {
            throw new EnableError("$tree has neither a settings.ini nor a settings.php that can be read.");
        }
        $this->source = 'settings.ini';
        $all = array_replace_recursive(self::ini("$tree/default-settings.ini"), self::ini("$tree/settings.ini"));
        return self::with_environment($all);
    }

    private static function ini(string $path): array
    {
        if (!is_readable($path)) {
            throw new EnableError("$path cannot be read. Run ./enable as root (sudo).");
        }
        $all = @parse_ini_file($path, true, INI_SCANNER_TYPED);
        if ($all === false) {
            throw new EnableError("$path is no ini file that PHP understands: " . (error_get_last()['message'] ?? ''));
        }
        return $all;
    }

    /** {{NAME}} in the parts that matter here stands for an environment variable, as in emoncms. */
    private static function with_environment(array $all): array
    {
        $wanted = ['sql' => $all['sql'] ?? [], 'feed' => array_intersect_key($all['feed'] ?? [], ['mysqltimeseries' => 1, 'phptimeseries' => 1])];
        array_walk_recursive($wanted, function (&$value): void {
            if (!is_string($value) || !preg_match('/{{[^}]+}}/', $value)) {
                return;
            }
            $value = preg_replace_callback('/{{([^}]+)}}/', function (array $match): string {
                $from = getenv($match[1]);
                if ($from === false) {
                    throw new EnableError("The settings name the environment variable {$match[1]}, which is not set here.\n"
                        . "Run ./enable where emoncms runs (in its container), or hand it on: sudo {$match[1]}=... ./enable");
                }
                return $from;
            }, $value);
            $value = ['true' => true, 'false' => false][strtolower($value)] ?? $value;
        });
        return $wanted;
    }

    /** The command line, and a client's option file where it is asked for or nothing else is known. */
    private function connection(array $options, bool $nothing_known): void
    {
        $file = $options['defaults-file'] ?? ($nothing_known ? (string) getenv('HOME') . '/.my.cnf' : null);
        if (isset($options['defaults-file']) && !is_readable($file)) {
            throw new EnableError("$file cannot be read.");
        }
        $client = $file !== null && is_readable($file) ? self::client_options($file) : [];
        $names = ['server' => 'host', 'username' => 'user', 'password' => 'password', 'port' => 'port', 'socket' => 'socket'];
        foreach ($names as $ours => $theirs) {
            $this->sql[$ours] = $options[$ours === 'username' ? 'user' : $ours] ?? $client[$theirs] ?? $this->sql[$ours];
        }
        $this->sql['database'] = $options['database'] ?? $this->sql['database'];
        $this->sql['port'] = (int) $this->sql['port'] ?: null;
        if ($this->sql['username'] === '') {
            $this->sql['username'] = posix_getpwuid(posix_geteuid())['name'] ?? '';
        }
        if (isset($options['user']) && !isset($client['password'])) {
            $this->sql['password'] = null;
        }
    }

    /** The groups of an option file that every client of the server reads. */
    private static function client_options(string $file): array
    {
        $group = '';
        $found = [];
        foreach (preg_split('/\R/', EnableFile::read($file)) as $line) {
            if (preg_match('/^\s*\[([^]]+)\]/', $line, $match)) {
                $group = $match[1];
            } elseif (in_array($group, ['client', 'client-server', 'client-mariadb'], true)
                && preg_match('/^\s*([a-z-]+)\s*=\s*(.*?)\s*$/i', $line, $match)) {
                $found[$match[1]] = preg_replace('/^(["\'])(.*)\1$/', '$2', $match[2]);
            }
        }
        return $found;
    }

    /** As the engine of emoncms completes a connection of its own from the common one. */
    private function own_connection(array $mysql): array
    {
        $sql = $this->sql;
        $sql['database'] = (string) $mysql['database'];
        if (isset($mysql['server'], $mysql['port'])) {
            [$sql['server'], $sql['port']] = [(string) $mysql['server'], (int) $mysql['port']];
        }
        if (isset($mysql['username'], $mysql['password'])) {
            [$sql['username'], $sql['password']] = [(string) $mysql['username'], (string) $mysql['password']];
        }
        return $sql;
    }
}
