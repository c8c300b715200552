// The page in a browser: what is on the screen, against what the command says.

import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { columnsOf, launch, move, open, rangeOf, settled, shown } from './browser.mjs';
import { END, GAP, HOUSE, ROWS_OF_HOUSE, write } from './feeds.mjs';
import { BACKUP, FEEDS, emonfeed, oneOf, start } from './server.mjs';

const DAY = 86400;
let browser;
let url;
const ending = [];
before(async () => {
    browser = await launch();
    ({ url } = await start({ after: (end) => ending.push(end) }, FEEDS, BACKUP));
});
after(async () => {
    await browser.close();
    for (const end of ending) await end();
});

/** Whether a number on the screen is that value, to the digits it shows. */
function same(text, value, name) {
    const digits = text.replace(/,/g, '');
    const shown = Number(digits);
    assert.ok(digits !== '' && !Number.isNaN(shown), `${name}: ${text}`);
    if (digits.includes('e')) {
        assert.ok(Math.abs(shown - value) <= Math.abs(value) * 1e-4, `${name}: ${text} on the screen, ${value} from the command`);
        return;
    }
    const decimals = digits.split('.')[1]?.length ?? 0;
    const significant = digits.replace(/^-?0*\.?0*/, '').replace('.', '').length;
    // A number without decimals may have been rounded to its first five digits.
    const unit = decimals || significant < 5 ? 10 ** -decimals : 10 ** Math.max(0, significant - 5);
    assert.ok(Math.abs(shown - value) <= unit / 2 + Math.abs(value) * 1e-7, `${name}: ${text} on the screen, ${value} from the command`);
}

/** The statistics of the visible range, against those of the command. */
async function checkStatistics(page, ids) {
    const [from, to] = await rangeOf(page);
    for (const id of ids) {
        const numbers = await shown(page, id);
        const one = (aggregate) => oneOf(id, aggregate, from, to - from + 1)[1];
        assert.equal(numbers.count, one('count').toLocaleString('en'), `feed ${id}: count`);
        for (const [name, aggregate] of [['min', 'min'], ['average', 'average'], ['max', 'max'], ['latest', 'last']]) {
            const value = one(aggregate);
            if (value === null) assert.equal(numbers[name], '–');
            else same(numbers[name], value, `feed ${id}, ${from} to ${to}: ${name}`);
        }
    }
}

/** What is at the cursor, against the window or the reading that the command has there. */
async function checkCursor(page, id, share) {
    const box = await page.locator('.u-over').boundingBox();
    await page.mouse.move(box.x + box.width * share, box.y + box.height / 2);
    await page.waitForFunction((feed) => document.querySelector(`#readout tr[data-id="${feed}"] .at`).textContent, id);
    const cell = page.locator(`#readout tr[data-id="${id}"] .at`);
    const [text, title] = [await cell.textContent(), await cell.getAttribute('title')];
    const window = /^(.*), ([\d.]+) (second|minute|hour|day|week|month|year)s?$/.exec(title);
    if (!window) {
        const time = Date.parse(`${title} UTC`) / 1000;
        const [row] = emonfeed(id, '--rows', '--start', time, '--end', time);
        same(text, row[1], `feed ${id} at ${title}`);
        return 'row';
    }
    const seconds = { second: 1, minute: 60, hour: 3600, day: DAY, week: 7 * DAY }[window[3]] * Number(window[2]);
    const begin = Date.parse(`${window[1]} UTC`) / 1000;
    assert.ok(begin >= 0 && begin % seconds === 0, title);
    const [, average, low, high] = /^(.*) \((.*) to (.*)\)$/.exec(text);
    for (const [shownText, aggregate] of [[average, 'average'], [low, 'min'], [high, 'max']]) {
        same(shownText, oneOf(id, aggregate, begin, seconds)[1], `feed ${id} at ${title}: ${aggregate}`);
    }
    return 'window';
}

const hash = (parameters) => `/#${new URLSearchParams({ zone: 'UTC', ...parameters })}`;

