<?php
// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Backs up the feeds of emoncms to another disk of this machine. It takes the
// place of emoncms's backup_method2.php of 2013: the same settings, the same
// call, one line for each feed. The extension emonfeed does the copying.
//
//     php backup.php
//
// Put in your settings below, or paste the six lines of your old script over
// the six here. What it does and how feeds are restored: docs/backup.md.
//
// Besides the feeds that emoncms keeps in MySQL, it backs up those of
// PHPTimeSeries. For PHPFina feeds, users, inputs and dashboards there is the
// command `emonfeed backup`.

// How to read emoncms's list of feeds. The account needs SELECT on the table
// `feeds`, nothing else. With a password here, let nobody else read this file.
$username = "";
$password = "";
$server   = "localhost";
$database = "";

// Where the feeds are and where their copies go, the feed's id being $feedid.
$feedid = "*";
$backupfeedname = "/backup/feeds/feed_$feedid.MYD";
$primaryfeedname = "/var/lib/mysql/emoncms/feed_$feedid.MYD";

// The feeds of PHPTimeSeries, such as
// "/var/opt/emoncms/phptimeseries/feed_$feedid.MYD"; false leaves them out. Their
// copies have a folder of their own in that of the others, named as theirs is.
$phptimeseriesfeedname = "";

// How many bytes to write per second at most, such as "500k" or "2M".
$bwlimit = "";

// Whether copies may be on the disk of the feeds or of the system. With true the
// script only warns of it. With false it refuses, also when the backup disk is
// not mounted.
$samedevice = true;

// -------------------------------------------------------- end of the settings

if (PHP_SAPI !== 'cli') {
    exit;
}
exit(FeedBackup::main(array_slice($_SERVER['argv'], 1), [
    'username' => $username,
    'password' => $password,
    'server' => $server,
    'database' => $database,
    'backupfeedname' => $backupfeedname,
    'primaryfeedname' => $primaryfeedname,
    'phptimeseriesfeedname' => $phptimeseriesfeedname,
    'bwlimit' => $bwlimit,
    'samedevice' => $samedevice,
]));

/** What ends the script at once. */
final class CannotBackUp extends Exception
{
}

/** Files of feeds: their folder, and what their names begin with. */
final class FeedPlace
{
    /** @var string */
    public $folder;
    /** @var string */
    public $prefix;

    /** @param mixed $value of the setting: the path of a feed's file, * for the id */
    public function __construct(string $setting, $value)
    {
        $name = is_string($value) ? basename($value) : '';
        $this->folder = is_string($value) ? dirname($value) : '';
        $this->prefix = substr($name, 0, -strlen('*.MYD'));
        $elsewhere = strpos("$this->folder/$this->prefix", '*') !== false;
        if ($name !== "$this->prefix*.MYD" || $elsewhere) {
            throw new CannotBackUp(
                "the setting \$$setting is " . var_export($value, true) . ".\n"
                . "It has to be the path of a feed's file with \$feedid in its name, such as"
                . ' "/backup/feeds/feed_$feedid.MYD".',
                FeedBackup::USAGE
            );
        }
    }
}

/** One run of this script. */
final class FeedBackup
{
    public const OK = 0;
    public const FAILED = 1;
    public const USAGE = 2;
    public const INCOMPLETE = 3;
    public const LOCKED = 11;

    /** What emoncms's `feeds.engine` says. */
    private const MYSQL = 0;
    private const PHPTIMESERIES = 2;

    /** After these outcomes the copy holds all the feed does. */
    private const DONE = ['unchanged', 'created', 'appended', 'patched', 'new-generation'];

    private const HELP = <<<'END'
        Usage: php backup.php

        Copies what is new in each feed of emoncms to the backup disk, and prints a
        line for each: its number in the list, whether there was a copy (E) or not
        (-), whether something was copied (DN), nothing was new (--) or it failed (!!),
        the feed's id and name, the rate and the bytes. The settings are at the top of
        the script.

        Exit codes: 0 all feeds are backed up, 1 none could be, 2 wrong settings or
        usage, 3 some could not be, or the list of feeds could not be read, 11 another
        backup is running.

        END;

