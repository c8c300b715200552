<?php

declare(strict_types=1);

namespace Emonfeed\Explore;

const PATIENCE = 20.0;

/**
 * What `emonfeed status` says of the backup of a directory, or of one that is a
 * backup itself; null without one.
 */
function backup_of(Listing $listing, string $command, string $destination): ?array
{
    $is_backup = $destination === '' && $listing->is_backup();
    if ($destination === '' && !$is_backup) {
        return null;
    }
    $found = status($command, $is_backup ? $listing->directory : $destination);
    $one = $is_backup ? $found[0] : of_source($found, $listing->directory);
    return ['is_backup' => $is_backup] + $one;
}

/** @return non-empty-list<array> what each catalog at $path says */
function status(string $command, string $path): array
{
    $pipes = [];
    $log = ['pipe', 'w'];
    $process = proc_open([$command, 'status', '--json', '--', $path], [['null'], $log, $log], $pipes);
    if ($process === false) {
        throw new Refused(500, "$command cannot be run: build it by `make`");
    }
    $texts = read_all($pipes, microtime(true) + PATIENCE);
    if ($texts === null) {
        proc_terminate($process, 9);
        throw new Refused(504, "$path: this disk does not answer");
    }
    proc_close($process);
    $answer = json_decode($texts[1], true);
    if (empty($answer['destinations'])) {
        $said = trim((string) preg_replace('/^emonfeed: /', '', $texts[2]));
        throw new Refused(422, $answer['message'] ?? ($said ?: "$command status said nothing of $path"));
    }
    return $answer['destinations'];
}

/**
 * What comes out of pipes until they are closed, by number; null if that takes
 * too long.
 *
 * @param array<int, resource> $pipes
 * @return array<int, string>|null
 */
function read_all(array $pipes, float $deadline): ?array
{
    $texts = array_fill_keys(array_keys($pipes), '');
    while ($pipes) {
        [$ready, $none, $other] = [$pipes, null, null];
        $left = $deadline - microtime(true);
        if ($left <= 0 || !stream_select($ready, $none, $other, 0, (int) (1e6 * min($left, 0.9)))) {
            if ($left <= 0) {
                return null;
            }
            continue;
        }
        foreach ($ready as $number => $pipe) {
            $text = fread($pipe, 65536);
            $texts[$number] .= $text;
            if ($text === '' || $text === false) {
                unset($pipes[$number]);
            }
        }
    }
    return $texts;
}

/** Of several destinations the one that was copied from $directory. */
function of_source(array $destinations, string $directory): array
{
    foreach ($destinations as $one) {
        if (rtrim($one['last_run']['source'] ?? '', '/') === $directory) {
            return $one;
        }
    }
    if (count($destinations) === 1) {
        return $destinations[0];
    }
    throw new Refused(422, "none of these backups was made from $directory; name one of them: "
        . implode(', ', array_column($destinations, 'destination')));
}