test('the list: rows, sizes, last readings, sparklines, copies, and what is wrong', async () => {
    const page = await open(browser, url);
    const line = (id) => page.locator(`.feed[data-id="${id}"]`);
    await line(1).locator('svg').waitFor();
    for (const id of [1, 2, 3, 4, 5]) {
        await line(id).locator('svg .line').first().waitFor();
        const one = (aggregate, ...options) => oneOf(id, aggregate, 0, END, ...options);
        const [time, last] = one('last', '--true-time');
        assert.equal(await line(id).locator('.rows').textContent(), `${one('count')[1].toLocaleString('en')} rows`);
        same(await line(id).locator('.last b').textContent(), last, `feed ${id}: last`);
        assert.equal(await line(id).locator('time').getAttribute('datetime'), new Date(time * 1000).toISOString());
        assert.match(await line(id).locator('.backup').textContent(), /^copied .* ago$|^copied in 0/);
    }
    assert.equal(await line(1).locator('.rows').textContent(), `${ROWS_OF_HOUSE.toLocaleString('en')} rows`);
    assert.equal(await line(1).locator('.size').textContent(), '95 MB');
    assert.equal(await line(7).locator('.last').textContent(), 'no readings');
    assert.match(await line(8).locator('.backup').textContent(), /^failing/);
    for (const [id, words] of [[8, /feed_8\.MYD: at byte 0/], [10, /rows of variable length/], [11, /InnoDB/], [12, /symbolic link/], [13, /symbolic link/], ['7.dat', /PHPFina/]]) {
        await line(id).locator('.wrong').waitFor();
        assert.match(await line(id).locator('.wrong').textContent(), words);
    }
    // The directory has a name that would be bold, were it not text.
    assert.equal(await page.locator('#directory').textContent(), FEEDS);
    assert.equal(await page.locator('b b, #directory *, img').count(), 0);
    assert.equal(await page.locator('.feed').count(), 15);
    await page.fill('#find', 'feed_1');
    assert.equal(await page.locator('.feed:visible').count(), 6);
    await page.fill('#find', '');
    await page.selectOption('#order', 'rows');
    assert.equal(await page.locator('.feed').first().getAttribute('data-id'), '1');
    assert.deepEqual(page.faults, []);
});

test('from ten years to ten seconds, the numbers are those of the command', async () => {
    const page = await open(browser, url + hash({ feeds: 1, from: END - HOUSE.years, to: END }));
    await settled(page);
    const box = await page.locator('.u-over').boundingBox();
    const kinds = new Set();
    const spans = [];
    for (let i = 0; i < 60; i++) {
        const [from, to] = await rangeOf(page);
        spans.push(to - from);
        if (i % 6 === 0 || to - from <= 10) await checkStatistics(page, [1]);
        if (to - from <= 10) break;
        if (i % 6 === 0) kinds.add(await checkCursor(page, 1, 0.5));
        await page.mouse.move(box.x + box.width / 2, box.y + 50);
        await move(page, () => page.mouse.wheel(0, -400));
    }
    assert.deepEqual([...kinds], ['window', 'row']);
    assert.ok(spans[0] >= 3650 * DAY && spans.at(-1) <= 10, spans.join());
    assert.deepEqual(page.faults, []);
});

test('how long a zoom step takes at ten million rows', async (context) => {
    const page = await open(browser, url + hash({ feeds: 1, from: END - HOUSE.years, to: END }));
    await settled(page);
    const box = await page.locator('.u-over').boundingBox();
    await page.mouse.move(box.x + box.width * 0.7, box.y + 50);
    await page.evaluate(() => performance.clearMeasures('emonfeed step'));
    for (const turn of [-400, 400]) {
        for (let i = 0; i < 28; i++) await move(page, () => page.mouse.wheel(0, turn));
    }
    const { steps, answers } = await page.evaluate(() => ({
        steps: performance.getEntriesByName('emonfeed step').map(({ duration }) => duration),
        answers: performance.getEntriesByType('resource').filter(({ name }) => name.includes('/api/data')).map(({ duration }) => duration),
    }));
    assert.ok(steps.length >= 50, `${steps.length} steps`);
    const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
    const last = (list, share) => list[Math.floor(list.length * share)];
    context.diagnostic(`${steps.length} zoom steps at ${ROWS_OF_HOUSE} rows, from the wheel to the finished picture: ` +
        `median ${median(steps).toFixed(1)} ms, nine in ten below ${last(steps, 0.9).toFixed(1)} ms; ` +
        `${answers.length} answers of the server: median ${median(answers).toFixed(1)} ms`);
});

