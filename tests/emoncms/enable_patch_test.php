<?php
// The patch of `enable`: what it recognises, what it refuses, how it writes.

require __DIR__ . '/harness.php';
foreach (['Process', 'Patch', 'File', 'Tree'] as $part) {
    require dirname(__DIR__, 2) . "/php-ext/emoncms/enabling/$part.php";
}

const NATIVE = 'Modules/feed/engine/emonfeed/Native%s.php';
$model = file_get_contents(__DIR__ . '/tree/Modules/feed/feed_model.php');

/** Both engines switched, then back; each engine alone too. */
function goes_and_comes_back(string $what, string $text): void
{
    $plain = new EnablePatch($text);
    check("$what: not applied", null, $plain->applied('mysql'));
    $mysql = $plain->with('mysql', sprintf(NATIVE, 'MysqlTimeSeries'), "/data/it's \\ here", 'Localhost via UNIX socket');
    $both = $mysql->with('phptimeseries', sprintf(NATIVE, 'PHPTimeSeries'));
    check("$what: what was applied", ['path' => sprintf(NATIVE, 'MysqlTimeSeries'), 'dir' => "/data/it's \\ here",
        'server' => 'Localhost via UNIX socket'], $both->applied('mysql'));
    check("$what: what was applied to the other", ['path' => sprintf(NATIVE, 'PHPTimeSeries'), 'dir' => null, 'server' => null],
        $both->applied('phptimeseries'));
    check("$what: again changes nothing", $both->text(),
        $both->with('mysql', sprintf(NATIVE, 'MysqlTimeSeries'), "/data/it's \\ here", 'Localhost via UNIX socket')
            ->with('phptimeseries', sprintf(NATIVE, 'PHPTimeSeries'))->text());
    check("$what: another folder replaces the first", $plain->with('mysql', 'a.php', '/b', 'c')->text(),
        $mysql->with('mysql', 'a.php', '/b', 'c')->text());
    check("$what: byte for byte back", $text, $both->without('mysql')->without('phptimeseries')->text());
    check("$what: in the other order", $text, $both->without('phptimeseries')->without('mysql')->text());
    check("$what: one alone", $mysql->text(), $both->without('phptimeseries')->text());
    check("$what: nothing to take back", $text, $plain->without('mysql')->text());
    $classes = preg_match_all('/new Native\w+/', $both->text());
    check("$what: two engines are switched, the third is as it was", [2, 1], [$classes, substr_count($both->text(), 'new MysqlMemory($this->mysqli)')]);
    check_that("$what: PHP accepts it", run_php(['-n', '-l'], $both->text())[2] === 0);
}

goes_and_comes_back('as emoncms writes it', $model);
$odd = '/srv/$x "quoted" \\ {$y}/NativeMysqlTimeSeries.php';
$with = (new EnablePatch($model))->with('mysql', $odd, '/d', 's');
check('a path with signs of PHP', [$odd, $model], [$with->applied('mysql')['path'], $with->without('mysql')->text()]);
preg_match('/require_once ("[^\n]*"); \/\/ emonfeed/', $with->text(), $line);
check('a path with signs of PHP: as PHP reads it', $odd, run_php(['-n', '-r', "echo $line[1];"])[0]);
$mysql = 'require_once "Modules/feed/engine/MysqlTimeSeries.php";  // tables';
$make = "\$engines[\$e] = new MysqlTimeSeries(\$this->mysqli,\$this->redis,\$this->settings['mysqltimeseries']);";
foreach ([
    'ends of lines as on Windows' => [["\n", "\r\n"]],
    'tabs' => [['    ', "\t"]],
    'no end of the last line' => [["    }\n}\n", "    }\n}"]],
    'another comment' => [['// tables', '# the tables /* old */']],
    'a comment of the other kind' => [['// tables', '/* tables */']],
    'a comment between' => [[$make, "// made here\n$make"]],
    'no comment' => [['  // tables', '']],
    'brackets' => [[$mysql, "require ('Modules/feed/engine/MysqlTimeSeries.php') ;"]],
    'a label without a cast' => [['case (string)Engine::MYSQL :', 'case Engine::MYSQL:']],
    'a label in brackets' => [['case (string)Engine::MYSQL :', 'case ((string) Engine::MYSQL);']],
    'other arguments' => [[$make, "\$engines[ \$e ]=new MysqlTimeSeries(\$this->mysqli, array(')', \"{\$e}\", f(1)));"]],
    'lines between the arguments' => [['($this->mysqli,$this->redis,', "(\n    \$this->mysqli,\n    \$this->redis, // why\n    "]],
    'the words elsewhere' => [['$e = (string)$e;', "\$e = (string)\$e; // case Engine::MYSQL : NativeMysqlTimeSeries\n\$x = 'case Engine::MYSQL:';"]],
    'another class of that method' => [['class Feed', "class Other { function EngineClass() { switch (1) { case Engine::MYSQL: break; } } }\nclass Feed"]],
    'a heredoc' => [['$e = (string)$e;', "\$e = (string)\$e;\n\$s = <<<X\n{\$e} } \${e}\nX;\n"]],
] as $what => $changes) {
    $text = $model;
    foreach ($changes as [$from, $to]) {
        check_that("$what is a change", strpos($text, $from) !== false);
        $text = str_replace($from, $to, $text);
    }
    goes_and_comes_back($what, $text);
}

