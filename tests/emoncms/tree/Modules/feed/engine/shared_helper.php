<?php

interface engine_methods
{
    public function get_meta($feedid);
    public function get_data_combined($feedid, $start, $end, $interval, $average, $timezone, $timeformat, $csv, $skipmissing, $limitinterval);
}
