<?php
// SPDX-License-Identifier: AGPL-3.0-or-later
//
// The change that `enable` makes in Feed::EngineClass, and takes back.

/** What stops `enable`; the message is for people. */
final class EnableError extends RuntimeException
{
}

/**
 * A text of feed_model.php. It is read by its structure, so that spaces,
 * comments and arguments may vary from one emoncms to the next:
 *
 *     case (string)Engine::MYSQL :
 *         require_once "Modules/feed/engine/MysqlTimeSeries.php";
 *         $engines[$e] = new MysqlTimeSeries(...);
 *         break;
 *
 * A second require and another class name are put in. Whatever does not look
 * exactly like that, or like that with our change, is refused.
 */
final class EnablePatch
{
    /** Name on the command line => constant of class Engine, class of emoncms, engine in the table feeds. */
    public const ENGINES = [
        'mysql' => ['MYSQL', 'MysqlTimeSeries', 0],
        'phptimeseries' => ['PHPTIMESERIES', 'PHPTimeSeries', 2],
    ];
    private const MARK = '// emonfeed';
    private const REQUIRES = [T_REQUIRE, T_REQUIRE_ONCE, T_INCLUDE, T_INCLUDE_ONCE];

    /** @var PhpToken[] without spaces and comments */
    private array $tokens;

    public function __construct(private string $text)
    {
        $this->tokens = array_values(array_filter(PhpToken::tokenize($text), fn ($token) => !$token->isIgnorable()));
    }

    public function text(): string
    {
        return $this->text;
    }

    /**
     * What the patch of this engine says, or null where there is none.
     *
     * @return array{path: string, dir: ?string, server: ?string}|null
     */
    public function applied(string $engine): ?array
    {
        $place = $this->place($engine);
        if ($place['ours'] === null) {
            return null;
        }
        // What we would not write in just this way is not ours to take back.
        $plain = new self($this->taken_out($place));
        if ($plain->with($engine, $place['path'], $place['dir'], $place['server'])->text !== $this->text) {
            throw self::changed($engine, 'the lines of the patch were edited');
        }
        return ['path' => $place['path'], 'dir' => $place['dir'], 'server' => $place['server']];
    }

    /** The text with the patch of this engine, which replaces one that is there. */
    public function with(string $engine, string $path, ?string $dir = null, ?string $server = null): self
    {
        $place = $this->place($engine);
        if ($place['ours'] !== null) {
            return $this->without($engine)->with($engine, $path, $dir, $server);
        }
        foreach ([$path, $dir ?? '', $server ?? ''] as $value) {
            if (preg_match('/[\x00-\x1f]/', $value)) {
                throw new EnableError("A path with control characters is not written into a program: " . json_encode($value));
            }
        }
        $native = '';
        if ($dir !== null) {
            $native = sprintf("array('dir'=>%s,'server'=>%s), ", var_export($dir, true), var_export((string) $server, true));
        }
        [$at, $indent, $eol] = $this->next_line($place['require'], $place['require_end'], $engine);
        $line = $indent . 'require_once "' . addcslashes($path, '\\"$') . '"; ' . self::MARK . $eol;
        // From the end, so that the earlier position stays right.
        $text = substr_replace($this->text, 'Native' . $place['class'] . '(' . $native, $place['new'], $place['new_length']);
        return new self(substr_replace($text, $line, $at, 0));
    }

    /** The text as it was before the patch of this engine. */
    public function without(string $engine): self
    {
        if ($this->applied($engine) === null) {
            return $this;
        }
        return new self($this->taken_out($this->place($engine)));
    }

    private function taken_out(array $place): string
    {
        [$from, $length] = $place['ours'];
        $text = substr_replace($this->text, $place['class'] . '(', $place['new'], $place['new_length']);
        return substr_replace($text, '', $from, $length);
    }

