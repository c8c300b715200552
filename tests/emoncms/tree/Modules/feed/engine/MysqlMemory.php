<?php

class MysqlMemory extends MysqlTimeSeries
{
}