test('a spike of one reading in ten million is seen at ten years, and where it is', async () => {
    const [from, to] = [END - HOUSE.years, END];
    const page = await open(browser, url + hash({ feeds: 1, from, to }));
    await settled(page);
    const { columns, height } = await columnsOf(page);
    const tops = columns.map(([upper]) => upper ?? height);
    const highest = tops.indexOf(Math.min(...tops));
    const expected = (HOUSE.spike / (to - from)) * columns.length;
    assert.ok(Math.abs(highest - expected) < 6, `column ${highest} of ${columns.length}, expected ${expected}`);
    assert.ok(tops[highest] < height * 0.15, 'it reaches up');
    const others = tops.filter((_, x) => Math.abs(x - highest) > 12);
    assert.ok(Math.min(...others) > height * 0.6, 'and nothing else does');
    same((await shown(page, 1)).max, HOUSE.spikeWatts, 'maximum');
});

test('missing days are a gap, at any zoom; the rest is not', async () => {
    const page = await open(browser, url);
    for (const [from, to] of [[END - 730 * DAY, END], [END - 130 * DAY, END - 60 * DAY], [END - GAP[0] - DAY / 2, END - GAP[1] + DAY / 2]]) {
        await page.goto(url + hash({ feeds: 2, from, to }));
        await page.reload();
        await settled(page);
        const { columns } = await columnsOf(page);
        const at = (time) => ((time - from) / (to - from)) * columns.length;
        const [begin, end] = [at(END - GAP[0]), at(END - GAP[1])];
        columns.forEach(([upper], x) => {
            if (x > begin + 5 && x < end - 5) assert.equal(upper, null, `${from}: column ${x}, the gap is from ${begin} to ${end}`);
            if (x > 1 && x < columns.length - 2 && (x < begin - 5 || x > end + 5)) assert.notEqual(upper, null, `${from}: column ${x}, the gap is from ${begin} to ${end}`);
        });
    }
    assert.deepEqual(page.faults, []);
});

test('windows alone between gaps show what they hold', async (context) => {
    const directory = mkdtempSync(join(tmpdir(), 'emonfeed-explore-'));
    context.after(() => rmSync(directory, { recursive: true }));
    const rows = [];
    // Half a year of fifties, 30 days with three bursts of 0 and 100, and half a year again.
    const [from, to] = [END - 390 * DAY, END];
    for (let time = from; time < to; time += 600) {
        const day = Math.floor((time - from) / DAY);
        if (day < 180 || day >= 210) rows.push([time, 50]);
        else if ([187, 195, 203].includes(day)) rows.push([time, (time / 600) % 2 ? 100 : 0]);
    }
    write(join(directory, 'feed_1.MYD'), rows);
    const own = await start(context, directory);
    const page = await open(browser, own.url + hash({ feeds: 1, from, to }));
    await settled(page);
    const { columns, height } = await columnsOf(page);
    const tall = columns.map(([upper, lower]) => (upper !== null && lower - upper > height * 0.7 ? 'x' : ' ')).join('');
    assert.equal(tall.trim().split(/ +/).length, 3, tall);
});