$patched = (new EnablePatch($model))->with('mysql', 'x/NativeMysqlTimeSeries.php', '/d', 's')->text();
$ours = '                    require_once "x/NativeMysqlTimeSeries.php"; // emonfeed' . "\n";
foreach ([
    'no such case' => [$model, 'Engine::MYSQL :', 'Engine::OTHER :', '0 places'],
    'the case twice' => [$model, 'case (string)Engine::PHPFINA', 'case (string)Engine::MYSQL', '2 places'],
    'an emoncms of if and else' => [$model, 'case (string)Engine::MYSQL :', 'if ($e == (string)Engine::MYSQL) { } // {', '0 places'],
    'no such method' => [$model, 'EngineClass', 'engine_class', 'no method EngineClass'],
    'no such class' => [$model, 'class Feed', 'class Feeds', 'no method EngineClass'],
    'another file' => [$model, 'engine/MysqlTimeSeries.php";  // tables' . "\n                    \$engines", 'engine/My.php";' . "\n                    \$engines", 'by loading'],
    'a computed file' => [$model, $mysql, 'require_once $dir . "MysqlTimeSeries.php";', 'plain path'],
    'another class' => [$model, 'new MysqlTimeSeries(', 'new MyTimeSeries(', 'makes a MyTimeSeries'],
    'a class with its namespace' => [$model, 'new MysqlTimeSeries(', 'new \MysqlTimeSeries(', 'something else'],
    'more statements' => [$model, $make, "$make\n\$this->log->info('x');", 'something else'],
    'fewer statements' => [$model, $make . "\n                    break;", $make, 'something else'],
    'a statement before' => [$model, $mysql, "\$this->log->info('x'); $mysql", 'does not begin with a require'],
    'one line' => [$model, "$mysql\n                    ", 'require_once "Modules/feed/engine/MysqlTimeSeries.php"; ', 'line of its own'],
    'a comment over two lines' => [$model, '// tables', "/* tab\n les */", 'line of its own'],
    'the new class alone' => [$patched, $ours, '', 'half of the patch'],
    'the new require alone' => [$patched, "new NativeMysqlTimeSeries(array('dir'=>'/d','server'=>'s'), ", 'new MysqlTimeSeries(', 'half of the patch'],
    'a mark taken away' => [$patched, ' // emonfeed', '', 'was edited'],
    'a require of another kind' => [$patched, $ours, str_replace('_once', '', $ours), 'was edited'],
    'another indentation of ours' => [$patched, $ours, ltrim($ours), 'were edited'],
    'a line between' => [$patched, $ours, "\n$ours", 'were edited'],
    'spaces in ours' => [$patched, "'server'=>'s'", "'server' => 's'", 'was edited'],
    'a folder that is computed' => [$patched, "'dir'=>'/d'", "'dir'=>DIR", 'was edited'],
] as $what => [$text, $from, $to, $why]) {
    check_that("$what is a change", substr_count($text, $from) > 0);
    $changed = new EnablePatch(str_replace($from, $to, $text));
    check_throws("$what: not applied", EnableError::class, $why, fn () => $changed->with('mysql', 'x/NativeMysqlTimeSeries.php', '/d', 's'));
    if ($why === 'line of its own') {
        check("$what: nothing to take back", $changed->text(), $changed->without('mysql')->text());
    } else {
        check_throws("$what: not taken back", EnableError::class, $why, fn () => $changed->without('mysql'));
    }
}
check_throws('a folder that would break the line', EnableError::class, 'control',
    fn () => (new EnablePatch($model))->with('mysql', 'x', "/a\nb", 's'));
