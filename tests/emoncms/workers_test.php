<?php
// Workers of PHP-FPM that answer request after request while feeds appear, grow,
// are truncated and deleted: every answer is right, and no worker grows.

require __DIR__ . '/harness.php';
require __DIR__ . '/streaming/servers.php';

use Emonfeed\Exception;

const WORKERS = 2;
const PAGE = __DIR__ . '/workers/page.php';
/** Feeds at a time. */
const FEWEST = 8;
const MOST = 20;
/** Of summaries that are kept in a file are those of feeds that have more. */
const LARGE = 20000;

/** Half of them with summaries kept in files. */
$requests = (getenv('EMONFEED_SOAK') === false ? 1000 : 10000) / 2;
mt_srand((int)(getenv('EMONFEED_TEST_SEED') ?: 1));

/** A feed: a file as PHPTimeSeries writes it, or a table, with or without checksum. */
final class Growing
{
    public string $path;
    public int $rows = 0;
    private bool $is_table;
    private string $table;
    private mysqli $db;

    public function __construct(int $id, string $folder, mysqli $db)
    {
        $this->db = $db;
        $this->table = "feed_$id";
        $this->is_table = $id % 3 > 0;
        $this->path = ($this->is_table ? table_folder() . '/' : $folder) . "feed_$id.MYD";
        if ($this->is_table) {
            $checksum = $id % 3 - 1;
            $db->query("CREATE TABLE $this->table (time INT UNSIGNED, data FLOAT, INDEX (time)) ENGINE=MyISAM CHECKSUM=$checksum");
        } else {
            touch($this->path);
        }
        $this->grow($id % 4 === 0 ? LARGE : mt_rand(0, 500));
    }

    /** Row n has the time 10 n and the value n % 100, counted from 1. */
    public function grow(int $count): void
    {
        if ($count === 0) {
            return;
        }
        $last = $this->rows + $count;
        if ($this->is_table) {
            $this->db->query("INSERT INTO $this->table SELECT seq * 10, seq % 100 FROM seq_" . ($this->rows + 1) . "_to_$last");
        } else {
            $bytes = '';
            for ($n = $this->rows + 1; $n <= $last; $n++) {
                $bytes .= pack('CVg', 249, $n * 10, $n % 100);
            }
            file_put_contents($this->path, $bytes, FILE_APPEND | LOCK_EX);
        }
        $this->rows = $last;
    }

    public function truncate(): void
    {
        if ($this->is_table) {
            $this->db->query("TRUNCATE TABLE $this->table");
        } else {
            file_put_contents($this->path, '', LOCK_EX);
        }
        $this->rows = 0;
    }

    public function delete(): void
    {
        $this->is_table ? $this->db->query("DROP TABLE $this->table") : unlink($this->path);
    }

    /** Count, sum and last time, as the page gives them. */
    public function answer(): array
    {
        $rest = $this->rows % 100;
        $sum = intdiv($this->rows, 100) * 4950 + $rest * ($rest + 1) / 2;
        return $this->rows === 0 ? [0.0, null, null] : [(float)$this->rows, (float)$sum, $this->rows * 10];
    }
}

/** One thing that happens to the feeds. */
function happen(array &$feeds, int &$next, string $folder, mysqli $db): string
{
    $what = ['appear', 'grow', 'grow', 'truncate', 'delete'][mt_rand(0, 4)];
    if (count($feeds) <= FEWEST) {
        $what = 'appear';
    } elseif ($what === 'appear' && count($feeds) >= MOST) {
        $what = 'delete';
    }
    $id = array_rand($feeds ?: [0]);
    switch ($what) {
        case 'appear':
            $feeds[$next] = new Growing($next, $folder, $db);
            $next++;
            break;
        case 'grow':
            $feeds[$id]->grow(mt_rand(1, 200));
            break;
        case 'truncate':
            $feeds[$id]->truncate();
            break;
        case 'delete':
            $feeds[$id]->delete();
            unset($feeds[$id]);
    }
    return $what;
}

