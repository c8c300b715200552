<?php
// SPDX-License-Identifier: AGPL-3.0-or-later
//
// Run by `enable` in a PHP of its own (php -r), with the settings of the web
// server's PHP and as its user: what can that PHP read? Takes a job as JSON,
// and answers in a line of JSON behind a mark, as other things may be printed.

if (PHP_SAPI !== 'cli') {
    exit;
}
$job = json_decode(stream_get_contents(STDIN), true);

/** Gives up all rights but those of the user; only root can. */
$become = function (array $user): bool {
    return function_exists('posix_setuid') && posix_initgroups($user['name'], $user['gid'])
        && posix_setgid($user['gid']) && posix_setuid($user['uid']) && posix_geteuid() === $user['uid'];
};

/** A fatal error in here is one that would have stopped emoncms. */
$load = function (string $tree, string $parent, string $native): array {
    define('EMONCMS_EXEC', 1);
    chdir($tree);
    require_once $parent;
    require_once $native;
    return ['loads' => true];
};

$look = function (string $path): array {
    try {
        return ['rows' => (new Emonfeed\Feed($path))->meta()['npoints']];
    } catch (Emonfeed\Exception $why) {
        return ['code' => $why->getCode(), 'message' => $why->getMessage()];
    }
};

if ($job['user'] !== null && !$become($job['user'])) {
    $answer = ['failed' => "it cannot become the user {$job['user']['name']}"];
} elseif (isset($job['load'])) {
    $answer = $load(...$job['load']);
} elseif (isset($job['enter'])) {
    $answer = ['closed' => array_values(array_filter($job['enter'], fn ($folder) => !is_executable($folder))),
        'unlisted' => array_values(array_filter($job['enter'], fn ($folder) => !is_readable($folder)))];
} else {
    // The method is of the version that this folder needs.
    $loaded = method_exists('Emonfeed\\Feed', 'windowsCsv');
    $answer = ['loaded' => $loaded, 'old' => !$loaded && extension_loaded('emonfeed'), 'extension_dir' => (string) ini_get('extension_dir'),
        'open_basedir' => (string) ini_get('open_basedir'), 'feeds' => $loaded ? array_map($look, $job['feeds']) : []];
}
fwrite(STDOUT, "\nemonfeed-probe:" . json_encode($answer, JSON_INVALID_UTF8_SUBSTITUTE | JSON_FORCE_OBJECT) . "\n");
