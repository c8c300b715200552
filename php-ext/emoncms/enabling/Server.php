<?php
// SPDX-License-Identifier: AGPL-3.0-or-later
//
// What the database server knows of the feeds, and whether a folder holds the
// very files it serves.

final class EnableServer
{
    /** Access denied: to the user, to the database (an anonymous user's), and without the right system user. */
    private const DENIED = [1044, 1045, 1698];

    /** emoncms's own connection: the table feeds. */
    private mysqli $main;
    /** The connection the MySQL engine uses: the tables feed_N. */
    private mysqli $data;
    /** @var array<int, array{engine: int, table: string}> by the feed's id */
    public array $feeds = [];
    /** @var array<string, array> by the table's name */
    public array $tables = [];

    /** @param callable(string): string $ask asks for a password */
    public function __construct(private EnableSettings $settings, callable $ask)
    {
        $this->main = self::connect($settings->sql, $ask);
        $this->data = $settings->feed_sql === null ? $this->main : self::connect($settings->feed_sql, $ask);
        $this->feeds = $this->read_feeds();
        $this->tables = $this->read_tables();
    }

    private static function connect(array $sql, callable $ask): mysqli
    {
        mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
        $open = function (string $password) use ($sql): mysqli {
            return new mysqli($sql['server'], $sql['username'], $password, $sql['database'], $sql['port'] ?? 0, $sql['socket'] ?? '');
        };
        try {
            try {
                $server = $open((string) $sql['password']);
            } catch (mysqli_sql_exception $refused) {
                if ($sql['password'] !== null || !in_array($refused->getCode(), self::DENIED, true)) {
                    throw $refused;
                }
                $server = $open($ask("Password of {$sql['username']} on {$sql['server']}: "));
            }
        } catch (mysqli_sql_exception $failed) {
            throw new EnableError("The database {$sql['database']} on {$sql['server']} cannot be reached: " . $failed->getMessage());
        }
        // In others an hour of each year comes twice.
        $server->query("SET time_zone = '+00:00'");
        try {
            // MySQL 8 answers what it knew yesterday otherwise.
            $server->query('SET SESSION information_schema_stats_expiry = 0');
        } catch (mysqli_sql_exception $other_server) {
            // MariaDB has no such variable, and always asks its tables.
        }
        return $server;
    }

    /** As NativeMysqlTimeSeries::nativeServer() says it. */
    public function identity(): string
    {
        return "{$this->data->host_info}, " . $this->data->query('SELECT CONCAT(@@datadir, DATABASE())')->fetch_row()[0];
    }

    public function database(): string
    {
        return $this->data->query('SELECT DATABASE()')->fetch_row()[0];
    }

    private function read_feeds(): array
    {
        try {
            $rows = $this->main->query('SELECT id, engine FROM feeds WHERE engine IN (0, 2) ORDER BY id')->fetch_all();
        } catch (mysqli_sql_exception $failed) {
            throw new EnableError("The list of feeds cannot be read: " . $failed->getMessage());
        }
        $feeds = [];
        foreach ($rows as [$id, $engine]) {
            $feeds[(int) $id] = ['engine' => (int) $engine, 'table' => $this->table_of((int) $id)];
        }
        return $feeds;
    }

    private function table_of(int $id): string
    {
        $file = "{$this->settings->meta}$id.meta";
        if ($this->settings->meta === null || !is_readable($file)) {
            return $this->settings->prefix . $id;
        }
        return $this->settings->prefix . (parse_ini_file($file, false, INI_SCANNER_RAW)['table_name'] ?? $id);
    }

    /** @return array<int, string> the tables of the MySQL feeds */
    public function tables_of_feeds(): array
    {
        return array_column(array_filter(array_map(
            fn ($id, $feed) => $feed['engine'] === 0 ? [$id, $feed['table']] : null,
            array_keys($this->feeds),
            $this->feeds
        )), 1, 0);
    }

    private function read_tables(): array
    {
        $tables = [];
        $asked = 'SELECT TABLE_NAME AS name, ENGINE AS engine, ROW_FORMAT AS format, TABLE_ROWS AS `rows`, DATA_LENGTH AS bytes,
            UNIX_TIMESTAMP(CREATE_TIME) AS created, UNIX_TIMESTAMP(UPDATE_TIME) AS updated, CREATE_OPTIONS AS options,
            TABLE_COMMENT AS comment FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()';
        $result = $this->data->query($asked);
        while ($row = $result->fetch_assoc()) {
            $tables[$row['name']] = $row;
        }
        return $tables;
    }

