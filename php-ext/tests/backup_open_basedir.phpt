--TEST--
Emonfeed\Backup: open_basedir holds for both folders, and for what links in them lead to
--FILE--
<?php
require 'feeds.inc';
use Emonfeed\Backup;
$folder = folder('backup_open_basedir', clean: false);
foreach (['inside', 'inside/from', 'outside', 'outside/from'] as $name) {
    mkdir("$folder/$name");
}
write_feed("$folder/inside/from", 7, [[100, 1]]);
write_feed("$folder/outside/from", 7, [[100, 2]]);
write_feed("$folder/outside/from", 8, [[100, 3]]);
symlink("$folder/outside/from/feed_8.MYD", "$folder/inside/from/feed_8.MYD");
symlink("$folder/outside/from", "$folder/inside/link");
symlink("$folder/outside", "$folder/inside/out");
$options = ['same_device' => true];
$before = new Backup("$folder/outside/from", "$folder/outside/to", $options);

ini_set('open_basedir', "$folder/inside");
refuse('from outside', fn () => new Backup("$folder/outside/from", "$folder/inside/to", $options));
refuse('to outside', fn () => new Backup("$folder/inside/from", "$folder/outside/other", $options));
refuse('by dots', fn () => new Backup("$folder/inside/from", "$folder/inside/../outside/other", $options));
refuse('from a link', fn () => new Backup("$folder/inside/link", "$folder/inside/to", $options));
refuse('to a link', fn () => new Backup("$folder/inside/from", "$folder/inside/link", $options));
refuse('through a link', fn () => new Backup("$folder/inside/from", "$folder/inside/out/other", $options));
refuse('opened before', fn () => $before->rewind());
var_dump($before->valid());
show('closed', $before->close()['stopped']);
$backup = new Backup("$folder/inside/from", "$folder/inside/to", $options);
foreach ($backup as $file => $report) {
    show($file, [$report['outcome'], $report['status'] === Emonfeed\Exception::NOT_REGULAR]);
}
show('inside', $backup->close()['failed']);
var_dump(file_exists("$folder/inside/to/feed_8.MYD"));
?>
--CLEAN--
<?php
require 'feeds.inc';
remove(__DIR__ . '/backup_open_basedir.tmp');
?>
--EXPECT--
from outside: Emonfeed\Exception PERMISSION: from
to outside: Emonfeed\Exception PERMISSION: other
by dots: Emonfeed\Exception PERMISSION: other
from a link: Emonfeed\Exception PERMISSION: link
to a link: Emonfeed\Exception PERMISSION: link
through a link: Emonfeed\Exception PERMISSION: other
opened before: Emonfeed\Exception PERMISSION: from
bool(false)
closed: true
feed_7.MYD: ["created",false]
feed_8.MYD: ["failed",true]
inside: 1
bool(false)