test('pan and zoom by mouse, keys and buttons', async () => {
    const [from, to] = [END - 20 * DAY, END - 10 * DAY];
    const page = await open(browser, url + hash({ feeds: 4, from, to }));
    await settled(page);
    const box = await page.locator('.u-over').boundingBox();
    const second = (to - from) / box.width;
    const range = async () => (await rangeOf(page)).map(Number);
    const near = (found, expected, what) => found.forEach((time, i) => assert.ok(Math.abs(time - expected[i]) <= 2 * second + 1, `${what}: ${found}, expected ${expected}`));
    const drag = async (x, y, dx) => {
        await page.mouse.move(box.x + x, box.y + y);
        await page.mouse.down();
        await page.mouse.move(box.x + x + dx / 2, box.y + y);
        await page.mouse.move(box.x + x + dx, box.y + y);
        await page.mouse.up();
    };
    near(await range(), [from, to], 'as the address says');
    await move(page, async () => {
        await page.keyboard.down('Shift');
        await drag(400, 100, 200);
        await page.keyboard.up('Shift');
    });
    near(await range(), [from - 200 * second, to - 200 * second], 'shift and drag');
    await move(page, () => drag(400, box.height + 12, -200));
    near(await range(), [from, to], 'drag on the axis');
    await move(page, () => drag(100, 100, 300));
    near(await range(), [from + 100 * second, from + 400 * second], 'a range chosen');
    await checkStatistics(page, [4]);
    await page.locator('#chart').focus();
    const span = 300 * second;
    const key = (name) => move(page, () => page.keyboard.press(name));
    await key('ArrowRight');
    near(await range(), [from + 100 * second + span / 4, from + 400 * second + span / 4], 'right');
    await key('-');
    near(await range(), [from + 100 * second - span / 4, from + 400 * second + (3 * span) / 4], 'minus');
    await key('+');
    near(await range(), [from + 100 * second + span / 4, from + 400 * second + span / 4], 'plus');
    await key('Home');
    const [first, last] = [emonfeed(4, '--rows', '--limit', 1)[0][0], END - 60];
    near(await range(), [first, first + span], 'home');
    await key('End');
    near(await range(), [last - span, last], 'end');
    await key('0');
    near(await range(), [first, last], 'all');
    await move(page, () => page.getByRole('button', { name: 'Week' }).click());
    near(await range(), [last - 7 * DAY, last], 'week');
    assert.equal(await page.getByRole('button', { name: 'Week' }).getAttribute('aria-pressed'), 'true');
    await move(page, () => page.getByRole('button', { name: 'Earlier' }).click());
    near(await range(), [last - 10.5 * DAY, last - 3.5 * DAY], 'earlier');
    await move(page, () => page.getByRole('button', { name: 'Zoom in' }).click());
    near(await range(), [last - 8.75 * DAY, last - 5.25 * DAY], 'zoom in');
    // The view is kept in the address.
    await page.waitForFunction((time) => Math.abs(new URLSearchParams(location.hash.slice(1)).get('from') - time) < 9, last - 8.75 * DAY);
    const before = await range();
    await page.reload();
    await settled(page);
    assert.deepEqual(await range(), before);
    assert.deepEqual(page.faults, []);
});

test('a panned view is there at once, and is not asked for again', async () => {
    const page = await open(browser, url + hash({ feeds: 1, from: END - 60 * DAY, to: END - 50 * DAY }));
    await settled(page);
    let asked = 0;
    page.on('request', (request) => (asked += request.url().includes('/api/data') ? 1 : 0));
    await page.route('**/api/data*', (route) => route.abort());
    await page.locator('#chart').focus();
    await move(page, () => page.keyboard.press('ArrowRight'));
    await move(page, () => page.keyboard.press('ArrowLeft'));
    assert.equal(asked, 0);
    await checkStatistics(page, [1]);
});

test('while finer windows are on their way, the old picture stays', async () => {
    const page = await open(browser, url + hash({ feeds: 1, from: END - 300 * DAY, to: END - 10 * DAY }));
    await settled(page);
    let release;
    const held = new Promise((resolve) => (release = resolve));
    await page.route('**/api/data*', async (route) => {
        await held;
        await route.continue();
    });
    const asked = page.waitForRequest((request) => request.url().includes('/api/data'));
    const box = await page.locator('.u-over').boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + 50);
    await page.evaluate(() => (window.stepsBefore = performance.getEntriesByName('emonfeed step').length));
    await page.mouse.wheel(0, -400);
    await asked;
    await page.waitForFunction(() => /windows|average/.test(document.querySelector('#how').textContent));
    const { columns } = await columnsOf(page);
    assert.equal(columns.slice(2, -2).filter(([upper]) => upper === null).length, 0, 'no column is empty');
    assert.equal(await page.evaluate(() => performance.getEntriesByName('emonfeed step').length - window.stepsBefore), 0);
    release();
    await settled(page);
    await checkCursor(page, 1, 0.5);
});

