// What is computed without a browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heights, unitFor } from '../app/bars.js';
import { columns, merge, nearest } from '../app/gaps.js';
import { backupState } from '../app/list.js';
import { nice } from '../app/loader.js';
import * as text from '../app/text.js';
import { format, parse, within, zoomed } from '../app/view.js';

const rows = (times, value = (t) => t) => ({ kind: 'rows', rows: times.map((t) => [t, value(t)]) });
const span = (from, to, step) => Array.from({ length: Math.ceil((to - from) / step) }, (_, i) => from + i * step);
/** Between which times there is a gap. */
const gaps = ({ times, average }) => times.flatMap((time, i) => (average[i] === null ? [[times[i - 1], times[i + 1]]] : []));

function windows(starts, interval) {
    const of = (shift) => starts.map((t) => [t, 10 + shift]);
    return { kind: 'windows', interval, average: of(0), min: of(-1), max: of(1) };
}

test('readings at their usual distance are joined, and five times that is no gap yet', () => {
    assert.deepEqual(gaps(columns(rows(span(0, 1000, 10)), 10)), []);
    assert.deepEqual(gaps(columns(rows([...span(0, 500, 10), ...span(540, 1000, 10)]), 10)), []);
    assert.deepEqual(gaps(columns(rows([...span(0, 500, 10), ...span(550, 1000, 10)]), 10)), [[490, 550]]);
});

test('a feed that changes from every 10 to every 300 seconds has no gaps, whatever its usual distance', () => {
    const times = [...span(0, 3000, 10), ...span(3290, 33000, 300)];
    for (const usual of [10, 300]) assert.deepEqual(gaps(columns(rows(times), usual)), []);
});

test('where there are but two readings in reach, the usual distance of the feed decides', () => {
    assert.deepEqual(gaps(columns(rows([0, 60]), 10)), [[0, 60]]);
    assert.deepEqual(gaps(columns(rows([0, 60]), 60)), []);
});

test('one empty window of many readings is a gap; one that jitter emptied is not', () => {
    const hours = span(0, 200, 1).filter((n) => n !== 77).map((n) => n * 3600);
    const found = columns(windows(hours, 3600), 10);
    assert.deepEqual(gaps(found), [[76 * 3600 + 1800, 78 * 3600 + 1800]]);
    assert.equal(found.min.length, found.times.length);
    const quarters = span(0, 200, 1).filter((n) => n % 19 !== 7).map((n) => n * 12);
    assert.deepEqual(gaps(columns(windows(quarters, 12), 10)), []);
});

test('readings without a value part the line; of two in one second the last counts', () => {
    const { times, average } = columns({ kind: 'rows', rows: [[1, 5], [2, null], [3, 6], [3, 7], [4, 8]] }, 1);
    assert.deepEqual([times, average], [[1, 2, 3, 4], [5, null, 7, 8]]);
});

test('windows that came between two of the queries are left out', () => {
    const answer = windows([0, 10, 20], 10);
    answer.average.push([30, 1]);
    assert.deepEqual(columns(answer, 1).times, [5, 15, 25]);
});

test('feeds over one axis: gaps stay gaps, and the points of others part no line', () => {
    const one = columns(rows([0, 10, 20, 100, 110, 120]), 10);
    const other = columns(rows([5, 50, 95]), 45);
    const [times, , , first, , , second] = merge([one, other], [0, 120]);
    assert.deepEqual(times, [0, 5, 10, 20, 50, 60, 95, 100, 110, 120]);
    assert.deepEqual(first, [0, undefined, 10, 20, null, null, null, 100, 110, 120]);
    assert.deepEqual(second, [undefined, 5, undefined, undefined, 50, undefined, 95, undefined, undefined, undefined]);
    assert.equal(nearest(one, 96), 4);
    assert.equal(nearest(columns(rows([]), 0), 5), -1);
});

test('bars: energy counts the time for which there are readings, an increase begins before the bar', () => {
    const answer = {
        edges: [0, 86400, 172800, 259200],
        average: [[0, 1000], [86400, 500], [172800, null]],
        min: [[0, 1], [86400, 1], [172800, null]],
        max: [[0, 9], [86400, 9], [172800, null]],
        sum: [[0, 20], [86400, 20], [172800, null]],
        last: [[0, 104], [86400, 107], [172800, null]],
        before: 100,
    };
    const extent = { start: 43200, end: 172800 };
    assert.deepEqual(heights(answer, 'energy', extent), [[0, 12], [0, 12], null]);
    assert.deepEqual(heights(answer, 'increase', extent), [[0, 4], [0, 3], null]);
    assert.deepEqual(heights({ ...answer, before: null }, 'increase', extent)[0], [0, 103]);
    assert.deepEqual(heights(answer, 'range', extent)[0], [1, 9]);
    assert.deepEqual(heights(answer, 'sum', extent)[0], [0, 20]);
    assert.equal(unitFor('day', 365 * 86400, 1200, 1), 'day');
    assert.equal(unitFor('day', 3650 * 86400, 1600, 1), 'week');
    assert.equal(unitFor('week', 3650 * 86400, 1600, 4), 'month');
});

