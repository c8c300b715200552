<?php
// The tools of the other tests: a check that cannot fail would prove nothing.

require __DIR__ . '/harness.php';
require __DIR__ . '/standins.php';

check('equal is no difference', null, difference([1, 'a' => [2.5, null]], [1, 'a' => [2.5, null]]));
check('an int is no float', 'expected 3, got 3.0', difference(3, 3.0));
check('a place deep inside is named', 'at [1][a]: expected 2, got NULL', difference([0, ['a' => 2]], [0, ['a' => null]]));
check('one member too few', 'it has no [1]: expected 2', difference([1, 2], [1]));
check('one member too many', 'it has one more, [1]: 2', difference([1], [1, 2]));
check('the order of keys counts', "it has its keys in another order: array ( 0 => 'b', 1 => 'a', )", difference(['a' => 1, 'b' => 2], ['b' => 2, 'a' => 1]));
check('objects by their members', 'at [a]: expected 1, got 2', difference((object)['a' => 1], (object)['a' => 2]));
check('an array is no object', true, difference([], (object)[]) !== null);
check('NAN is NAN', null, difference(NAN, NAN));
check('nearly: a billionth', [true, false], [nearly(1e6, 1e6 + 1e-4), nearly(1e6, 1e6 + 1e-2)]);
check('six digits', [true, false], [six_digits(16777200.0, 16777215.0), six_digits(1.23456, 1.23457)]);
check('what is alike is no difference', null, difference([1.0], [1.0 + 1e-12], 'nearly'));
check('... and what is not is one', true, difference([1.0], [1.1], 'nearly') !== null);
check_throws('what throws', LogicException::class, 'as it', fn () => throw new LogicException('as it should'));
check_throws('a warning is thrown', ErrorException::class, 'Undefined variable', function () {
    return $nowhere;
});

foreach (
    [
        'a check that fails' => 'check("x", 1, 2); finish();',
        'no check at all' => 'finish();',
        'an early end' => 'check("x", 1, 1); exit;',
        'an exception' => 'check("x", 1, 1); throw new Exception("thrown");',
    ] as $what => $code
) {
    [$output, , $exit] = run_php(['-r', sprintf('require %s; %s', var_export(__DIR__ . '/harness.php', true), $code)]);
    check("$what fails the test", [false, false], [$exit === 0, strpos($output, 'all well') !== false]);
}

check('a FLOAT as its shortest number', [0.1, 16777215.0, 1.1754944e-38, 0.0], array_map('shortest', [
    unpack('g', pack('g', 0.1))[1], 16777215.0, unpack('g', pack('g', 1.17549435e-38))[1], 0.0,
]));

// Midnights as anyone can look them up.
check('London, the day the clocks go forward', [1711843200, 1711926000], Zone::called('Europe/London')->edges(1711850000, 1711850000, 'daily'));
check('Lord Howe, half an hour', [1712408400, 1712496600], Zone::called('Australia/Lord_Howe')->edges(1712410000, 1712410000, 'daily'));
check('Kathmandu', [1718561700, 1719166500], Zone::called('Asia/Kathmandu')->edges(1718300000, 1719000000, 'weekly'));
check('Cairo has no midnight that day', [1714082400, 1714165200, 1714251600], Zone::called('Africa/Cairo')->edges(1714100000, 1714200000, 'daily'));
check('Havana has two', [1730606400, 1730696400], Zone::called('America/Havana')->edges(1730610000, 1730610000, 'daily'));
check('zones that never change', [0, -18000, 19800, -12600], array_map(fn ($name) => Zone::called($name)->offset(1700000000), ['UTC', 'Etc/GMT+5', '+05:30', '-03:30']));
check_throws('no zone', RuntimeException::class, 'no zone Mars/Olympus', fn () => Zone::called('Mars/Olympus'));
check('months', [1704067200, 1706745600, 1709251200], Zone::called('UTC')->edges(1705000000, 1707000000, 'monthly'));
check('years', [1672531200, 1704067200, 1735689600], Zone::called('UTC')->edges(1700000000, 1704067200, 'annual'));

// The server, both stand-ins, and that a test can forbid their reads.
$sql = connect();
check('the server is private', 'Localhost via UNIX socket', $sql->host_info);
$mysql = new MysqlTimeSeries($sql);
$mysql->create(990, []);
$php = new PHPTimeSeries(['datadir' => new_folder('harness')]);
foreach ([[100, 0.1], [110, 2.5], [121, -3.0]] as [$time, $value]) {
    $mysql->post(990, $time, $value);
    $php->post(990, $time, $value);
}
foreach (['MysqlTimeSeries' => $mysql, 'PHPTimeSeries' => $php] as $class => $engine) {
    check("$class: the last value", ['time' => 121, 'value' => -3.0], $engine->lastvalue(990));
    check("$class: windows", [[100, 0.1], [115, -3.0]], $engine->get_data_combined(990, 100, 120, 15));
    check("$class: averages", [[100, 1.3], [120, -3.0]], $engine->get_data_combined(990, 100, 130, 20, 1), 'six_digits');
    check("$class: midnight", [[0, $class === 'MysqlTimeSeries' ? null : 0.1]], $engine->get_data_combined(990, 100, 130, 'daily'));
    check("$class: true times", [[100, 0.1], [121, -3.0]], $engine->get_data_combined(990, 100, 120, 15, 0, 'UTC', 'unix', false, 0, 2));
}
Parents::$forbidden = true;
check_throws('a forbidden read', LogicException::class, 'MysqlTimeSeries::lastvalue was asked', fn () => $mysql->lastvalue(990));
check('what was asked is known', 'MysqlTimeSeries::lastvalue', end(Parents::$asked));
check('the table is where a class is told it is', true, is_file(table_folder() . '/feed_990.MYD'));
finish();