test('the values at the cursor, by keys alone, and said aloud', async () => {
    const page = await open(browser, url + hash({ feeds: 2, from: END - 7200, to: END - 3600 }));
    await settled(page);
    await page.waitForFunction(() => document.querySelector('#live').textContent.includes('feed_2: minimum'));
    await page.locator('#chart').focus();
    await page.keyboard.press('.');
    const read = async () => {
        const said = await page.locator('#live').textContent();
        const [, when, value] = /^(.*): feed_2 (.*)$/.exec(said);
        const time = Date.parse(`${when} UTC`) / 1000;
        same(value, emonfeed(2, '--rows', '--start', time, '--end', time)[0][1], said);
        return time;
    };
    const first = await read();
    await page.keyboard.press('.');
    assert.equal(await read(), first + 60);
    await page.keyboard.press('<');
    assert.equal(await read(), first - 540);
    // Everything can be reached, and one sees where one is.
    const reached = new Set();
    await page.locator('h1').click();
    for (let i = 0; i < 60; i++) {
        await page.keyboard.press('Tab');
        const { what, outline } = await page.evaluate(() => ({
            what: document.activeElement.id || document.activeElement.closest('[data-id]')?.dataset.id || document.activeElement.textContent,
            outline: getComputedStyle(document.activeElement).outlineStyle,
        }));
        reached.add(what);
        if (!['chart', ''].includes(what) && outline === 'none') assert.fail(`${what} has no outline`);
        if (what === '5') break;
    }
    for (const id of ['zone', 'refresh', 'theme', 'back', 'closer', 'farther', 'forth', 'bars', 'csv', 'png', 'close', 'chart', 'find', 'order', '1', '2']) {
        assert.ok(reached.has(id), `${id} of ${[...reached].join()}`);
    }
    await page.locator('#chart').focus();
    await page.keyboard.press('Escape');
    await page.waitForFunction(() => document.querySelector('#charted').hidden);
});

test('bars of days and months, in the zone', async () => {
    const zone = 'Europe/London';
    const [from, to] = [Date.UTC(2025, 9, 20) / 1000, Date.UTC(2025, 10, 3) / 1000];
    const page = await open(browser, url + hash({ feeds: 1, from, to, bars: 'day', zone }));
    await settled(page);
    const bar = async (share) => {
        const box = await page.locator('.u-over').boundingBox();
        await page.mouse.move(box.x + box.width * share, box.y + box.height / 2);
        const cell = page.locator('#readout tr[data-id="1"] .at');
        return [await cell.textContent(), await cell.getAttribute('title')];
    };
    const daily = (aggregate) => emonfeed(1, '--start', '2025-10-26', '--end', '2025-10-26', '--daily', '--timezone', zone, `--${aggregate}`)[0][1];
    const share = (Date.UTC(2025, 9, 26, 12) / 1000 - from) / (to - from);
    let [text, title] = await bar(share);
    assert.equal(title, '26 Oct 2025 to 26 Oct 2025');
    same(text, daily('average'), 'average');
    const show = (name) => move(page, () => page.selectOption('#show', name));
    await show('range');
    [text] = await bar(share);
    same(text.split(' to ')[0], daily('min'), 'minimum');
    same(text.split(' to ')[1], daily('max'), 'maximum');
    await show('sum');
    same((await bar(share))[0], daily('sum'), 'sum');
    await show('energy');
    [text] = await bar(share);
    // On that day the clocks went back: it had 25 hours.
    same(text.replace(' kWh', ''), (daily('average') * 25) / 1000, 'energy');
    await show('average');
    await move(page, () => page.selectOption('#bars', 'month'));
    [text, title] = await bar(share);
    assert.equal(title, '1 Oct 2025 to 31 Oct 2025');
    same(text, emonfeed(1, '--start', '2025-10-01', '--end', '2025-10-01', '--monthly', '--timezone', zone, '--average')[0][1], 'month');
    // Ten years of days are more than there are pixels for.
    await move(page, () => page.selectOption('#bars', 'day'));
    await move(page, () => page.getByRole('button', { name: 'All' }).click());
    assert.match(await page.locator('#how').textContent(), /months, as shorter bars would be too narrow|weeks, as shorter/);
    assert.deepEqual(page.faults, []);
});

