<?php
include_once dirname(__FILE__) . '/shared_helper.php';

// Says that it was asked, and nothing else.
class MysqlTimeSeries implements engine_methods
{
    protected $generic = true;
    protected $prefix = 'feed_';
    protected $mysqli;
    protected $redis;

    public function __construct($mysqli, $redis = false, $settings = array())
    {
        $this->mysqli = $mysqli;
        $this->redis = $redis;
        $this->prefix = $settings['prefix'] ?? $this->prefix;
    }

    public function get_meta($feedid)
    {
        return 'the table of MysqlTimeSeries';
    }

    public function get_feed_size($feedid)
    {
        return 'the table of MysqlTimeSeries';
    }

    public function lastvalue($feedid)
    {
        return 'the table of MysqlTimeSeries';
    }

    public function get_data_combined($feedid, $start, $end, $interval, $average = 0, $timezone = "UTC", $timeformat = "unix", $csv = false, $skipmissing = 0, $limitinterval = 1)
    {
        return $timeformat === "notime" ? ['values of MysqlTimeSeries'] : [[$start, 'of MysqlTimeSeries']];
    }

    public function get_data_DMY_time_of_day($feedid, $start, $end, $mode, $timezone, $timeformat, $split)
    {
        return [[$start, ['of MysqlTimeSeries']]];
    }

    public function export($feedid, $start)
    {
        exit;
    }

    public function get_table_name($feedid)
    {
        return $this->prefix . (int)$feedid;
    }
}
