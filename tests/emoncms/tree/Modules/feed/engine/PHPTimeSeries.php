<?php
include_once dirname(__FILE__) . '/shared_helper.php';

// Says that it was asked, and nothing else.
class PHPTimeSeries implements engine_methods
{
    public function __construct($settings)
    {
    }

    public function get_meta($id)
    {
        return 'the file of PHPTimeSeries';
    }

    public function get_feed_size($id)
    {
        return 'the file of PHPTimeSeries';
    }

    public function lastvalue($id)
    {
        return 'the file of PHPTimeSeries';
    }

    public function get_value($id, $time)
    {
        return 'of PHPTimeSeries';
    }

    public function get_data_combined($id, $start, $end, $interval, $average = 0, $timezone = "UTC", $timeformat = "unix", $csv = false, $skipmissing = 0, $limitinterval = 1)
    {
        return $timeformat === "notime" ? ['values of PHPTimeSeries'] : [[$start, 'of PHPTimeSeries']];
    }

    public function export($id, $start)
    {
        exit;
    }
}
