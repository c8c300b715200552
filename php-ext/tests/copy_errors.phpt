--TEST--
emonfeed_copy(): what it refuses
--FILE--
<?php
require 'feeds.inc';
$folder = folder('copy_errors');
$path = write_feed($folder, 7, [[100, 1]]);
$copy = "$folder/copy_7.MYD";

refuse('unknown option', fn () => emonfeed_copy($path, $copy, ['dry-run' => true]));
refuse('option without name', fn () => emonfeed_copy($path, $copy, [true]));
refuse('option not bool', fn () => emonfeed_copy($path, $copy, ['dry_run' => 1]));
refuse('option not bool', fn () => emonfeed_copy($path, $copy, ['dry_run' => true, 'full' => null]));
refuse('options not array', fn () => emonfeed_copy($path, $copy, true));
refuse('empty source', fn () => emonfeed_copy('', $copy));
refuse('empty destination', fn () => emonfeed_copy($path, ''));
refuse('NUL in source', fn () => emonfeed_copy("$path\0", $copy));
refuse('NUL in destination', fn () => emonfeed_copy($path, "$copy\0"));
refuse('too few', fn () => emonfeed_copy($path));
refuse('missing source', fn () => emonfeed_copy("$folder/feed_8.MYD", $copy));
refuse('missing folder', fn () => emonfeed_copy($path, "$folder/none/feed_7.MYD"));
symlink($path, "$folder/feed_9.MYD");
refuse('link as source', fn () => emonfeed_copy("$folder/feed_9.MYD", $copy));
refuse('link as destination', fn () => emonfeed_copy($path, "$folder/feed_9.MYD"));
refuse('onto itself', fn () => emonfeed_copy($path, $path));
var_dump(file_exists($copy), file_get_contents($path) === rows_of([[100, 1]]));
?>
--EXPECTF--
unknown option: ValueError: emonfeed_copy(): Argument #3 ($options) must hold no other options than "dry_run" and "full"
option without name: ValueError: emonfeed_copy(): Argument #3 ($options) must hold no other options than "dry_run" and "full"
option not bool: TypeError: emonfeed_copy(): Argument #3 ($options) must hold "dry_run" of type bool, int given
option not bool: TypeError: emonfeed_copy(): Argument #3 ($options) must hold "full" of type bool, null given
options not array: TypeError: emonfeed_copy(): Argument #3 ($options) must be of type array, %s given
empty source: ValueError: emonfeed_copy(): Argument #1 ($source) must not be empty
empty destination: ValueError: emonfeed_copy(): Argument #2 ($destination) must not be empty
NUL in source: ValueError: emonfeed_copy(): Argument #1 ($source) must not contain any null bytes
NUL in destination: ValueError: emonfeed_copy(): Argument #2 ($destination) must not contain any null bytes
too few: ArgumentCountError: emonfeed_copy() expects at least 2 arguments, 1 given
missing source: Emonfeed\Exception NOT_FOUND: feed_8.MYD
missing folder: Emonfeed\Exception NOT_FOUND: none
link as source: Emonfeed\Exception NOT_REGULAR: feed_9.MYD
link as destination: Emonfeed\Exception NOT_REGULAR: feed_9.MYD
onto itself: Emonfeed\Exception DESTINATION: feed_7.MYD
bool(false)
bool(true)