    /** Where the engine is made: positions in the text, and what our patch says if it is there. */
    private function place(string $engine): array
    {
        [$constant, $class] = self::ENGINES[$engine];
        $i = 0;
        $tokens = $this->case_of($constant);
        $require = $this->require_at($tokens, $i, $engine);
        if (self::string($require['path']) !== "Modules/feed/engine/$class.php") {
            throw self::changed($engine, "it does not begin by loading Modules/feed/engine/$class.php");
        }
        $second = isset($tokens[$i]) && in_array($tokens[$i]->id, self::REQUIRES, true)
            ? $this->require_at($tokens, $i, $engine) : null;
        $new = $this->construction($tokens, $i, $engine);
        if (!in_array($new->text, [$class, "Native$class"], true)) {
            throw self::changed($engine, "it makes a {$new->text}");
        }
        $native = $new->text === "Native$class";
        if ($native !== ($second !== null)) {
            throw self::changed($engine, 'half of the patch is there');
        }
        $place = ['class' => $class, 'ours' => null, 'require' => $require['from'], 'require_end' => $require['to'],
            'new' => $new->pos, 'new_length' => strlen($class) + 1, 'path' => null, 'dir' => null, 'server' => null];
        return $native ? $this->our_lines($place, $second, $engine) : $place;
    }

    private function our_lines(array $place, array $second, string $engine): array
    {
        $from = strrpos(substr($this->text, 0, $second['from']), "\n") + 1;
        $line = '~\G[ \t]*require_once "((?:[^"\\\\]|\\\\.)*)"; ' . preg_quote(self::MARK, '~') . '\r?\n~';
        if (!preg_match($line, $this->text, $match, 0, $from)) {
            throw self::changed($engine, 'the line that loads the native engine was edited');
        }
        $place['ours'] = [$from, strlen($match[0])];
        $place['path'] = stripslashes($match[1]);
        $quoted = "('(?:[^'\\\\]|\\\\.)*')";
        $native = $engine === 'mysql' ? "array\\('dir'=>$quoted,'server'=>$quoted\\), " : '';
        if (!preg_match("~\\GNative{$place['class']}\\($native~", $this->text, $match, 0, $place['new'])) {
            throw self::changed($engine, 'the line that makes the native engine was edited');
        }
        $place['new_length'] = strlen($match[0]);
        if ($native !== '') {
            [$place['dir'], $place['server']] = [self::unquoted($match[1]), self::unquoted($match[2])];
        }
        return $place;
    }

    /** @return PhpToken[] the statements of `case ... Engine::$constant :` in Feed::EngineClass */
    private function case_of(string $constant): array
    {
        $found = [];
        $body = $this->body_of_engine_class();
        foreach ($body as $i => $token) {
            if ($token->id !== T_CASE) {
                continue;
            }
            $label = [];
            for ($j = $i + 1; isset($body[$j]) && !in_array($body[$j]->text, [':', ';'], true); $j++) {
                $label[] = $body[$j]->text;
            }
            if (array_slice($label, -3) === ['Engine', '::', $constant]
                || array_slice($label, -4) === ['Engine', '::', $constant, ')']) {
                $found[] = $j + 1;
            }
        }
        if (count($found) !== 1) {
            throw new EnableError(count($found) . " places in Feed::EngineClass read `case Engine::$constant`; one is expected.");
        }
        return self::until_end($body, $found[0]);
    }

    /** @return PhpToken[] up to the next case, or the end of the switch */
    private static function until_end(array $body, int $i): array
    {
        $statements = [];
        for ($depth = 0; isset($body[$i]); $i++) {
            $depth += self::brace($body[$i]);
            if ($depth < 0 || $depth === 0 && in_array($body[$i]->id, [T_CASE, T_DEFAULT], true)) {
                break;
            }
            $statements[] = $body[$i];
        }
        return $statements;
    }

    /** @return PhpToken[] */
    private function body_of_engine_class(): array
    {
        foreach (self::block($this->tokens, T_CLASS, 'Feed') as $class) {
            foreach (self::block($class, T_FUNCTION, 'EngineClass') as $body) {
                return $body;
            }
        }
        throw new EnableError('There is no method EngineClass in a class Feed.');
    }

