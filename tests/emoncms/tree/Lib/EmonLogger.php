<?php

class EmonLogger
{
    public static array $lines = [];

    public function __construct($clientFileName)
    {
    }

    public function info($message)
    {
    }

    public function warn($message)
    {
        self::$lines[] = $message;
    }

    public function error($message)
    {
        self::$lines[] = $message;
    }
}
