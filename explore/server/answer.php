<?php

declare(strict_types=1);

namespace Emonfeed\Explore;

use Emonfeed\Exception;
use Emonfeed\Feed;

const MOST_WINDOWS = 20000;
const MOST_FEEDS = 8;
const JSON = 'application/json; charset=utf-8';
const CSV = 'text/csv; charset=utf-8; header=present';
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    . "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

function send_headers(int $status, string $type): void
{
    http_response_code($status);
    header_remove('X-Powered-By');
    header("Content-Type: $type");
    header('Content-Security-Policy: ' . POLICY);
    header('X-Content-Type-Options: nosniff');
    header('Cross-Origin-Resource-Policy: same-origin');
    header('Referrer-Policy: no-referrer');
    header('Cache-Control: no-store');
}

function send(Request $request, string $type, string $body): void
{
    send_headers(200, $type);
    header('Content-Length: ' . strlen($body));
    if ($request->wants_body) {
        echo $body;
    }
}

/** @param list<string> $headers */
function send_error(int $status, string $message, array $headers = []): void
{
    send_headers($status, JSON);
    array_map(header(...), $headers);
    if (($_SERVER['REQUEST_METHOD'] ?? '') !== 'HEAD') {
        echo json_encode(['error' => $message], JSON_INVALID_UTF8_SUBSTITUTE), "\n";
    }
}

function status_of(Exception $exception): int
{
    return match ($exception->getCode()) {
        Exception::NOT_FOUND => 404,
        Exception::PERMISSION => 403,
        Exception::CHANGED, Exception::LOCKED => 503,
        default => 422,
    };
}

function begin_chunks(): void
{
    ignore_user_abort(true);
    header('Transfer-Encoding: chunked');
}

function send_chunk(string $text): void
{
    if ($text !== '') {
        printf("%x\r\n%s\r\n", strlen($text), $text);
        flush();
    }
}

function end_chunks(): void
{
    echo "0\r\n\r\n";
}

/** @param array|string $answer what becomes JSON, or is some */
function send_json(Request $request, array|string $answer): void
{
    send($request, JSON, is_string($answer) ? $answer : json_encode($answer,
        JSON_THROW_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES));
}

function answer_feeds(Request $request, Listing $listing): void
{
    send_json($request, ['directory' => $listing->directory, 'feeds' => $listing->feeds()]);
}

function answer_feed(Request $request, Listing $listing): void
{
    send_json($request, facts($listing->open($request->text('feed'))));
}

function answer_backup(Request $request, Listing $listing): void
{
    $command = (string) getenv('EMONFEED_EXPLORE_COMMAND');
    $destination = (string) getenv('EMONFEED_EXPLORE_BACKUP');
    send_json($request, ['backup' => backup_of($listing, $command, $destination)]);
}

/** Rows where they are few, or else windows; from and to are where windows begin. */
function answer_data(Request $request, Listing $listing): void
{
    [$from, $to] = $request->range();
    $interval = $request->number('interval', 1, 1_000_000_000);
    demand_few($from, $to, $interval);
    $feed = $listing->open($request->text('feed'));
    $limit = intdiv($to - $from, $interval) + 1;
    send_json($request, rows($feed, $from, $to, $limit) ?? windows($feed, $from, $to, $interval));
}

function answer_summary(Request $request, Listing $listing): void
{
    [$from, $to] = $request->range();
    send_json($request, statistics($listing->open($request->text('feed')), $from, $to));
}

function answer_bars(Request $request, Listing $listing): void
{
    [$from, $to] = $request->range();
    $edges = edges($request->word('by', array_keys(UNITS)), $from, $to, $request->zone());
    send_json($request, bars($listing->open($request->text('feed')), $edges));
}

/** what=rows of one feed; windows of an interval or bars of several, as they are drawn. */
function answer_csv(Request $request, Listing $listing): void
{
    [$from, $to] = $request->range();
    $what = $request->word('what', ['rows', 'windows', 'bars']);
    $zone = $request->zone();
    $format = ['time' => $request->word('time', ['iso8601', 'excel', 'unix'])];
    $feeds = [];
    foreach (array_unique(explode(',', $request->text('feed'))) as $id) {
        $feeds["feed_$id"] = $listing->open($id);
    }
    if (count($feeds) > ($what === 'rows' ? 1 : MOST_FEEDS)) {
        throw new Refused(400, 'one table holds the rows of one feed, or windows of ' . MOST_FEEDS);
    }
    $body = null;
    if ($what === 'windows') {
        $interval = $request->number('interval', 1, 1_000_000_000);
        demand_few($from, $to, $interval);
        $format += ['offsets' => offsets($zone, $from, $to)];
        $body = joined($feeds, COLUMNS, fn (Feed $feed, int $aggregate) =>
            $feed->windowsCsv($from, $to, $interval, $aggregate, 0, $format));
    } elseif ($what === 'bars') {
        $edges = edges($request->word('by', array_keys(UNITS)), $from, $to, $zone);
        $format += ['offsets' => offsets($zone, $edges[0], end($edges))];
        $body = joined($feeds, BAR_COLUMNS, fn (Feed $feed, int $aggregate) =>
            $feed->windowsAtCsv($edges, $aggregate, 0, $format));
    }

    $name = implode('_', array_keys($feeds)) . '_' . gmdate('Ymd', $from) . '-' . gmdate('Ymd', $to);
    header("Content-Disposition: attachment; filename=\"$name.csv\"");
    if ($body !== null) {
        send($request, CSV, $body);
        return;
    }
    send_headers(200, CSV);
    if ($request->wants_body) {
        $format += ['offsets' => offsets($zone, $from, $to)];
        send_rows(reset($feeds), key($feeds), $from, $to, $format);
    }
}

function demand_few(int $from, int $to, int $interval): void
{
    if (intdiv($to - $from, $interval) >= MOST_WINDOWS) {
        throw new Refused(400, 'these are more than ' . MOST_WINDOWS . ' windows: choose a shorter range, or a longer interval');
    }
}
