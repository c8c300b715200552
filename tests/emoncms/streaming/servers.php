<?php
// Two servers that run PHP, and what it takes to ask them. Both write what
// they have to say into files of this run.

/** Before a command: it ends when the test does, even if that is killed. */
const ENDS_WITH_TEST = ['setpriv', '--pdeathsig', 'TERM'];

/** A web server's side of FastCGI: one request, its answer in pieces. */
final class FastCgi
{
    private const BEGIN_REQUEST = 1;
    private const END_REQUEST = 3;
    private const PARAMS = 4;
    private const STDIN = 5;
    private const STDOUT = 6;
    private const STDERR = 7;

    /** @var resource */
    private $socket;
    public string $errors = '';

    /** @param array<string, string> $parameters of CGI */
    public function __construct(string $address, array $parameters)
    {
        $this->socket = stream_socket_client($address);
        $text = '';
        foreach ($parameters as $name => $value) {
            $text .= pack('NN', strlen($name) | 0x80000000, strlen($value) | 0x80000000) . $name . $value;
        }
        $responder = pack('nCx5', 1, 0);
        fwrite($this->socket, self::record(self::BEGIN_REQUEST, $responder)
            . self::record(self::PARAMS, $text) . self::record(self::PARAMS, '') . self::record(self::STDIN, ''));
    }

    /** The next piece of the answer, headers included; null at its end. */
    public function read(): ?string
    {
        for (;;) {
            $header = unpack('Cversion/Ctype/nid/nlength/Cpadding', $this->bytes(8));
            $content = $this->bytes($header['length']);
            $this->bytes($header['padding']);
            if ($header['type'] === self::END_REQUEST) {
                return null;
            }
            if ($header['type'] === self::STDOUT && $content !== '') {
                return $content;
            }
            if ($header['type'] === self::STDERR) {
                $this->errors .= $content;
            }
        }
    }

    /** As a browser does that goes away. */
    public function close(): void
    {
        fclose($this->socket);
    }

    private static function record(int $type, string $content): string
    {
        return pack('CCnnCx', 1, $type, 1, strlen($content), 0) . $content;
    }

    private function bytes(int $length): string
    {
        $bytes = $length > 0 ? stream_get_contents($this->socket, $length) : '';
        if (strlen($bytes) !== $length) {
            throw new RuntimeException("PHP-FPM hung up: $this->errors");
        }
        return $bytes;
    }
}

/** The PHP-FPM of this PHP's version, installed or in target/ as tests/setup.sh puts it there. */
function fpm_program(): string
{
    $version = PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION;
    $folders = explode(PATH_SEPARATOR, (string)getenv('PATH'));
    $folders[] = __DIR__ . '/../../../target/php-fpm/usr/sbin';
    foreach ($folders as $folder) {
        foreach (["php-fpm$version", 'php-fpm'] as $name) {
            if (is_executable("$folder/$name") && strpos((string)shell_exec(escapeshellarg("$folder/$name") . ' -v'), "PHP $version.") === 0) {
                return "$folder/$name";
            }
        }
    }
    throw new RuntimeException("There is no php-fpm of PHP $version: run sh tests/setup.sh test");
}

/** PHP-FPM with as many workers all the time, for as long as the object lives. */
final class Fpm
{
    /** @var resource */
    private $process;
    private string $folder;
    private string $page;

    /** @param list<string> $before a command that the program is run by */
    public function __construct(string $program, string $page, int $workers = 1, array $before = [])
    {
        $this->page = $page;
        $this->folder = new_folder('fpm');
        $settings = [
            '[global]', 'error_log = fpm.log', 'daemonize = no',
            '[test]', 'listen = sock', 'pm = static', "pm.max_children = $workers", 'catch_workers_output = yes',
        ];
        $command = [...$before, ...ENDS_WITH_TEST, $program, '--prefix', $this->folder, '--fpm-config', "{$this->folder}fpm.conf", '--nodaemonize'];
        if (posix_geteuid() === 0) {
            array_push($settings, 'user = root', 'group = root');
            $command[] = '--allow-to-run-as-root';
        }
        file_put_contents("{$this->folder}fpm.conf", implode("\n", $settings) . "\n");
        $null = ['file', '/dev/null', 'r'];
        $this->process = proc_open($command, [$null, ['file', "{$this->folder}out", 'w'], ['redirect', 1]], $pipes);
        while (!file_exists("{$this->folder}sock")) {
            if (!proc_get_status($this->process)['running']) {
                throw new RuntimeException("$program did not start: " . file_get_contents("{$this->folder}out"));
            }
            usleep(20000);
        }
    }

    public function __destruct()
    {
        proc_terminate($this->process);
        proc_close($this->process);
    }

    /** What it wrote about its workers: among other things, which of them died. */
    public function log(): string
    {
        return file_get_contents("{$this->folder}fpm.log");
    }

    public function ask(array $request, array $settings = []): FastCgi
    {
        return new FastCgi("unix://{$this->folder}sock", [
            'SCRIPT_FILENAME' => $this->page,
            'REQUEST_METHOD' => 'GET',
            'SERVER_PROTOCOL' => 'HTTP/1.1',
            'QUERY_STRING' => http_build_query(['request' => json_encode($request)]),
            'PHP_ADMIN_VALUE' => implode("\n", $settings),
        ]);
    }

    /** @return array{0: string, 1: Text} headers and text */
    public function whole(array $request, array $settings): array
    {
        $answer = $this->ask($request, $settings);
        $begin = '';
        while (($end_of_headers = strpos($begin, "\r\n\r\n")) === false) {
            $begin .= $answer->read();
        }
        $text = new Text((function () use ($answer, $begin, $end_of_headers) {
            yield substr($begin, $end_of_headers + 4);
            while (($piece = $answer->read()) !== null) {
                yield $piece;
            }
        })());
        return [substr($begin, 0, $end_of_headers), $text];
    }
}

/** `php -S`, for as long as the object lives. */
final class BuiltInServer
{
    /** @var resource */
    private $process;
    private string $address;

    public function __construct(string $page)
    {
        // The port is free now; should another program take it meanwhile, php says so and ends.
        $probe = stream_socket_server('tcp://127.0.0.1:0');
        $this->address = stream_socket_get_name($probe, false);
        fclose($probe);
        $log = new_folder('server') . 'log';
        $null = ['file', '/dev/null', 'r'];
        $this->process = proc_open([...ENDS_WITH_TEST, PHP_BINARY, '-S', $this->address, $page], [$null, ['file', $log, 'w'], ['redirect', 1]], $pipes);
        while (!is_resource($socket = @stream_socket_client("tcp://$this->address"))) {
            if (!proc_get_status($this->process)['running']) {
                throw new RuntimeException('php -S did not start: ' . file_get_contents($log));
            }
            usleep(20000);
        }
        fclose($socket);
    }

    public function __destruct()
    {
        proc_terminate($this->process);
        proc_close($this->process);
    }

    /** @return resource the answer, to be read */
    public function ask(array $request)
    {
        $query = http_build_query(['request' => json_encode($request)]);
        $socket = stream_socket_client("tcp://$this->address");
        fwrite($socket, "GET /?$query HTTP/1.0\r\n\r\n");
        return $socket;
    }
}
