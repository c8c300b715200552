<?php
// What every test of the classes for emoncms begins with: checks that count
// themselves and say where something differs, a connection to the private
// server, and programs of PHP run in a process of their own.
//
//     require __DIR__ . '/harness.php';
//     check('what is asked', $expected, $got);
//     finish();

set_error_handler(function (int $level, string $message, string $file, int $line): bool {
    if (!(error_reporting() & $level)) {
        return false;
    }
    throw new ErrorException($message, 0, $level, $file, $line);
});

register_shutdown_function(function (): void {
    if (!Checks::$finished) {
        Checks::say(sprintf('it ended before its end, after %d checks', Checks::$passed + Checks::$failed));
        exit(1);
    }
});

final class Checks
{
    public static int $passed = 0;
    public static int $failed = 0;
    public static bool $finished = false;
    /** So many differences are shown; the rest is counted. */
    private const SHOWN = 25;

    public static function count(string $what, ?string $difference): bool
    {
        if ($difference === null) {
            self::$passed++;
            return true;
        }
        if (self::$failed++ < self::SHOWN) {
            echo "  $what\n    $difference\n";
        }
        return false;
    }

    public static function say(string $text): void
    {
        echo basename($_SERVER['argv'][0]), ': ', $text, "\n";
    }
}

/**
 * Both must be identical: types, keys and their order included. Two floats
 * that differ are judged by $alike(expected, got) where it is given.
 */
function check(string $what, $expected, $got, ?callable $alike = null): bool
{
    return Checks::count($what, difference($expected, $got, $alike));
}

function check_that(string $what, bool $it_is_so): bool
{
    return Checks::count($what, $it_is_so ? null : 'is not so');
}

/** The text or object of what $act throws must be of $class and hold $text. */
function check_throws(string $what, string $class, string $text, callable $act): bool
{
    try {
        $act();
    } catch (Throwable $thrown) {
        $as_it_should = $thrown instanceof $class && ($text === '' || strpos($thrown->getMessage(), $text) !== false);
        return Checks::count($what, $as_it_should ? null : 'threw ' . get_class($thrown) . ': ' . $thrown->getMessage());
    }
    return Checks::count($what, 'threw nothing');
}

/** The last call of every test: says how many checks there were, and exits. */
function finish(): void
{
    Checks::$finished = true;
    if (Checks::$failed > 0 || Checks::$passed === 0) {
        Checks::say(sprintf('%d of %d checks FAILED', Checks::$failed, Checks::$failed + Checks::$passed));
        exit(1);
    }
    Checks::say(sprintf('%d checks, all well', Checks::$passed));
    exit(0);
}

/** Where two values differ first, in words; null if they do not. */
function difference($expected, $got, ?callable $alike = null, string $at = ''): ?string
{
    if ($expected === $got) {
        return null;
    }
    if (is_float($expected) && is_float($got)) {
        if (is_nan($expected) && is_nan($got) || $alike !== null && $alike($expected, $got)) {
            return null;
        }
    } elseif (is_array($expected) && is_array($got)) {
        return difference_of_members($expected, $got, $alike, $at);
    } elseif (is_object($expected) && is_object($got) && get_class($expected) === get_class($got)) {
        return difference_of_members(get_object_vars($expected), get_object_vars($got), $alike, $at);
    }
    return sprintf('%sexpected %s, got %s', $at === '' ? '' : "at $at: ", brief($expected), brief($got));
}

function difference_of_members(array $expected, array $got, ?callable $alike, string $at): ?string
{
    foreach ($expected as $key => $value) {
        if (!array_key_exists($key, $got)) {
            return sprintf('%s has no [%s]: expected %s', $at === '' ? 'it' : $at, $key, brief($value));
        }
        $difference = difference($value, $got[$key], $alike, "{$at}[$key]");
        if ($difference !== null) {
            return $difference;
        }
    }
    foreach ($got as $key => $value) {
        if (!array_key_exists($key, $expected)) {
            return sprintf('%s has one more, [%s]: %s', $at === '' ? 'it' : $at, $key, brief($value));
        }
    }
    if (array_keys($expected) !== array_keys($got)) {
        return sprintf('%s has its keys in another order: %s', $at === '' ? 'it' : $at, brief(array_keys($got)));
    }
    return null;
}

/** A value as PHP would write it, with all digits, cut where it is long. */
function brief($value): string
{
    $text = is_object($value) ? get_class($value) . ' ' . json_encode($value) : var_export($value, true);
    $text = preg_replace('/\s+/', ' ', $text);
    return strlen($text) > 300 ? substr($text, 0, 300) . ' …' : $text;
}

/** Equal but for what double precision leaves of a sum: 1e-9 of the larger. */
function nearly(float $expected, float $got): bool
{
    return abs($expected - $got) <= 1e-9 * max(abs($expected), abs($got));
}

/** Equal to as many digits as SQL prints of a FLOAT. */
function six_digits(float $expected, float $got): bool
{
    return sprintf('%.5e', $expected) === sprintf('%.5e', $got);
}

/** A new connection to the database emoncms of the private server. */
function connect(): mysqli
{
    return new mysqli('localhost', 'root', '', 'emoncms');
}

/** The server of a connection, as NativeMysqlTimeSeries is told it. */
function server_of(mysqli $db): string
{
    return $db->host_info . ', ' . $db->query('SELECT CONCAT(@@datadir, DATABASE())')->fetch_row()[0];
}

/** A new, empty folder below the one of this run, which is removed at its end. */
function new_folder(string $name): string
{
    static $count = 0;
    $folder = sprintf('%s/%s-%d-%d/', getenv('EMONFEED_TEST_FOLDER'), $name, getmypid(), ++$count);
    mkdir($folder);
    return $folder;
}

/** The folder of the database's tables, as a class for emoncms is told it. */
function table_folder(): string
{
    return getenv('EMONFEED_TEST_DATA');
}

/**
 * Runs PHP in a process of its own: a program, or code after -r.
 *
 * @return array{0: string, 1: string, 2: int} its output, its errors, its exit code
 */
function run_php(array $arguments, string $input = ''): array
{
    $errors = tmpfile();
    $process = proc_open(
        array_merge([PHP_BINARY], $arguments),
        [0 => ['pipe', 'r'], 1 => ['pipe', 'w'], 2 => $errors],
        $pipes
    );
    fwrite($pipes[0], $input);
    fclose($pipes[0]);
    $output = stream_get_contents($pipes[1]);
    fclose($pipes[1]);
    $code = proc_close($process);
    rewind($errors);
    return [$output, stream_get_contents($errors), $code];
}
