<?php
// The files for emoncms are programs of PHP 8.1: read by each PHP 8 that is
// here, and without what came later.

require __DIR__ . '/harness.php';

$folder = dirname(__DIR__, 2) . '/php-ext/emoncms';
$files = array_merge(["$folder/enable"], glob("$folder/*.php"), glob("$folder/enabling/*.php"));
check_that('all files are looked at', count($files) > 15);
$programs = array_merge([PHP_BINARY], array_filter(array_map(
    fn ($minor) => trim((string)shell_exec("command -v php8.$minor")),
    range(1, 9)
)));

/** What PHP 8.2 and later brought, as tokens in a row. */
const LATER = [
    'a readonly class' => [[T_READONLY, T_CLASS], [T_READONLY, T_FINAL, T_CLASS], [T_FINAL, T_READONLY, T_CLASS]],
    'a constant with a type' => [[T_CONST, T_STRING, T_STRING], [T_CONST, T_ARRAY, T_STRING]],
    'a constant by a computed name' => [[T_DOUBLE_COLON, '{']],
];

foreach ($files as $file) {
    $name = substr($file, strlen($folder) + 1);
    foreach (array_unique($programs) as $program) {
        exec(escapeshellarg($program) . ' -n -d error_reporting=-1 -d display_errors=1 -l ' . escapeshellarg($file) . ' 2>&1', $said, $code);
        check("$program -l $name", [0, "No syntax errors detected in $file"], [$code, trim(implode("\n", $said))]);
        $said = [];
    }
    $tokens = array_values(array_filter(PhpToken::tokenize(file_get_contents($file)), fn ($token) => !$token->isIgnorable()));
    $later = [];
    $in_trait = false;
    foreach ($tokens as $i => $token) {
        $in_trait = $in_trait || $token->is(T_TRAIT);
        if ($in_trait && $token->is(T_CONST)) {
            $later[] = "line $token->line: a constant in a trait";
        }
        foreach (LATER as $what => $rows) {
            foreach ($rows as $row) {
                $same = array_filter(array_keys($row), fn ($n) => isset($tokens[$i + $n]) && $tokens[$i + $n]->is($row[$n]));
                if (count($same) === count($row)) {
                    $later[] = "line $token->line: $what";
                }
            }
        }
    }
    check("$name: nothing that PHP 8.1 does not know", [], $later);
}
finish();
