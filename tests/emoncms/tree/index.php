<?php
// A stand-in for emoncms, as far as `enable` and the native engines see one:
//
//     php index.php ENGINE METHOD [ARGUMENT...]     prints the answer as JSON

define('EMONCMS_EXEC', 1);
chdir(__DIR__);
require 'Lib/EmonLogger.php';
require 'Modules/feed/feed_model.php';

$settings = array_replace_recursive(
    parse_ini_file('default-settings.ini', true, INI_SCANNER_TYPED),
    parse_ini_file('settings.ini', true, INI_SCANNER_TYPED)
);
$sql = $settings['sql'];
$mysqli = new mysqli($sql['server'], $sql['username'], $sql['password'], $sql['database'], $sql['port']);
$feed = new Feed($mysqli, false, $settings['feed']);

[, $engine, $method] = $argv;
$arguments = array_map(fn ($text) => is_numeric($text) ? (int)$text : $text, array_slice($argv, 3));
echo json_encode([
    'answer' => $feed->EngineClass($engine)->$method(...$arguments),
    'class' => get_class($feed->EngineClass($engine)),
    'log' => EmonLogger::$lines,
]), "\n";
