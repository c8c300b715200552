<?php
// SPDX-License-Identifier: AGPL-3.0-or-later
//
// Another program, run to its end.

final class EnableProcess
{
    /**
     * @param string[] $command
     * @return array{0: int, 1: string, 2: string} exit code (127: there is no such program), output, errors
     */
    public static function run(array $command, string $input, ?array $environment = null): array
    {
        // Files, as a pipe that nobody empties would stop the other side.
        $files = [tmpfile(), tmpfile(), tmpfile()];
        fwrite($files[0], $input);
        rewind($files[0]);
        $process = @proc_open($command, $files, $pipes, '/', $environment);
        $code = is_resource($process) ? proc_close($process) : 127;
        rewind($files[1]);
        rewind($files[2]);
        return [$code, stream_get_contents($files[1]), trim(stream_get_contents($files[2]))];
    }
}