check('one engine that was changed does not stop the other',
    [$patched, 'x/NativePHPTimeSeries.php'],
    (function () use ($patched) {
        $broken = str_replace('new PHPTimeSeries', 'new Mine', $patched);
        $back = (new EnablePatch($broken))->without('mysql')->text();
        $both = (new EnablePatch($patched))->with('phptimeseries', 'x/NativePHPTimeSeries.php');
        return [str_replace('new Mine', 'new PHPTimeSeries', (new EnablePatch($back))->with('mysql', 'x/NativeMysqlTimeSeries.php', '/d', 's')->text()),
            $both->applied('phptimeseries')['path']];
    })());

// The diff.
$folder = new_folder('enable-diff');
file_put_contents("{$folder}old", "1\n2\n3");
check('no diff', '', EnableFile::diff('f', "{$folder}old", "1\n2\n3"));
check('a diff', "--- a/f\n+++ b/f\n@@ -1,3 +1,4 @@\n-1\n+one\n 2\n+2.5\n 3\n\\ No newline at end of file\n",
    EnableFile::diff('f', "{$folder}old", "one\n2\n2.5\n3"));
check_throws('a diff with nothing', EnableError::class, 'No such file', fn () => EnableFile::diff('f', "{$folder}none", ''));
$path = getenv('PATH');
putenv("PATH=$folder");
check_throws('no program diff', EnableError::class, 'diffutils', fn () => EnableFile::diff('f', "{$folder}old", ''));
putenv("PATH=$path");

// Writing: in one step, or not at all.
$folder = new_folder('enable-write');
$file = $folder . 'feed_model.php';
$left = fn () => array_values(array_diff(scandir($folder), ['.', '..']));
file_put_contents($file, "<?php\n// old\n");
foreach ([0600, 0640, 0664, 0755, 0777] as $mode) {
    chmod($file, $mode);
    file_put_contents($file, "<?php\n// old\n");
    EnableFile::replace($file, "<?php\n// old\n", "<?php\n// new\n");
    clearstatcache();
    check(sprintf('the mode %o is kept', $mode), [$mode, "<?php\n// new\n", ['feed_model.php']],
        [fileperms($file) & 07777, file_get_contents($file), $left()]);
}
if (posix_geteuid() === 0) {
    chown($file, 65534);
    chgrp($file, 33);
    EnableFile::replace($file, "<?php\n// new\n", "<?php\n// newer\n");
    clearstatcache();
    check('the owner and the group are kept', [65534, 33], [fileowner($file), filegroup($file)]);
} else {
    Checks::say('not run as root: that the owner of another\'s file is kept was not looked at');
}
file_put_contents($file, "<?php\n// old\n");
check_throws('what PHP refuses is not put in place', EnableError::class, 'does not accept',
    fn () => EnableFile::replace($file, "<?php\n// old\n", "<?php\nbroken(\n"));
check('it is as it was', ["<?php\n// old\n", ['feed_model.php']], [file_get_contents($file), $left()]);
check_throws('a file that changed meanwhile', EnableError::class, 'meanwhile', fn () => EnableFile::replace($file, "<?php\n", "<?php\n// new\n"));
$other = fopen($file, 'rb');
flock($other, LOCK_EX);
check_throws('a second run at the same time', EnableError::class, 'Another enable', fn () => EnableFile::replace($file, "<?php\n// old\n", "<?php\n// new\n"));
fclose($other);
check('it is as it was', ["<?php\n// old\n", ['feed_model.php']], [file_get_contents($file), $left()]);
touch($folder . '.feed_model.php.emonfeed-0123456789ab');
EnableFile::replace($file, "<?php\n// old\n", "<?php\n// new\n");
check('what a killed run left is cleared away', ["<?php\n// new\n", ['feed_model.php']], [file_get_contents($file), $left()]);