    /** The insides of `class NAME {...}` or `function NAME(...) {...}`, each one. */
    private static function block(array $tokens, int $keyword, string $name): iterable
    {
        foreach ($tokens as $i => $token) {
            if ($token->id !== $keyword || strcasecmp($tokens[$i + 1]->text ?? '', $name)) {
                continue;
            }
            for ($from = $i + 2; isset($tokens[$from]) && $tokens[$from]->text !== '{'; $from++);
            for ($to = $from, $depth = 0; isset($tokens[$to]); $to++) {
                $depth += self::brace($tokens[$to]);
                if ($depth === 0) {
                    yield array_slice($tokens, $from + 1, $to - $from - 1);
                    break;
                }
            }
        }
    }

    private static function brace(PhpToken $token): int
    {
        if ($token->text === '}') {
            return -1;
        }
        return $token->text === '{' || $token->is([T_CURLY_OPEN, T_DOLLAR_OPEN_CURLY_BRACES]) ? 1 : 0;
    }

    /** Reads `require "...";` and moves $i behind it. */
    private function require_at(array $tokens, int &$i, string $engine): array
    {
        $first = $tokens[$i] ?? null;
        if ($first === null || !in_array($first->id, self::REQUIRES, true)) {
            throw self::changed($engine, 'it does not begin with a require');
        }
        $bracket = ($tokens[++$i]->text ?? '') === '(' ? 1 : 0;
        $i += $bracket;
        $path = $tokens[$i] ?? null;
        $i += 1 + $bracket;
        if ($path === null || $path->id !== T_CONSTANT_ENCAPSED_STRING || ($tokens[$i]->text ?? '') !== ';') {
            throw self::changed($engine, 'its require is not one of a plain path');
        }
        return ['from' => $first->pos, 'to' => $tokens[$i++]->pos + 1, 'path' => $path->text];
    }

    /** Reads `$a[$b] = new CLASS(...); break;` to the very end, and gives the token of CLASS. */
    private function construction(array $tokens, int $i, string $engine): PhpToken
    {
        $shape = [T_VARIABLE, '[', T_VARIABLE, ']', '=', T_NEW, T_STRING, '('];
        foreach ($shape as $n => $kind) {
            if (!isset($tokens[$i + $n]) || !$tokens[$i + $n]->is($kind)) {
                throw self::changed($engine, 'it does something else than to load and make the engine');
            }
        }
        $class = $tokens[$i + 6];
        for ($i += 7, $depth = 0; isset($tokens[$i]); $i++) {
            $depth += ['(' => 1, ')' => -1][$tokens[$i]->text] ?? 0;
            if ($depth === 0) {
                break;
            }
        }
        $rest = implode(' ', array_map(fn ($token) => $token->text, array_slice($tokens, $i)));
        if ($rest !== ') ; break ;' || $this->text[$class->pos + strlen($class->text)] !== '(') {
            throw self::changed($engine, 'it does something else than to load and make the engine');
        }
        return $class;
    }

    /** Where the line after the require begins, its indentation, and how lines end. */
    private function next_line(int $from, int $to, string $engine): array
    {
        $begin = strrpos(substr($this->text, 0, $from), "\n") + 1;
        $indent = substr($this->text, $begin, $from - $begin);
        $line = '~\G[ \t]*(?:(?://|#)[^\r\n]*|/\*[^\r\n]*?\*/[ \t]*)?(\r?\n)~';
        if (trim($indent, " \t") !== '' || !preg_match($line, $this->text, $match, 0, $to)) {
            throw self::changed($engine, 'its require does not have a line of its own');
        }
        return [$to + strlen($match[0]), $indent, $match[1]];
    }

    private static function string(string $quoted): string
    {
        return stripslashes(substr($quoted, 1, -1));
    }

    private static function unquoted(string $quoted): string
    {
        return strtr(substr($quoted, 1, -1), ["\\\\" => "\\", "\\'" => "'"]);
    }

    private static function changed(string $engine, string $how): EnableError
    {
        [$constant] = self::ENGINES[$engine];
        return new EnableError("`case Engine::$constant` in Feed::EngineClass is not as emoncms writes it: $how.");
    }
}
