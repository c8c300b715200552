<?php
// The page to look at feeds: the router of `php -S`, which explore/serve.sh
// starts. It answers the files named in FILES and the calls named in CALLS, and
// nothing else.

declare(strict_types=1);

namespace Emonfeed\Explore;

foreach (['refused', 'request', 'listing', 'data', 'calendar', 'backup', 'csv', 'answer'] as $part) {
    require_once __DIR__ . "/server/$part.php";
}

const SCRIPT = 'text/javascript; charset=utf-8';
const FILES = [
    '/' => ['app/index.html', 'text/html; charset=utf-8'],
    '/style.css' => ['app/style.css', 'text/css; charset=utf-8'],
    '/icon.svg' => ['app/icon.svg', 'image/svg+xml'],
    '/main.js' => ['app/main.js', SCRIPT],
    '/api.js' => ['app/api.js', SCRIPT],
    '/bars.js' => ['app/bars.js', SCRIPT],
    '/chart.js' => ['app/chart.js', SCRIPT],
    '/draw.js' => ['app/draw.js', SCRIPT],
    '/gaps.js' => ['app/gaps.js', SCRIPT],
    '/gestures.js' => ['app/gestures.js', SCRIPT],
    '/list.js' => ['app/list.js', SCRIPT],
    '/loader.js' => ['app/loader.js', SCRIPT],
    '/picture.js' => ['app/picture.js', SCRIPT],
    '/readout.js' => ['app/readout.js', SCRIPT],
    '/text.js' => ['app/text.js', SCRIPT],
    '/view.js' => ['app/view.js', SCRIPT],
    '/uplot.js' => ['node_modules/uplot/dist/uPlot.esm.js', SCRIPT],
    '/uplot.css' => ['node_modules/uplot/dist/uPlot.min.css', 'text/css; charset=utf-8'],
];

const CALLS = [
    '/api/feeds' => 'feeds',
    '/api/feed' => 'feed',
    '/api/backup' => 'backup',
    '/api/data' => 'data',
    '/api/summary' => 'summary',
    '/api/bars' => 'bars',
    '/api/csv' => 'csv',
];

ini_set('display_errors', '0');
ini_set('log_errors', '1');
$directory = (string) getenv('EMONFEED_EXPLORE_DIR');
// With it PHP refuses every other path, and the extension follows no link.
if ($directory === '' || (string) getenv('EMONFEED_EXPLORE_KEY') === '' || ini_set('open_basedir', __DIR__ . PATH_SEPARATOR . $directory) === false) {
    http_response_code(500);
    error_log('emonfeed: this is started by explore/serve.sh, which says which directory is served');
    exit;
}

try {
    $request = Request::received((string) getenv('EMONFEED_EXPLORE_HOST'));
    if (isset(FILES[$request->path])) {
        [$file, $type] = FILES[$request->path];
        send($request, $type, (string) file_get_contents(__DIR__ . "/$file"));
    } elseif (isset(CALLS[$request->path])) {
        (__NAMESPACE__ . '\\answer_' . CALLS[$request->path])($request, new Listing($directory));
    } else {
        throw new Refused(404, 'there is nothing at this address');
    }
} catch (Refused $refused) {
    send_error($refused->getCode(), $refused->getMessage(), $refused->headers);
} catch (\Emonfeed\Exception $exception) {
    send_error(status_of($exception), $exception->getMessage());
} catch (\Throwable $fault) {
    error_log((string) $fault);
    send_error(500, 'this is a fault of the page; the log of the server says more');
}
