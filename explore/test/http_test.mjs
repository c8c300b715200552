// What the server answers, and what it does not.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { get as httpGet } from 'node:http';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { END, GAP, ODD_FILE, ROWS_OF_HOUSE } from './feeds.mjs';
import { BACKUP, FEEDS, TOP, cookieName, emonfeed, get, phpOf, raw, start } from './server.mjs';

/** A directory of one feed of a thousand readings, for tests that spoil it. */
function small(context) {
    const directory = mkdtempSync(join(tmpdir(), 'emonfeed-explore-'));
    context.after(() => rmSync(directory, { recursive: true }));
    const file = join(directory, 'feed_1.MYD');
    writeFileSync(file, readFileSync(join(FEEDS, 'feed_3.MYD')).subarray(0, 9000));
    return { directory, file };
}

const json = async (port, target) => {
    const { status, body } = await get(port, target);
    return [status, JSON.parse(body)];
};
const ZONE = 'zone=Europe%2FLondon';

test('paths lead nowhere, however they are written', async (context) => {
    const { port } = await start(context);
    const secret = readFileSync('/etc/hostname', 'latin1').trim();
    const targets = [
        '/users.MYD', '/feed_1.MYD', '/index.php', '/server/answer.php', '/serve.sh', '/package.json', '/app/main.js',
        '/../../../../etc/hostname', '/%2e%2e/%2e%2e/%2e%2e/etc/hostname', '/..%2f..%2f..%2fetc%2fhostname', '/%252e%252e/etc/hostname',
        '/app/../../../../../etc/hostname', '//etc/hostname', '/uplot.js/../../package.json', '/main.js%00', '/main.js/', '/main.js/x', '/%00',
        '/api', '/api/', '/api/feeds/', '/api/feeds/..', '/api/none', '/api/answer_feeds', '/icon.svg%00.php', `/${encodeURIComponent(ODD_FILE)}`,
    ];
    for (const target of targets) {
        const { status, body } = await get(port, target);
        // PHP's own server answers some of them itself.
        assert.ok([400, 404].includes(status), `${target}: ${status}`);
        assert.ok(!body.includes(secret) && !body.includes('a secret') && !body.includes('<?php'), target);
    }
});

test('nothing is answered to who does not know the key', async (context) => {
    const { port, key, cookie } = await start(context);
    const name = cookieName(key);
    for (const header of ['none', `${name}=`, `${name}=${key.slice(1)}`, `${name}=${'0'.repeat(32)}`, `${name}[]=${key}`, `emonfeed=${key}`]) {
        for (const target of ['/', '/main.js', '/api/feeds', `/api/feeds?key=${key}`, '/?key=', '/?key[]=x', `/?key=${key.slice(1)}`, '/none']) {
            const { status, body } = await get(port, target, `Host: localhost\r\nCookie: ${header}`);
            assert.equal(status, 403, `${target} ${header}`);
            assert.match(body, /open the address that was printed/);
        }
    }
    const { status, headers } = await get(port, `/?key=${key}`, 'Host: localhost\r\nCookie: none');
    assert.deepEqual([status, headers.location], [303, '/']);
    assert.match(headers['set-cookie'], new RegExp(`^${cookie}; Path=/; Max-Age=\\d+; HttpOnly; SameSite=Lax$`));
    assert.equal((await get(port, '/')).status, 200);
});

test('a feed is a number that is in the directory, and nothing else', async (context) => {
    const { port } = await start(context);
    for (const id of ['../feed_1', '..%2f..%2fetc%2fpasswd', '1.MYD', '1%00', '01', '+1', '%201', '1%0a', '1/../2', 'x', '', '-1', '99', '1e0', '0x1',
        '99999999999999999999', '%3Cimg%20src%3Dx%20onerror%3Ddocument.title%3D1%3E', 'users']) {
        for (const call of ['feed', `data?from=0&to=9&interval=1`, 'summary?from=0&to=9', `bars?from=0&to=9&by=day&${ZONE}`, `csv?from=0&to=9&what=rows&time=unix&${ZONE}`]) {
            const [status, { error }] = await json(port, `/api/${call}${call.includes('?') ? '&' : '?'}feed=${id}`);
            assert.deepEqual([status, error], [404, 'there is no such feed in the directory'], `${call} ${id}`);
        }
    }
    assert.equal((await get(port, '/api/feed?feed=1')).status, 200);
    assert.equal((await get(port, '/api/feed')).status, 400);
    assert.equal((await get(port, '/api/feed?feed[]=1')).status, 400);
});

