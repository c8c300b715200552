<?php

declare(strict_types=1);

namespace Emonfeed\Explore;

/** A request that is not answered; the code is HTTP's status. */
final class Refused extends \RuntimeException
{
    /** @param list<string> $headers */
    public function __construct(int $status, string $message, public readonly array $headers = [])
    {
        parent::__construct($message, $status);
    }
}
