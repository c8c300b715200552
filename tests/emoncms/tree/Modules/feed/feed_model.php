<?php

defined('EMONCMS_EXEC') or die;

class Engine
{
    const MYSQL = 0;
    const PHPTIMESERIES = 2;
    const PHPFINA = 5;
    const MYSQLMEMORY = 8;
}

class Feed
{
    private $log;
    private $mysqli;
    private $redis;
    private $settings;

    public function __construct($mysqli, $redis, $settings)
    {
        $this->log = new EmonLogger(__FILE__);
        $this->mysqli = $mysqli;
        $this->redis = $redis;
        $this->settings = $settings;
    }

    public function EngineClass($e)
    {
        $e = (string)$e;
        static $engines = array();
        if (isset($engines[$e])) {
            return $engines[$e];
        }
        else {
            switch ($e) {
                case (string)Engine::MYSQL :
                    require_once "Modules/feed/engine/MysqlTimeSeries.php";  // tables
                    $engines[$e] = new MysqlTimeSeries($this->mysqli,$this->redis,$this->settings['mysqltimeseries']);
                    break;
                case (string)Engine::PHPFINA :
                    require "Modules/feed/engine/PHPFina.php";
                    $engines[$e] =  new PHPFina($this->settings['phpfina']);
                    break;
                case (string)Engine::PHPTIMESERIES :
                    require "Modules/feed/engine/PHPTimeSeries.php";    // files
                    $engines[$e] = new PHPTimeSeries($this->settings['phptimeseries']);
                    break;
                case (string)Engine::MYSQLMEMORY :
                    require_once "Modules/feed/engine/MysqlTimeSeries.php";  // tables
                    require "Modules/feed/engine/MysqlMemory.php";           // in memory
                    $engines[$e] = new MysqlMemory($this->mysqli);
                    break;
                default :
                    $this->log->error("no engine {$e}");
                    break;
            }
            return $engines[$e];
        }
    }
}