test('the list holds the feeds of the directory, and no other file', async (context) => {
    const { port } = await start(context);
    const [, { directory, feeds }] = await json(port, '/api/feeds');
    assert.equal(directory, FEEDS);
    assert.deepEqual(feeds.map(({ name }) => name), ['7.dat', ...Array.from({ length: 14 }, (_, i) => `feed_${i + 1}`)]);
    assert.equal(feeds.find(({ id }) => id === '1').bytes, ROWS_OF_HOUSE * 9);
    assert.match(feeds[0].error, /PHPFina/);
});

test('what is no feed is an error that says why, and links are not followed', async (context) => {
    const { port } = await start(context);
    const error = async (id) => (await json(port, `/api/feed?feed=${id}`)).map((part) => part.error ?? part).join(' ');
    assert.match(await error(8), /^422 .*feed_8\.MYD: at byte 0: /);
    assert.match(await error(10), /^422 .*feed_10/);
    assert.match(await error(11), /^422 .*InnoDB/);
    assert.equal(await error(12), '422 feed_12.MYD is a symbolic link, and this page follows none');
    assert.equal(await error(13), '422 feed_13.MYD is a symbolic link, and this page follows none');
    const [status, seven] = await json(port, '/api/feed?feed=7');
    assert.deepEqual([status, seven.meta.npoints, seven.last, seven.spark], [200, 0, null, null]);
});

test('infinities and NaN break no answer', async (context) => {
    const { port } = await start(context);
    for (const call of ['feed?feed=14', 'summary?feed=14&from=1700000000&to=1700000050', 'data?feed=14&from=1700000000&to=1700000050&interval=20',
        'data?feed=14&from=1700000000&to=1700000050&interval=1', `bars?feed=14&from=1700000000&to=1700000050&by=day&${ZONE}`]) {
        assert.equal((await json(port, `/api/${call}`))[0], 200, call);
    }
});

test('a definition or an index that is a link is refused, too', async (context) => {
    const { directory } = small(context);
    const { port } = await start(context, directory);
    for (const extension of ['frm', 'MYI']) {
        symlinkSync('/etc/passwd', join(directory, `feed_1.${extension}`));
        const [status, { error }] = await json(port, '/api/feed?feed=1');
        assert.deepEqual([status, error], [422, `feed_1.${extension} is a symbolic link, and this page follows none`]);
        rmSync(join(directory, `feed_1.${extension}`));
    }
    assert.equal((await get(port, '/api/feed?feed=1')).status, 200);
});

test('parameters that make no sense are named', async (context) => {
    const { port } = await start(context);
    const cases = {
        'data?feed=1&to=9&interval=1': 'from is missing',
        'data?feed=1&from=0&interval=1': 'to is missing',
        'data?feed=1&from=0&to=9&interval=0': 'interval must be a whole number from 1',
        'data?feed=1&from=0&to=9&interval=1.5': 'interval must be a whole number',
        'data?feed=1&from=9&to=0&interval=1': 'to must be a whole number from 9',
        'data?feed=1&from=0x10&to=99&interval=1': 'from must be a whole number',
        'data?feed=1&from=-99999999999999999999&to=99&interval=1': 'from must be a whole number',
        'data?feed=1&from=0&to=99999999&interval=1': 'more than 20000 windows',
        'bars?feed=1&from=0&to=9&by=eon&zone=UTC': 'by must be one of day, week, month, year',
        'bars?feed=1&from=0&to=9&by=day&zone=..%2f..%2fpasswd': 'zone must be the name of a time zone',
        'bars?feed=1&from=0&to=9&by=day&zone=': 'zone must be the name of a time zone',
        'bars?feed=1&from=-62000000000&to=62000000000&by=day&zone=UTC': 'more than 5000 bars',
        'csv?feed=1,2&from=0&to=9&what=rows&time=unix&zone=UTC': 'one table holds the rows of one feed',
        'csv?feed=1,2,3,4,5,6,7,9&from=0&to=9&what=windows&interval=0&time=unix&zone=UTC': 'interval must be',
        'csv?feed=1&from=0&to=9&what=all&time=unix&zone=UTC': 'what must be one of',
        'csv?feed=1&from=0&to=9&what=rows&time=roman&zone=UTC': 'time must be one of',
    };
    for (const [target, words] of Object.entries(cases)) {
        const [status, { error }] = await json(port, `/api/${target}`);
        assert.deepEqual([status, error.includes(words)], [400, true], `${target}: ${error}`);
    }
});