    /** The folder the server says it keeps the database in. */
    public function folder(): string
    {
        $datadir = rtrim($this->data->query('SELECT @@datadir')->fetch_row()[0], '/');
        $there = $this->data->query('SELECT @@hostname')->fetch_row()[0];
        if ($there !== gethostname()) {
            throw new EnableError("the server runs on \"$there\", this is \"" . gethostname() . "\" (a container, or another host).\n"
                . "Mount its folder $datadir here, read-only, and name the database's folder in it: --mysql-dir DIR");
        }
        // The server's own encoding of names as files: emon-cms is emon@002dcms.
        return "$datadir/" . $this->data->query('SELECT CAST(CONVERT(DATABASE() USING filename) AS BINARY)')->fetch_row()[0];
    }

    /**
     * Refuses a folder whose tables are not those of the server: a copy that
     * was left behind when the database moved, another server's.
     *
     * @return int how many tables were compared
     */
    public function verify(string $folder): int
    {
        for ($tries = 3; ; $tries--) {
            $before = $this->tables;
            $files = [];
            foreach ($this->tables_of_feeds() as $id => $table) {
                $files[$table] = self::header("$folder/" . NativeNames::file($table));
            }
            $this->tables = $this->read_tables();
            try {
                return $this->compare($folder, $files, $before);
            } catch (EnableError $differs) {
                if ($tries === 0) {
                    throw $differs;
                }
                // Between two statements, server and files may be seen at different moments.
                usleep(200000);
            }
        }
    }

    private function compare(string $folder, array $files, array $before): int
    {
        $same = 0;
        $unreadable = null;
        foreach ($files as $table => $file) {
            $is = $this->tables[$table] ?? null;
            if ($is === null || $is['engine'] !== 'MyISAM' || !isset($before[$table])) {
                continue;
            }
            if (is_string($file)) {
                $unreadable ??= $file;
                continue;
            }
            foreach ($file as $what => $value) {
                if ($value < $before[$table][$what] || $value > $is[$what]) {
                    throw new EnableError("$folder is not where this server keeps $table ($what: the file says $value, the server {$is[$what]}).\n"
                        . "Is it an old copy, or another server's? Name the right folder: --mysql-dir DIR\n"
                        . '(If something is busy with that table just now, try again later.)');
                }
            }
            // Two empty tables are alike by chance.
            $same += $file['rows'] > 0;
        }
        if ($same === 0) {
            throw new EnableError($unreadable ?? 'no MySQL feed (a MyISAM table) has readings yet by which its folder could be verified');
        }
        return $same;
    }

    /** What a table's files say of themselves, named as in read_tables(), or why it cannot be told. */
    private static function header(string $table): array|string
    {
        clearstatcache();
        $header = @file_get_contents("$table.MYI", false, null, 0, 512);
        $updated = @filemtime("$table.MYD");
        if ($header === false || $updated === false) {
            return "$table.MYI cannot be read (" . (EnableAccess::denied(dirname($table)) ? 'permission denied: run ./enable as root' : 'there is no such file') . ')';
        }
        if (strlen($header) < 200 || substr($header, 0, 4) !== "\xfe\xfe\x07\x01") {
            return "$table.MYI is no index of a MyISAM table";
        }
        // By 16 bits: PHP of 32 bits knows no J, and takes half of the N for negative.
        $number = fn (int $at) => array_reduce(unpack('n4', $header, $at), fn ($number, $part) => $number * 65536 + $part, 0);
        // Behind the roots of the keys and of their free blocks.
        $created = 124 + 8 * ord($header[18]) + 8 * ord($header[21]) + 20;
        return ['rows' => $number(28), 'bytes' => $number(68), 'created' => $number($created), 'updated' => $updated];
    }

    /** The beginning of a command that runs SQL as somebody who may alter tables. */
    public function client(): string
    {
        $sql = $this->settings->feed_sql ?? $this->settings->sql;
        $local = in_array($sql['server'], ['', 'localhost'], true);
        $program = EnableAccess::program('mariadb') ?? 'mysql';
        $socket = $sql['socket'] ?? ($local ? (string) ini_get('mysqli.default_socket') : '');
        if ($local) {
            $usual = in_array($socket, ['', '/run/mysqld/mysqld.sock', '/var/run/mysqld/mysqld.sock', '/tmp/mysql.sock'], true);
            $command = EnableAccess::sudo() . $program . ($usual ? '' : ' --socket=' . EnableAccess::quoted($socket));
        } else {
            $command = "$program -h " . EnableAccess::quoted($sql['server']) . ($sql['port'] ? " -P {$sql['port']}" : '')
                . ' -u ' . EnableAccess::quoted($sql['username']) . ' -p';
        }
        return $command . ' ' . EnableAccess::quoted($this->database());
    }
}