// Finding an emoncms.
$trees = new_folder('enable-trees');
foreach (['one', 'two'] as $name) {
    mkdir("$trees$name/Modules/feed", 0777, true);
    file_put_contents("$trees$name/Modules/feed/feed_model.php", $model);
}
symlink("{$trees}one", "{$trees}link");
check_throws('in no emoncms, and none named', EnableError::class, 'lies in no emoncms', fn () => EnableTree::find(null, '/nowhere/enable'));
check('the tree around the program as it is called', "{$trees}link",
    EnableTree::find(null, "{$trees}link/Modules/feed/engine/emonfeed/enable")->path);
check_throws('a folder that is none', EnableError::class, 'is no emoncms', fn () => EnableTree::find("{$trees}none", 'enable'));
check('where the native engines are, from outside', dirname(__DIR__, 2) . '/php-ext/emoncms/NativeX.php',
    EnableTree::find("{$trees}one", 'enable')->path_of('NativeX.php'));
mkdir("{$trees}two/Modules/feed/engine");
symlink(dirname(__DIR__, 2) . '/php-ext/emoncms', "{$trees}two/Modules/feed/engine/emonfeed");
check('where they are, by a link inside', 'Modules/feed/engine/emonfeed/NativeX.php', EnableTree::find("{$trees}two", 'enable')->path_of('NativeX.php'));
check('nothing to remark', '', EnableTree::find("{$trees}one", 'enable')->remark());
rename("{$trees}one/Modules/feed/feed_model.php", "{$trees}model.php");
symlink("{$trees}model.php", "{$trees}one/Modules/feed/feed_model.php");
check('a link is told of', "{$trees}one/Modules/feed/feed_model.php is reached through a symbolic link; the file is {$trees}model.php",
    EnableTree::find("{$trees}link", 'enable')->remark());

// Recognising its engines.
$recognise = function (string $engine, array $changes) use ($trees): void {
    $class = EnablePatch::ENGINES[$engine][1];
    $text = file_get_contents(__DIR__ . "/tree/Modules/feed/engine/$class.php");
    foreach ($changes as $from => $to) {
        check_that("$from is there", strpos($text, $from) !== false);
        $text = str_replace($from, $to, $text);
    }
    @mkdir("{$trees}three/Modules/feed/engine", 0777, true);
    copy(__DIR__ . '/tree/Modules/feed/feed_model.php', "{$trees}three/Modules/feed/feed_model.php");
    file_put_contents("{$trees}three/Modules/feed/engine/$class.php", $text);
    EnableTree::find("{$trees}three", 'enable')->recognise($engine);
};
foreach (['mysql', 'phptimeseries'] as $engine) {
    check("the stand-in's $engine is recognised", null, $recognise($engine, []));
    check("$engine: a thousand elsewhere", null, $recognise($engine, ['return $timeformat' => '$x = 1000 * 2; $y = 9 / 10000; return $timeformat']));
    check_throws("$engine: milliseconds", EnableError::class, 'milliseconds', fn () => $recognise($engine, ['return $timeformat' => '$start = round($start / 1000); return $timeformat']));
    check_throws("$engine: milliseconds as a float", EnableError::class, 'milliseconds', fn () => $recognise($engine, ['return $timeformat' => '$start = $start/1000.0; return $timeformat']));
    check("$engine: without the time format notime", null, $recognise($engine, ['"notime"' => '"no"']));
    check_throws("$engine: no get_data_combined", EnableError::class, 'get_data_combined', fn () => $recognise($engine, ['get_data_combined' => 'get_data']));
    check_throws("$engine: fewer parameters", EnableError::class, 'get_data_combined', fn () => $recognise($engine, [', $limitinterval = 1' => '']));
    check_throws("$engine: more parameters", EnableError::class, 'get_data_combined', fn () => $recognise($engine, ['$limitinterval = 1' => '$limitinterval = 1, $delta = array(1)']));
}
check_throws('PHPTimeSeries with a buffer', EnableError::class, 'more than one parameter', fn () => $recognise('phptimeseries', ['($settings)' => '($settings, $redis = false)']));

finish();
