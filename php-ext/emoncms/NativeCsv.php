<?php
// SPDX-License-Identifier: AGPL-3.0-or-later
// Part of emonfeed. It works inside emoncms and has emoncms's licence, the
// GNU Affero General Public License, version 3 or later.

/** How emoncms writes CSV: the settings of [feed], and times in a zone. */
class NativeCsv
{
    private const TIMES = array('excel' => 'd/m/Y H:i:s', 'iso8601' => 'c');

    private $zone;
    private $time;
    private $separator;
    private $decimals;
    private $point;

    public function __construct(DateTimeZone $zone, $timeformat)
    {
        global $settings;
        $feed = isset($settings['feed']) ? $settings['feed'] : array();
        $this->zone = $zone;
        $this->time = is_string($timeformat) && isset(self::TIMES[$timeformat]) ? $timeformat : 'unix';
        $this->separator = $feed['csv_field_separator'] ?? ',';
        $this->decimals = (int) ($feed['csv_decimal_places'] ?? 2);
        $this->point = $feed['csv_decimal_place_separator'] ?? '.';
        if ($this->decimals < 0 || $this->decimals > 22) {
            throw new RuntimeException('the setting csv_decimal_places is not from 0 to 22');
        }
        foreach (array($this->separator, $this->point) as $text) {
            if (!is_string($text) || !preg_match('/^[^\0]*$/Du', $text)) {
                throw new RuntimeException('a separator in the settings of CSV is no text');
            }
        }
    }

    /** For the extension's methods that write CSV, for times from $from to $to. */
    public function format($from, $to): array
    {
        return array(
            'separator' => $this->separator,
            'decimals' => $this->decimals,
            'point' => $this->point,
            'missing' => 'null',
            'time' => $this->time,
            'offsets' => $this->time === 'unix' ? array() : $this->offsets($from, $to),
        );
    }

    /** The points of a list [time, value], one line each. */
    public function lines(array $points): string
    {
        $lines = '';
        foreach ($points as list($time, $value)) {
            $lines .= $this->time === 'unix' ? $time : $this->shown($time);
            $lines .= $this->separator;
            $lines .= $value === null ? 'null' : number_format($value, $this->decimals, $this->point, '');
            $lines .= "\n";
        }
        return $lines;
    }

    private function shown(int|float $time): string
    {
        // setTimestamp() takes no float, which a time is where int ends in 2038.
        return (new DateTime("@$time"))->setTimezone($this->zone)->format(self::TIMES[$this->time]);
    }

    /** What the clocks show: a list [from time, seconds east of UTC]. */
    private function offsets($from, $to): array
    {
        $from = (int) max($from, NativeCalendar::FIRST_SECOND, PHP_INT_MIN);
        // Where int ends in 2038, PHP knows no later changes of a zone.
        $to = NativeRequest::time(min($to, NativeCalendar::LAST_SECOND));
        $transitions = $this->zone->getTransitions($from, $to);
        if (!$transitions) {
            // A zone such as +02:00, which never changes.
            return array(array($from, $this->zone->getOffset(new DateTime("@$from"))));
        }
        return array_map(fn($change) => array($change['ts'], $change['offset']), $transitions);
    }
}
