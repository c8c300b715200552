<?php

declare(strict_types=1);

namespace Emonfeed\Explore;

/** A request that may be answered, and its parameters. */
final class Request
{
    /** The years 2 to 9998, which calendars and CSV can show. */
    private const FIRST_SECOND = -62_100_000_000;
    private const LAST_SECOND = 253_370_000_000;

    private function __construct(
        public readonly string $path,
        public readonly bool $wants_body,
        private readonly array $parameters,
    ) {
    }

    /** What PHP has received; $bound is the address that the server listens on. */
    public static function received(string $bound): self
    {
        $method = $_SERVER['REQUEST_METHOD'] ?? '';
        if ($method !== 'GET' && $method !== 'HEAD') {
            throw new Refused(405, 'this page only reads: GET and HEAD', ['Allow: GET, HEAD']);
        }
        if (!is_own_name($_SERVER['HTTP_HOST'] ?? '', $bound)) {
            throw new Refused(403, 'this server does not go by that name; open it by its address, or have it listen on that name (HOST=, --host)');
        }
        $path = explode('?', $_SERVER['REQUEST_URI'] ?? '', 2)[0];
        // Another site may link to the page, but not make the browser ask for more.
        $site = $_SERVER['HTTP_SEC_FETCH_SITE'] ?? 'none';
        if ($path !== '/' && $site !== 'same-origin' && $site !== 'none') {
            throw new Refused(403, 'another site asked for this');
        }
        $given = $_GET['key'] ?? null;
        if ($path === '/' && is_key($given)) {
            // Without the key, so that the address of a view can be given away.
            throw new Refused(303, 'the page is at /', ['Location: /', key_cookie()]);
        }
        if (!is_key($_COOKIE[cookie_name()] ?? null)) {
            throw new Refused(403, 'open the address that was printed when this page was started: it holds a key');
        }
        return new self($path, $method === 'GET', $_GET);
    }

    public function text(string $name): string
    {
        $value = $this->parameters[$name] ?? null;
        if (!is_string($value)) {
            throw new Refused(400, "the parameter $name is missing");
        }
        return $value;
    }

    public function number(string $name, int $least, int $most): int
    {
        $text = $this->text($name);
        if (!preg_match('/^-?[0-9]{1,13}$/D', $text) || (int) $text < $least || (int) $text > $most) {
            throw new Refused(400, "the parameter $name must be a whole number from $least to $most");
        }
        return (int) $text;
    }

    /** @param list<string> $known */
    public function word(string $name, array $known): string
    {
        $text = $this->text($name);
        if (!in_array($text, $known, true)) {
            throw new Refused(400, "the parameter $name must be one of " . implode(', ', $known));
        }
        return $text;
    }

    /**
     * The parameters from and to, Unix seconds.
     *
     * @return array{int, int}
     */
    public function range(): array
    {
        $from = $this->number('from', self::FIRST_SECOND, self::LAST_SECOND);
        return [$from, $this->number('to', $from, self::LAST_SECOND)];
    }

    /** The parameter zone. */
    public function zone(): \DateTimeZone
    {
        $name = $this->text('zone');
        // Where PHP has the zones of the system, their names are those of files.
        if (!in_array($name, \DateTimeZone::listIdentifiers(\DateTimeZone::ALL_WITH_BC), true)) {
            throw new Refused(400, 'the parameter zone must be the name of a time zone, such as Europe/London');
        }
        return new \DateTimeZone($name);
    }
}

/** Whether it is what only the account knows that started this page. */
function is_key(mixed $given): bool
{
    return is_string($given) && hash_equals((string) getenv('EMONFEED_EXPLORE_KEY'), $given);
}

/** Browsers send cookies to all ports of a host, behind which other machines can be. */
function cookie_name(): string
{
    return 'emonfeed-' . substr(hash('sha256', (string) getenv('EMONFEED_EXPLORE_KEY')), 0, 8);
}

function key_cookie(): string
{
    return 'Set-Cookie: ' . cookie_name() . '=' . getenv('EMONFEED_EXPLORE_KEY') . '; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax';
}

/**
 * Whether a browser that asks for $host means this server. A site whose name
 * was made to lead here has a name of its own; that is how it shows.
 */
function is_own_name(string $host, string $bound): bool
{
    $name = strtolower((string) preg_replace('/:[0-9]{1,5}$/D', '', $host));
    $address = filter_var(trim($name, '[]'), FILTER_VALIDATE_IP);
    if ($name === 'localhost' || $address === '::1' || ($address && str_starts_with($address, '127.'))) {
        return true;
    }
    return !is_loopback($bound) && ($address || in_array($name, [strtolower($bound), strtolower((string) gethostname())], true));
}

function is_loopback(string $bound): bool
{
    return in_array(trim($bound, '[]'), ['localhost', '::1'], true) || str_starts_with($bound, '127.');
}