test('nothing but GET and HEAD', async (context) => {
    const { port } = await start(context);
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
        const { status, headers } = await raw(port, `${method} /api/feeds HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
        assert.deepEqual([status, headers.allow], [405, 'GET, HEAD'], method);
    }
    const { status, body, headers } = await raw(port, 'HEAD /api/feeds HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    assert.deepEqual([status, body], [200, '']);
    assert.ok(Number(headers['content-length']) > 100);
});

test('a name that was made to lead here is not answered, on loopback or elsewhere', async (context) => {
    const { port } = await start(context);
    const status = async (p, host) => (await get(p, '/api/feeds', `Host: ${host}`)).status;
    for (const own of ['localhost', `127.0.0.1:${port}`, '127.0.0.2', '[::1]', '[::1]:80', 'LOCALHOST']) assert.equal(await status(port, own), 200, own);
    for (const other of ['evil.example', `evil.example:${port}`, '127.0.0.1.evil.example', 'localhost.evil.example', '192.168.1.5', '', '[::2]', '0x7f000001', hostname()]) {
        assert.equal(await status(port, other), 403, other);
    }
    const wide = await start(context, FEEDS, '', '0.0.0.0');
    for (const own of ['localhost', '192.168.1.5:99', '[fe80::1]', hostname()]) assert.equal(await status(wide.port, own), 200, own);
    for (const other of ['evil.example', '1.2.3.4.evil.example']) assert.equal(await status(wide.port, other), 403, other);
    assert.match(wide.server.out, /Whoever gets to know that address can read them/);
});

test('another site may link to the page, but not read from it', async (context) => {
    const { port } = await start(context);
    const status = async (target, site) => (await get(port, target, `Host: localhost\r\nSec-Fetch-Site: ${site}`)).status;
    assert.equal(await status('/', 'cross-site'), 200);
    for (const target of ['/api/feeds', '/main.js']) {
        for (const [site, expected] of [['cross-site', 403], ['same-site', 403], ['same-origin', 200], ['none', 200]]) {
            assert.equal(await status(target, site), expected, `${target} ${site}`);
        }
    }
});

test('every answer has the policy, and none may be kept', async (context) => {
    const { port } = await start(context);
    for (const target of ['/', '/main.js', '/style.css', '/uplot.js', '/api/feeds', '/api/none', '/api/feed?feed=8',
        `/api/csv?feed=9&from=0&to=9&what=rows&time=unix&${ZONE}`]) {
        const { headers } = await get(port, target);
        assert.match(headers['content-security-policy'], /^default-src 'none'; script-src 'self'; style-src 'self'; /, target);
        assert.ok(!headers['content-security-policy'].includes('unsafe'), target);
        assert.match(headers['content-security-policy'], /frame-ancestors 'none'/);
        assert.deepEqual([headers['x-content-type-options'], headers['cache-control'], headers['cross-origin-resource-policy'], headers['x-powered-by']],
            ['nosniff', 'no-store', 'same-origin', undefined], target);
    }
    const page = (await get(port, '/')).body;
    assert.ok(!/<script(?![^>]*src=)|<style|\son\w+=|style=/.test(page), 'no inline script or style');
});

test('windows and readings are those of the command', async (context) => {
    const { port } = await start(context);
    const [from, interval] = [END - 40 * 86400, 3600];
    const [, windows] = await json(port, `/api/data?feed=1&from=${from}&to=${from + 99 * interval}&interval=${interval}`);
    assert.equal(windows.kind, 'windows');
    for (const [name, option] of [['average', '--average'], ['min', '--min'], ['max', '--max']]) {
        assert.deepEqual(windows[name], emonfeed(1, '--start', from, '--end', from + 99 * interval, '--interval', interval, option), name);
        assert.equal(windows[name].length, 100);
    }
    // Where there are not more of them than windows: the readings, and the ones beside.
    const [, rows] = await json(port, `/api/data?feed=2&from=${from + 30}&to=${from + 629}&interval=10`);
    assert.deepEqual([rows.kind, rows.rows], ['rows', emonfeed(2, '--rows', '--start', from, '--end', from + 660)]);
    assert.equal(rows.rows.length, 12);
    const [, inGap] = await json(port, `/api/data?feed=2&from=${END - GAP[0] + 3600}&to=${END - GAP[0] + 7200}&interval=1`);
    assert.deepEqual(inGap.rows.map(([time]) => time), [END - GAP[0] - 60, END - GAP[1]]);
});

test('bars begin at midnight in the zone, also where the clocks change', async (context) => {
    const { port } = await start(context);
    // The clocks in London went back on 26 October 2025.
    const [from, to] = [Date.UTC(2025, 9, 24, 12) / 1000, Date.UTC(2025, 9, 28, 12) / 1000];
    const [, bars] = await json(port, `/api/bars?feed=1&from=${from}&to=${to}&by=day&${ZONE}`);
    const london = (day) => emonfeed(1, '--start', `2025-10-${day}`, '--end', '2025-10-28', '--daily', '--timezone', 'Europe/London', '--average');
    assert.deepEqual(bars.average, london(24));
    assert.deepEqual(bars.edges.map((edge, i) => (bars.edges[i + 1] - edge) / 3600).slice(0, -1), [24, 24, 25, 24, 24]);
    const [, months] = await json(port, `/api/bars?feed=1&from=${from}&to=${to}&by=month&${ZONE}`);
    assert.deepEqual(months.edges, [Date.UTC(2025, 8, 30, 23) / 1000, Date.UTC(2025, 10, 1) / 1000]);
    const [, weeks] = await json(port, `/api/bars?feed=1&from=${from}&to=${to}&by=week&${ZONE}`);
    assert.deepEqual(weeks.edges.map((edge) => new Date(edge * 1000).getUTCDay()), [0, 1, 1]);
    // Samoa went without 30 December 2011.
    const [, samoa] = await json(port, `/api/bars?feed=9&from=${Date.UTC(2011, 11, 29) / 1000}&to=${Date.UTC(2012, 0, 2) / 1000}&by=day&zone=Pacific%2FApia`);
    assert.deepEqual(samoa.edges.map((edge, i) => samoa.edges[i + 1] - edge).slice(0, -1).filter((length) => length !== 86400), []);
    const [, summary] = await json(port, `/api/summary?feed=1&from=${from}&to=${to}`);
    assert.deepEqual(summary.count[0][1], emonfeed(1, '--rows', '--start', from, '--end', to).length);
});

test('CSV: all readings of a range, in pieces, and windows of several feeds in one table', async (context) => {
    const { url, cookie } = await start(context);
    const csv = async (query) => {
        const response = await fetch(`${url}/api/csv?${query}`, { headers: { cookie } });
        assert.equal(response.status, 200, query);
        return [await response.text(), response.headers.get('content-disposition')];
    };
    const from = END - 30 * 86400;
    const [all, name] = await csv(`feed=1&from=${from}&to=${END}&what=rows&time=unix&zone=UTC`);
    const lines = all.trimEnd().split('\n');
    assert.equal(lines.shift(), 'time,feed_1');
    assert.ok(lines.length > 65536, 'more than one piece');
    assert.deepEqual(lines.map((line) => line.split(',').map(Number)), emonfeed(1, '--rows', '--start', from, '--end', END));
    assert.equal(name, 'attachment; filename="feed_1_20251202-20260101.csv"');

    const [table] = await csv(`feed=1,2&from=${from}&to=${from + 7200}&what=windows&interval=3600&time=iso8601&${ZONE}`);
    const [head, ...windows] = table.trimEnd().split('\n');
    assert.equal(head, 'time,feed_1 average,feed_1 minimum,feed_1 maximum,feed_2 average,feed_2 minimum,feed_2 maximum');
    assert.deepEqual(windows.map((line) => line.split(',')[0]), ['2025-12-02T00:00:00+00:00', '2025-12-02T01:00:00+00:00', '2025-12-02T02:00:00+00:00']);
    for (const [column, id, option] of [[1, 1, '--average'], [3, 1, '--max'], [4, 2, '--average'], [5, 2, '--min']]) {
        assert.deepEqual(windows.map((line) => Number(line.split(',')[column])),
            emonfeed(id, '--start', from, '--end', from + 7200, '--interval', 3600, option).map(([, value]) => value));
    }
    const [bars] = await csv(`feed=4&from=${Date.UTC(2025, 5, 10) / 1000}&to=${Date.UTC(2025, 5, 11) / 1000}&what=bars&by=day&time=iso8601&${ZONE}`);
    assert.match(bars, /^time,feed_4 average,feed_4 minimum,feed_4 maximum,feed_4 sum,feed_4 count\n2025-06-10T00:00:00\+01:00,.*,1440\n2025-06-11T00:00:00\+01:00,.*,1440\n$/);
});

test('a download whose feed is cleared meanwhile does not look complete', async (context) => {
    const { directory } = small(context);
    const file = join(directory, 'feed_1.MYD');
    copyFileSync(join(FEEDS, 'feed_1.MYD'), file);
    const { url, cookie } = await start(context, directory);
    const request = httpGet(`${url}/api/csv?feed=1&from=0&to=${END}&what=rows&time=unix&zone=UTC`, { headers: { cookie } });
    const [response] = await once(request, 'response');
    assert.equal(response.statusCode, 200);
    await once(response, 'data');
    truncateSync(file, 90);
    await assert.rejects(async () => {
        for await (const piece of response) assert.ok(piece.length);
    }, /aborted/);
    assert.equal(response.complete, false);
});

test('a feed that grows, is cut, spoilt or removed is answered as it is', async (context) => {
    const { directory, file } = small(context);
    const { port } = await start(context, directory);
    const count = async () => {
        const [status, answer] = await json(port, `/api/summary?feed=1&from=0&to=${END}`);
        return answer.error ?? [status, answer.count[0][1]];
    };
    assert.deepEqual(await count(), [200, 1000]);
    const row = Buffer.from([0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
    row.writeUInt32LE(END - 1, 1);
    appendFileSync(file, row);
    assert.deepEqual(await count(), [200, 1001]);
    truncateSync(file, 900);
    assert.deepEqual(await count(), [200, 100]);
    truncateSync(file, 0);
    const [, empty] = await json(port, `/api/data?feed=1&from=0&to=99&interval=1`);
    assert.deepEqual(empty, { kind: 'rows', rows: [] });
    writeFileSync(file, 'no rows at all');
    assert.match(await count(), /feed_1\.MYD: /);
    rmSync(file);
    assert.equal(await count(), 'there is no such feed in the directory');
    assert.equal((await get(port, '/api/feeds')).status, 200);
});

test('the backup of the directory, of which it is the source or which it is', async (context) => {
    const source = await start(context, FEEDS, BACKUP);
    const [, { backup }] = await json(source.port, '/api/backup');
    assert.deepEqual([backup.is_backup, backup.destination, backup.last_run.source, backup.last_run.outcome], [false, BACKUP, FEEDS, 'incomplete']);
    const health = Object.fromEntries(backup.feeds.map((feed) => [feed.file, feed.health]));
    assert.deepEqual([health['feed_1.MYD'], health['feed_8.MYD']], ['ok', 'failing']);
    assert.equal(backup.feeds.find((feed) => feed.file === 'feed_1.MYD').rows, ROWS_OF_HOUSE);

    const copies = await start(context, BACKUP);
    const [, own] = await json(copies.port, '/api/backup');
    assert.deepEqual([own.backup.is_backup, own.backup.last_run.source], [true, FEEDS]);
    const none = await start(context);
    assert.deepEqual(await json(none.port, '/api/backup'), [200, { backup: null }]);
    const wrong = await start(context, FEEDS, join(TOP, 'docs'));
    assert.match((await json(wrong.port, '/api/backup')).map((part) => part.error ?? part).join(' '), /^422 .*there is no catalog here/);
});

test('PHP asks the system for no name that a request brings', async (context) => {
    const { port, server } = await start(context);
    const trace = join(mkdtempSync(join(tmpdir(), 'emonfeed-trace-')), 'calls');
    const workers = phpOf(server);
    const strace = spawn('strace', ['-f', '-e', 'trace=file', '-o', trace, ...workers.flatMap((pid) => ['-p', pid])], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    for await (const text of strace.stderr) {
        said += text;
        if (said.split('attached').length > workers.length) break;
    }
    assert.equal(workers.length, 5, said);
    await get(port, '/canary-path/../canary-up');
    await get(port, '/api/feed?feed=canary-feed');
    await get(port, '/api/bars?feed=1&from=0&to=9&by=day&zone=canary-zone');
    await get(port, '/api/feed?feed=9');
    const ended = once(strace, 'exit');
    strace.kill('SIGTERM');
    await ended;
    const calls = readFileSync(trace, 'utf8');
    rmSync(join(trace, '..'), { recursive: true });
    assert.match(calls, /openat\(.*feed_9\.MYD/, said);
    assert.ok(!/canary-(feed|zone)/.test(calls), calls.split('\n').filter((line) => line.includes('canary')).join('\n'));
    // Of a path, PHP's server itself looks in its root, where nothing is.
    const looked = calls.split('\n').filter((line) => line.includes('canary'));
    assert.ok(looked.every((line) => /stat\w*\(.*"[^"]*target\/explore\/empty\/[^"]*".* = -1 ENOENT/.test(line)), looked.join('\n'));
});