test('a view survives its address; nonsense in it does no harm', () => {
    const view = { ...parse('#feeds=1,20&from=1700000000&to=1700003600&bars=day&show=energy&right=20&left=1&zone=Asia/Tokyo') };
    assert.deepEqual(view, { feeds: ['1', '20'], right: ['20'], left: ['1'], from: 1700000000, to: 1700003600, bars: 'day', show: 'energy', zone: 'Asia/Tokyo' });
    assert.deepEqual(parse(format(view)), view);
    const odd = parse('#feeds=1,../2,<b>,1&from=9&to=1&bars=eon&show=x&zone=Nowhere/At_all');
    assert.deepEqual([odd.feeds, odd.from, odd.to, odd.bars, odd.show], [['1'], null, null, null, 'average']);
    assert.notEqual(odd.zone, 'Nowhere/At_all');
});

test('zooming keeps the time below the pointer, down to ten seconds, and stays in reach of the data', () => {
    const [from, to] = zoomed([0, 1000], 0.5, 250);
    assert.deepEqual([from, to], [125, 625]);
    assert.equal((250 - from) / (to - from), 0.25);
    const [a, b] = zoomed([0, 12], 0.1, 6);
    assert.equal(b - a, 10);
    const extent = { start: 0, end: 1000 };
    assert.deepEqual(within([-1e6, 1e6], extent), [-1000, 1000]);
    assert.deepEqual(within([5e6, 5e6 + 100], extent), [975, 1075]);
});

test('lengths of windows are such that there is about one for each pixel', () => {
    for (let seconds = 1; seconds < 1e8; seconds *= 1.3) {
        const interval = nice(seconds);
        assert.ok(interval >= seconds && interval <= 4 * Math.max(seconds, 1), `${seconds}: ${interval}`);
    }
});

test('numbers as people write them', () => {
    assert.equal(text.value(1234.5677), '1,234.568');
    assert.equal(text.mean(392.929428), '392.93');
    assert.deepEqual([text.value(3.4028234e38), text.value(-1.5e-12), text.mean(2e15), text.value(0)], ['3.402823e+38', '-1.5e-12', '2e+15', '0']);
    assert.equal(text.value(null), '–');
    assert.equal(text.bytes(94659840), '95 MB');
    assert.equal(text.bytes(1500), '1.5 kB');
    assert.equal(text.duration(300), '5 minutes');
    assert.equal(text.duration(5400), '1.5 hours');
    assert.equal(text.duration(86400), '1 day');
    assert.deepEqual([text.each(300), text.each(86400)], ['each 5 minutes', 'each day']);
    assert.equal(text.since(1000, 4600), '1h ago');
    assert.equal(text.second(1719828000, 'Europe/London'), '1 Jul 2024, 11:00:00');
});

test('the state of a copy, in words', () => {
    const feed = (copy, slots = 100) => ({ copy: copy && { rows: 100, last_success: 1, ...copy }, facts: { meta: { slots } }, bytes: 900 });
    const kind = (backup, one) => backupState(backup, one).slice(0, 2).map((words) => words.replace(/copied .* ago/, 'copied'));
    assert.deepEqual(kind(null, feed({})), ['none', '']);
    assert.deepEqual(kind({}, feed(null)), ['bad', 'no copy']);
    assert.deepEqual(kind({}, feed({ health: 'ok' })), ['good', 'copied']);
    assert.deepEqual(kind({}, feed({ health: 'ok' }, 1300)), ['behind', 'copied, 1,200 rows to come']);
    const failing = feed({ health: 'failing', message: 'why', last_success: null });
    assert.deepEqual([backupState({}, failing)[1], backupState({}, { ...failing, error: 'damaged' })[1]], ['failing: why', 'failing']);
    assert.deepEqual(kind({}, feed({ health: 'incomplete' })), ['bad', 'never complete']);
    assert.deepEqual(kind({ is_backup: true }, feed({ health: 'source-gone' }))[0], 'behind');
});
