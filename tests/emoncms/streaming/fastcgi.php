<?php
// A web server's side of FastCGI: one request, its answer in pieces.

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
