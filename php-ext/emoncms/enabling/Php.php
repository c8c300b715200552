<?php
// SPDX-License-Identifier: AGPL-3.0-or-later
//
// One PHP that may serve emoncms: PHP-FPM or Apache's module with their own
// settings, or else the PHP of the command line.

final class EnablePhp
{
    private const WEB = ['fpm', 'apache2', 'cgi', 'litespeed'];

    /** @var int[] its running workers */
    private array $workers = [];

    private function __construct(
        public string $version,
        public string $sapi,
        /** Folder with php.ini and conf.d; null: whatever this PHP here takes. */
        public ?string $folder
    ) {
    }

    /**
     * Those that run; if none does, those that are installed; if none is, this one.
     *
     * @return self[]
     */
    public static function serving(string $etc): array
    {
        $all = [];
        foreach (glob("$etc/*/*/php.ini") ?: [] as $ini) {
            $sapi = basename(dirname($ini));
            if (in_array($sapi, self::WEB, true)) {
                $all[] = $php = new self(basename(dirname($ini, 2)), $sapi, dirname($ini));
                $php->workers = self::workers_of($php->process());
            }
        }
        $run = array_values(array_filter($all, fn ($php) => $php->workers !== []));
        return $run ?: $all ?: [new self(PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION, 'cli', null)];
    }

    public function name(): string
    {
        return "PHP $this->version $this->sapi";
    }

    /** The name that its running processes have; '' if it is not one that is loaded. */
    private function process(): string
    {
        if ($this->sapi === 'fpm') {
            return "php-fpm$this->version";
        }
        return $this->sapi === 'apache2' && is_file("/etc/apache2/mods-enabled/php$this->version.load") ? 'apache2' : '';
    }

    /** @return int[] process ids; the first process of such a server is root's and serves nothing */
    private static function workers_of(string $process): array
    {
        $found = [];
        foreach ($process === '' ? [] : (glob('/proc/[0-9]*') ?: []) as $folder) {
            if (trim((string) @file_get_contents("$folder/comm")) === $process && @fileowner($folder) > 0) {
                $found[] = (int) basename($folder);
            }
        }
        return $found;
    }

    /** The user that serves; null if none runs. */
    public function user(): ?string
    {
        $uid = $this->workers === [] ? false : @fileowner('/proc/' . $this->workers[0]);
        return $uid ? (posix_getpwuid($uid)['name'] ?? null) : null;
    }

    /** Whether a worker runs that was started before the extension was switched on. */
    public function started_without(): bool
    {
        foreach ($this->workers as $worker) {
            $maps = @file_get_contents("/proc/$worker/maps");
            if ($maps && !str_contains($maps, '/emonfeed.so')) {
                return true;
            }
        }
        return false;
    }

    /** @return string[] the command that restarts it, if it runs */
    public function restart(): array
    {
        $service = $this->sapi === 'fpm' ? "php$this->version-fpm" : 'apache2';
        return $this->workers === [] ? [] : [EnableAccess::sudo() . "systemctl restart $service"];
    }

    /** @return string[] the commands that switch the extension on, once its file is there */
    public function switch_on(): array
    {
        $sudo = EnableAccess::sudo();
        if ($this->folder === null) {
            $conf = PHP_CONFIG_FILE_SCAN_DIR ?: dirname((string) php_ini_loaded_file());
            return ["echo extension=emonfeed | {$sudo}tee " . EnableAccess::quoted("$conf/20-emonfeed.ini")];
        }
        if ($this->folder !== "/etc/php/$this->version/$this->sapi" || EnableAccess::program('phpenmod') === null) {
            return ["echo extension=emonfeed | {$sudo}tee " . EnableAccess::quoted("$this->folder/conf.d/20-emonfeed.ini"), ...$this->restart()];
        }
        $available = "/etc/php/$this->version/mods-available/emonfeed.ini";
        return [
            ...(is_file($available) ? [] : ["echo extension=emonfeed | {$sudo}tee $available"]),
            "{$sudo}phpenmod -v $this->version -s $this->sapi emonfeed",
            ...$this->restart(),
        ];
    }

    public function ini(): string
    {
        return $this->folder === null ? (string) php_ini_loaded_file() : "$this->folder/php.ini";
    }

    /**
     * What the probe answers, in this PHP; 'failed' says why it did not.
     *
     * @param array{name: string, uid: int, gid: int}|null $user whom to become
     */
    public function ask(array $job, ?array $user, array $set = []): array
    {
        $binary = $this->binary();
        if ($binary === null) {
            return ['failed' => "there is no program php$this->version to look with (Debian: php$this->version-cli)"];
        }
        $environment = getenv();
        $command = [$binary];
        if ($this->folder !== null) {
            $environment['PHP_INI_SCAN_DIR'] = "$this->folder/conf.d";
            array_push($command, '-c', "$this->folder/php.ini");
        }
        foreach ($set + ['display_errors' => 'stderr', 'log_errors' => '0', 'html_errors' => '0'] as $name => $value) {
            array_push($command, '-d', "$name=$value");
        }
        // By -r, as open_basedir may forbid our folder, and the user may not see it.
        $program = substr(EnableFile::read(__DIR__ . '/Probe.php'), strlen('<?php'));
        [$code, $output, $said] = EnableProcess::run([...$command, '-r', $program], json_encode(['user' => $user] + $job), $environment);
        if (!preg_match('/^emonfeed-probe:(.*)$/m', $output, $match)) {
            return ['failed' => preg_replace('/\s+/', ' ', $said) ?: "PHP ended with $code"];
        }
        return json_decode($match[1], true) + ['said' => $said];
    }

    private function binary(): ?string
    {
        if ($this->version === PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION) {
            return PHP_BINARY;
        }
        return EnableAccess::program("php$this->version");
    }
}