test('several feeds: colours, axes, and one too many', async () => {
    const page = await open(browser, url);
    await page.getByRole('button', { name: 'feed_1', exact: true }).click();
    await settled(page);
    for (const id of [2, 3]) await move(page, () => page.locator(`.feed[data-id="${id}"] input`).check());
    await checkStatistics(page, [1, 2, 3]);
    await page.waitForFunction(() => location.hash.includes('feeds=1%2C2%2C3') || location.hash.includes('feeds=1,2,3'));
    const colours = await page.locator('#readout .swatch').evaluateAll((all) => all.map((one) => getComputedStyle(one).backgroundColor));
    assert.equal(new Set(colours).size, 3);
    // Degrees beside watts have an axis of their own.
    assert.equal(await page.locator('.u-axis').count(), 3);
    await move(page, () => page.locator('#readout tr[data-id="2"] .tools button').first().click());
    assert.equal(await page.locator('.u-axis').count(), 2);
    for (const id of [4, 5, 6, 7, 9]) await page.locator(`.feed[data-id="${id}"] input`).check();
    await page.waitForFunction(() => document.querySelectorAll('#readout tbody tr').length === 8);
    await settled(page);
    await move(page, () => page.getByRole('button', { name: 'feed_9: out of the chart' }).click());
    assert.equal(await page.locator('#readout tbody tr').count(), 7);
    assert.equal(await page.locator('.feed[data-id="9"] input').isChecked(), false);
    await page.goBack();
    await page.waitForFunction(() => document.querySelectorAll('#readout tbody tr').length === 8);
    assert.deepEqual(page.faults, []);
});

test('the visible range as CSV and as PNG', async () => {
    const page = await open(browser, url + hash({ feeds: '1,2', from: END - 30 * DAY, to: END - 20 * DAY }));
    await settled(page);
    const save = async (locator) => {
        const [download] = await Promise.all([page.waitForEvent('download'), locator.click()]);
        assert.equal(await download.failure(), null);
        return [download.suggestedFilename(), readFileSync(await download.path())];
    };
    const [name, csv] = await save(page.locator('#csv'));
    assert.match(name, /^feed_1_feed_2_.*\.csv$/);
    const [head, ...lines] = csv.toString().trimEnd().split('\n');
    assert.match(head, /^time,feed_1 average,.*,feed_2 maximum$/);
    const times = lines.map((line) => Date.parse(line.split(',')[0]) / 1000);
    const interval = times[1] - times[0];
    assert.ok(times[0] <= END - 30 * DAY && times[0] > END - 30 * DAY - interval && times.at(-1) > END - 20 * DAY - interval);
    assert.deepEqual(lines.map((line) => Number(line.split(',')[1])), emonfeed(1, '--start', times[0], '--end', times.at(-1), '--interval', interval, '--average').map(([, value]) => value));

    const [, rows] = await save(page.locator('#readout tr[data-id="2"] .rowscsv'));
    assert.equal(rows.toString().trimEnd().split('\n').length - 1, emonfeed(2, '--rows', '--start', END - 30 * DAY, '--end', END - 20 * DAY).length);

    const [pictureName, png] = await save(page.locator('#png'));
    assert.equal(pictureName, 'feed_1_feed_2.png');
    assert.equal(png.subarray(0, 8).toString('latin1'), '\x89PNG\r\n\x1a\n');
    const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
    const canvas = await page.locator('#chart canvas').evaluate(({ width: w, height: h }) => [w, h]);
    assert.ok(width > canvas[0] && height > canvas[1] + 40, 'a title and names are around it');
    assert.deepEqual(page.faults, []);
});

test('a feed that is cleared or removed while it is looked at', async (context) => {
    const directory = mkdtempSync(join(tmpdir(), 'emonfeed-explore-'));
    context.after(() => rmSync(directory, { recursive: true }));
    for (const id of [2, 3]) copyFileSync(join(FEEDS, `feed_${id}.MYD`), join(directory, `feed_${id}.MYD`));
    const own = await start(context, directory);
    const page = await open(browser, own.url + hash({ feeds: '2,3', from: END - 30 * DAY, to: END - 20 * DAY }));
    await settled(page);
    truncateSync(join(directory, 'feed_2.MYD'), 0);
    rmSync(join(directory, 'feed_3.MYD'));
    await page.locator('#chart').focus();
    await page.keyboard.press('-');
    await page.locator('#readout tr[data-id="3"].failed').waitFor();
    assert.match(await page.locator('#readout tr[data-id="3"] .wrong').textContent(), /no such feed in the directory/);
    await page.waitForFunction(() => document.querySelector('#readout tr[data-id="2"] .count').textContent === '0');
    copyFileSync(join(FEEDS, 'feed_3.MYD'), join(directory, 'feed_3.MYD'));
    await move(page, () => page.click('#refresh'));
    await checkStatistics(page, [3]);
    assert.deepEqual(page.faults, []);
});

