<?php
// Asks a class one thing in a process of its own, because what sends a file
// exits. The question is JSON on the standard input:
//
//     {"place": ["mysql"|"php", {…}], "method": …, "arguments": […], "feed": {…}, "fallback": bool}
//
// "feed" is emoncms's $settings['feed']. What a method returns instead of
// sending it comes as JSON behind the word RETURNED.

require __DIR__ . '/harness.php';
require __DIR__ . '/feeds.php';

Checks::$finished = true;
$question = json_decode(file_get_contents('php://stdin'), true);
$settings = ['feed' => $question['feed']];
Parents::$forbidden = !$question['fallback'];
$engine = TestFeed::build($question['place'], connect());
$answer = $engine->{$question['method']}(...$question['arguments']);
echo 'RETURNED ', json_encode($answer);