/** The greatest of each figure in some sizes of a worker. */
function most(array $sizes): array
{
    $most = [];
    foreach (array_keys($sizes[0]) as $figure) {
        $most[$figure] = max(array_column($sizes, $figure));
    }
    return $most;
}

$db = connect();
$db->query('SELECT 1 FROM seq_1_to_1');
$next = 1;
foreach (['', 'with kept summaries'] as $kept) {
    $folder = new_folder('feeds');
    $cache = new_folder('kept');
    chmod($cache, 0700);
    $settings = $kept === '' ? [] : ["emonfeed.cache_dir=$cache"];
    $fpm = new Fpm(fpm_program(), PAGE, WORKERS);
    $feeds = [];
    $gone = [];
    $happened = [];
    $sizes = [];
    $refused = 0;
    for ($i = 0; $i < $requests; $i += WORKERS) {
        for ($n = 0; $n < 3; $n++) {
            $before = $feeds;
            $what = happen($feeds, $next, $folder, $db);
            $happened[$what] = ($happened[$what] ?? 0) + 1;
            $gone = array_slice($gone + array_diff_key($before, $feeds), -2, null, true);
        }
        // Those that are gone are asked for as well, as by a page that was open.
        $asked = array_map(fn ($feed) => $feed->path, $feeds + $gone);
        $expected = array_map(fn ($feed) => $feed->answer(), $feeds) + array_map(fn () => Exception::NOT_FOUND, $gone);
        $answers = [];
        for ($n = 0; $n < WORKERS; $n++) {
            $answers[] = $fpm->ask(['feeds' => (object)$asked], $settings);
        }
        foreach ($answers as $answer) {
            $text = '';
            while (($piece = $answer->read()) !== null) {
                $text .= $piece;
            }
            $page = json_decode(explode("\r\n\r\n", $text, 2)[1], true);
            $got = $page['answers'];
            ksort($got);
            ksort($expected);
            check("request $i $kept", $expected, $got, fn ($a, $b) => $a === $b);
            $sizes[$page['worker']][] = $page['size'];
            $refused += count(array_filter($got, 'is_int'));
        }
    }
    check_that("$next feeds in turn", $next > 4 * MOST);
    foreach ($happened as $what => $times) {
        check_that("$what: $times times", $times > $requests / 20);
    }
    check_that("feeds that were gone: $refused", $refused > $requests);
    check("workers $kept", WORKERS, count($sizes));
    check("deaths $kept", 0, preg_match('/exited (on|with) /', $fpm->log()));
    if ($kept !== '') {
        check_that('summaries were kept', count(glob("$cache/*.summary")) > 0);
    }
    foreach ($sizes as $of_one) {
        // Each worker has had all kinds of feeds by half of its requests.
        $half = intdiv(count($of_one), 2);
        check_that('each worker had its share', $half > $requests / WORKERS / 8);
        $first = most(array_slice($of_one, 0, $half));
        $second = most(array_slice($of_one, $half));
        Checks::say(sprintf('%d requests %s: at most %s, then %s', count($of_one), $kept, json_encode($first), json_encode($second)));
        // Of the thousands of calls in the second half few may have left anything.
        check_that('memory of its own', $second['RssAnon'] - $first['RssAnon'] < 256);
        // That of feeds that are mapped comes and goes with them.
        check_that('memory', $second['VmRSS'] - $first['VmRSS'] < 1024);
        check_that('mapped feeds', $second['mapped feeds'] <= MOST);
        check_that('mappings', $second['mappings'] - $first['mappings'] <= MOST);
        // Of a feed two or three files are open, of PHP-FPM a few.
        check_that('open files', $second['files'] <= 3 * MOST + 10);
    }
    foreach ($feeds as $feed) {
        $feed->delete();
    }
    unset($fpm);
}
finish();