test('an empty feed, a single reading, and a feed that cannot be read', async () => {
    const page = await open(browser, url + hash({ feeds: 7 }));
    await settled(page);
    assert.equal((await shown(page, 7)).count, '0');
    await page.goto(url + hash({ feeds: 9 }));
    await page.reload();
    await settled(page);
    assert.deepEqual(await shown(page, 9), { at: '', min: '1.5', average: '1.5', max: '1.5', latest: '1.5', count: '1' });
    assert.ok((await columnsOf(page)).columns.some(([upper]) => upper !== null), 'a point is drawn');
    await page.goto(url + hash({ feeds: 14 }));
    await page.reload();
    await settled(page);
    // Two of its five values are numbers, each between gaps.
    const drawn = (await columnsOf(page)).columns.map(([upper]) => (upper === null ? ' ' : 'x')).join('');
    assert.equal(drawn.trim().split(/ +/).length, 2, drawn);
    await page.goto(url + hash({ feeds: '8,12' }));
    await page.reload();
    await page.waitForFunction(() => /symbolic link|at byte 0/.test(document.querySelector('#message').textContent));
    assert.equal(await page.locator('#charted').isHidden(), true);
    assert.deepEqual(page.faults, []);
});

test('a table with holes and late rows is drawn by its times', async () => {
    const page = await open(browser, url + hash({ feeds: 6 }));
    await settled(page);
    await move(page, () => page.getByRole('button', { name: 'All' }).click());
    await checkStatistics(page, [6]);
});

test('on a telephone nothing is wider than the screen, and fingers move and zoom', async (context) => {
    const [from, to] = [END - 30 * DAY, END - 20 * DAY];
    const page = await open(browser, url + hash({ feeds: '1,2', from, to }), { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
    await settled(page);
    const isWide = () => page.evaluate(() => document.documentElement.scrollWidth > screen.width);
    assert.equal(await isWide(), false);
    const touch = await page.context().newCDPSession(page);
    const fingers = (type, ...places) => touch.send('Input.dispatchTouchEvent', { type, touchPoints: places.map(([x, y], id) => ({ x, y, id })) });
    await page.locator('#chart').scrollIntoViewIfNeeded();
    const box = await page.locator('.u-over').boundingBox();
    const y = box.y + box.height / 2;
    const second = (to - from) / box.width;
    const near = async (expected, what) => {
        const found = await rangeOf(page);
        found.forEach((time, i) => assert.ok(Math.abs(time - expected[i]) <= 3 * second, `${what}: ${found}, expected ${expected}`));
    };
    await move(page, async () => {
        await fingers('touchStart', [box.x + 100, y]);
        await fingers('touchMove', [box.x + 120, y]);
        await fingers('touchMove', [box.x + 150, y]);
        await fingers('touchEnd');
    });
    await near([from - 50 * second, to - 50 * second], 'one finger');
    await move(page, async () => {
        await fingers('touchStart', [box.x + 50, y], [box.x + 100, y]);
        await fingers('touchMove', [box.x + 40, y], [box.x + 120, y]);
        await fingers('touchMove', [box.x + 25, y], [box.x + 125, y]);
        await fingers('touchEnd');
    });
    const middle = from - 50 * second + 75 * second;
    await near([middle - 37.5 * second, middle - 37.5 * second + (to - from) / 2], 'two fingers');
    await page.click('#close');
    await page.locator('.feed[data-id="1"] svg').waitFor();
    assert.equal(await isWide(), false);
    assert.deepEqual(page.faults, []);
});

test('dark as the system is, or as one chooses', async () => {
    const page = await open(browser, url + hash({ feeds: 1 }), { colorScheme: 'dark' });
    await settled(page);
    const light = async () => page.evaluate(() => {
        const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number);
        return r + g + b > 380;
    });
    assert.equal(await light(), false);
    await page.getByRole('button', { name: 'Light' }).click();
    assert.equal(await light(), true);
    await page.reload();
    await settled(page);
    assert.equal(await light(), true);
    assert.deepEqual(page.faults, []);
});