    /** @var array<string, mixed> */
    private $settings;
    /** @var FeedPlace */
    private $destination;
    /** @var bool whether the destination is another user's */
    private $others = false;
    /** @var array<int, FeedPlace> by engine */
    private $places = [];
    /** @var int lines printed */
    private $lines = 0;
    /** @var int feeds whose copies are complete */
    private $done = 0;
    /** @var bool whether a feed was left out, or may have been */
    private $incomplete = false;

    public static function main(array $arguments, array $settings): int
    {
        if ($arguments === ['--help'] || $arguments === ['-h']) {
            echo self::HELP;
            return self::OK;
        }
        try {
            if ($arguments !== []) {
                throw new CannotBackUp(
                    'it takes no arguments; its settings are at the top of ' . __FILE__ . '.',
                    self::USAGE
                );
            }
            self::demand_extension();
            return (new self($settings))->run();
        } catch (CannotBackUp $ended) {
            self::complain($ended->getMessage());
            return $ended->getCode();
        }
    }

    private static function demand_extension(): void
    {
        if (class_exists('Emonfeed\Backup')) {
            return;
        }
        if (extension_loaded('emonfeed')) {
            $what = 'the extension emonfeed of this PHP is of version ' . phpversion('emonfeed')
                . ", which makes no backups yet.\nInstall a newer one";
        } else {
            $what = 'this PHP (' . PHP_BINARY . ', ' . PHP_VERSION . ') has no extension emonfeed.'
                . "\nInstall it";
        }
        $version = PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION;
        throw new CannotBackUp("$what; in the folder of emonfeed's source:
    make php
    sudo make install-php
    echo extension=emonfeed | sudo tee /etc/php/$version/mods-available/emonfeed.ini
    sudo phpenmod emonfeed", self::FAILED);
    }

    private function __construct(array $settings)
    {
        $this->settings = $settings;
        $this->destination = new FeedPlace('backupfeedname', $settings['backupfeedname']);
        $this->places[self::MYSQL] = new FeedPlace('primaryfeedname', $settings['primaryfeedname']);
        if ($settings['phptimeseriesfeedname']) {
            $this->places[self::PHPTIMESERIES] =
                new FeedPlace('phptimeseriesfeedname', $settings['phptimeseriesfeedname']);
        }
        foreach ($this->places as $place) {
            if ($place->prefix !== $this->destination->prefix) {
                throw new CannotBackUp(
                    "the settings call a feed $place->prefix\$feedid.MYD in $place->folder, but"
                    . " {$this->destination->prefix}\$feedid.MYD in {$this->destination->folder}.\n"
                    . 'A copy has the name of its feed: make them the same.',
                    self::USAGE
                );
            }
        }
        // Not made here: the folder may be missing because its disk is.
        if (!is_dir($this->destination->folder)) {
            throw new CannotBackUp(
                "there is no folder {$this->destination->folder}, where the copies go"
                . " (\$backupfeedname).\nMount the backup disk. If it is mounted, make the folder:"
                . " mkdir -p {$this->destination->folder}",
                self::FAILED
            );
        }
    }

    private function run(): int
    {
        $this->look_at_destination();
        try {
            $feeds = $this->feeds();
        } catch (CannotBackUp $no_list) {
            // Rather a backup without names than none.
            self::complain($no_list->getMessage() . "\nAll feeds that have a file are backed up"
                . ' without it; which feeds there should be is not known.');
            $this->incomplete = true;
            $feeds = null;
        }
        foreach ($this->places as $engine => $place) {
            if ($feeds === null) {
                $this->back_up($place, null);
            } elseif (isset($feeds[$engine])) {
                $this->back_up($place, $feeds[$engine]);
            }
        }
        if (!$this->incomplete) {
            return self::OK;
        }
        return $this->done > 0 ? self::INCOMPLETE : self::FAILED;
    }

    /**
     * The feeds emoncms has, by the engine that keeps them.
     *
     * @return array<int, array<int, string>> their names by engine and id
     */
    private function feeds(): array
    {
        $feeds = [];
        foreach ($this->rows() as $row) {
            $feeds[(int)$row['engine']][(int)$row['id']] = (string)$row['name'];
        }
        if ($feeds === []) {
            self::complain('the table `feeds` lists no feed that MySQL or PHPTimeSeries keeps, so'
                . " there is nothing to back up.\nIs \$database the right one? For PHPFina feeds"
                . ' there is the command `emonfeed backup`.');
            $this->incomplete = true;
        }
        $elsewhere = array_keys($feeds[self::PHPTIMESERIES] ?? []);
        if ($elsewhere !== [] && $this->settings['phptimeseriesfeedname'] === '') {
            self::complain(self::count($elsewhere) . ' of PHPTimeSeries left out ('
                . self::ranges($elsewhere) . ").\nSay where their files are"
                . ' ($phptimeseriesfeedname), or that it is meant so (false).');
            $this->incomplete = true;
        }
        return $feeds;
    }

    /** @return array<int, array<string, mixed>> id, name and engine of each feed */
    private function rows(): array
    {
        if (!class_exists('mysqli')) {
            throw new CannotBackUp('the list of feeds cannot be read: this PHP has no mysqli'
                . ' (apt-get install php-mysql).');
        }
        mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
        try {
            $server = mysqli_init();
            // A server that hangs must not keep the feeds from being backed up.
            $server->options(MYSQLI_OPT_CONNECT_TIMEOUT, 15);
            $server->options(MYSQLI_OPT_READ_TIMEOUT, 60);
            // Where it fails it warns besides it throws.
            @$server->real_connect(
                $this->settings['server'],
                $this->settings['username'],
                $this->settings['password'],
                $this->settings['database']
            );
            $server->set_charset('utf8mb4');
            // emoncms of July 2013 has no such column: all its feeds are tables.
            if ($server->query("SHOW COLUMNS FROM feeds LIKE 'engine'")->num_rows > 0) {
                $query = 'SELECT id, name, engine FROM feeds WHERE engine IN (0, 2) ORDER BY id';
            } else {
                $query = 'SELECT id, name, 0 AS engine FROM feeds WHERE datatype = 1 ORDER BY id';
            }
            return $server->query($query)->fetch_all(MYSQLI_ASSOC);
        } catch (mysqli_sql_exception $failed) {
            throw new CannotBackUp("the list of feeds cannot be read from the database"
                . " \"{$this->settings['database']}\" on {$this->settings['server']}: "
                . $failed->getMessage() . "\nIs the server running, and are \$username, \$password,"
                . ' $server and $database right?');
        }
    }

    /**
     * Backs up the feeds in one folder.
     *
     * @param array<int, string>|null $feeds names by id; null for all that are there
     */
    private function back_up(FeedPlace $place, ?array $feeds): void
    {
        $options = [
            'prefix' => $place->prefix,
            'same_device' => (bool)$this->settings['samedevice'],
            'require_mount' => !$this->settings['samedevice'],
            'trust_owner' => $this->others,
        ];
        if ((string)$this->settings['bwlimit'] !== '') {
            $options['bwlimit'] = (string)$this->settings['bwlimit'];
        }
        if ($feeds !== null) {
            $options['only'] = self::ranges(array_keys($feeds));
        }
        $destination = $this->destination->folder;
        if ($place !== $this->places[self::MYSQL]) {
            // A feed that was converted has a file of the same name in both.
            $destination .= '/' . basename($place->folder);
        }
        $seen = [];
        try {
            $backup = new Emonfeed\Backup($place->folder, $destination, $options);
            foreach ($backup as $file => $report) {
                $seen[(int)$report['feed']] = true;
                // Without the list there is no telling whether it should be there.
                if ($feeds !== null || $report['outcome'] !== 'source-gone') {
                    $existed = is_file("$destination/$file");
                    $this->tell($report, $feeds[(int)$report['feed']] ?? '?', $existed);
                }
            }
            $backup->close();
        } catch (Emonfeed\Exception $failed) {
            if ($failed->getCode() === Emonfeed\Exception::LOCKED) {
                throw new CannotBackUp($failed->getMessage(), self::LOCKED);
            }
            self::complain($failed->getMessage());
            $this->incomplete = true;
            return;
        } catch (ValueError $wrong) {
            throw new CannotBackUp('a setting is wrong: ' . $wrong->getMessage(), self::USAGE);
        }
        $missing = array_keys(array_diff_key($feeds ?? [], $seen));
        if ($missing !== []) {
            self::complain(self::count($missing) . " in emoncms's list without a file in"
                . " $place->folder (" . self::ranges($missing) . ").\nIs that the right folder?"
                . ' Feeds that have nothing but a name can be deleted in emoncms.');
            $this->incomplete = true;
        }
    }

    /** Warns of what `emonfeed backup` would refuse, but lines in cron may rely on. */
    private function look_at_destination(): void
    {
        $folder = $this->destination->folder;
        $copies = stat($folder);
        // Asked here too, for the sake of the folder in it.
        if (($copies['mode'] & 0022) !== 0) {
            throw new CannotBackUp(
                "others can write to $folder, so that what is in it cannot be trusted.\n"
                . "Close it to them: chmod go-w $folder",
                self::FAILED
            );
        }
        $same = array_filter(
            array_merge(['/'], array_column($this->places, 'folder')),
            function (string $other) use ($copies): bool {
                $stat = @stat($other);
                return $stat && $stat['dev'] === $copies['dev'];
            }
        );
        if ($same !== [] && $this->settings['samedevice']) {
            self::complain("warning: $folder is on the same disk as " . implode(', ', $same)
                . ", and lost with it.\nIs the backup disk mounted?");
        }
        $me = function_exists('posix_geteuid') ? posix_geteuid() : 0;
        $this->others = !in_array($copies['uid'], [0, $me], true);
        if ($this->others) {
            self::complain("warning: $folder belongs to another user (number {$copies['uid']}), who"
                . ' can exchange the copies.');
        }
    }

    /** Prints what became of one feed. */
    private function tell(array $report, string $name, bool $existed): void
    {
        $done = in_array($report['outcome'], self::DONE, true);
        $this->done += (int)$done;
        $feed = "feed {$report['feed']}:" . self::printable($name);
        $this->lines++;
        echo "$this->lines ", $existed && $report['outcome'] !== 'created' ? 'E ' : '- ';
        echo !$done ? '!! ' : ($report['outcome'] === 'unchanged' ? '-- ' : 'DN '), $feed;
        $bytes = $report['bytes_copied'] + ($report['bytes_overwritten'] ?? 0);
        if ($bytes > 0) {
            $rate = $bytes / max($report['seconds'], 1e-6) / 1000;
            echo ' ', number_format($rate, 0), " kB/s ($bytes)";
        }
        echo self::remarks($report), "\n";
        if (!$done) {
            self::complain("$feed is not backed up: " . ($report['message'] ?: $report['outcome']));
            $this->incomplete = true;
        }
    }

    /** What the old script did not know of, behind its line. */
    private static function remarks(array $report): string
    {
        $remarks = '';
        if ($report['adopted']) {
            $remarks .= ', carries on a copy that was here';
        }
        if ($report['bytes_repaired'] > 0) {
            $remarks .= ", {$report['bytes_repaired']} torn bytes cut off";
        }
        if ($report['kept'] !== null) {
            $remarks .= ', the copy before is kept as ' . basename($report['kept']);
        }
        return $remarks;
    }

    private static function complain(string $text): void
    {
        fwrite(STDERR, 'backup.php: ' . $text . "\n");
    }

    /** A name on one line, without what could steer a terminal. */
    private static function printable(string $text): string
    {
        return preg_replace('/[\x00-\x1f\x7f]|\xc2[\x80-\x9f]/', ' ', $text);
    }

    private static function count(array $feeds): string
    {
        return count($feeds) . (count($feeds) === 1 ? ' feed' : ' feeds');
    }

    /** @param int[] $ids as text: 1-3,7 */
    private static function ranges(array $ids): string
    {
        sort($ids);
        $ranges = [];
        foreach ($ids as $id) {
            $last = count($ranges) - 1;
            if ($last >= 0 && $ranges[$last][1] === $id - 1) {
                $ranges[$last][1] = $id;
            } else {
                $ranges[] = [$id, $id];
            }
        }
        return implode(',', array_map(function (array $range): string {
            return implode('-', array_unique($range));
        }, $ranges));
    }
}
