// Makes the feeds that the tests look at:
//
//     node feeds.mjs DIR [END]
//
// Ten years of a house's power every 30 seconds are more than ten million rows.
// END is the time of the last readings; the same readings are made for the same.

import { copyFileSync, mkdirSync, openSync, writeSync, closeSync, writeFileSync, symlinkSync } from 'node:fs';
import { join, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const DAY = 86400;
const YEAR = 365.25 * DAY;
const ROW = 9;

/** 1 January 2026, 00:00 UTC. */
export const END = 1767225600;
export const HOUSE = { years: 3652 * DAY, interval: 30, spike: 3 * YEAR + 12345 * 30, spikeWatts: 20000 };
export const ROWS_OF_HOUSE = HOUSE.years / HOUSE.interval;
/** Seconds before END between which the temperature has no readings. */
export const GAP = [100 * DAY, 91 * DAY];
export const ODD_FILE = 'feed_<img src=x onerror=document.title=1>.MYD';

/** The same scattered number from 0 to 1 for the same n, always. */
function scatter(n) {
    let h = Math.imul(n, 0x9e3779b1);
    h ^= h >>> 15;
    h = Math.imul(h, 0x85ebca77);
    return ((h ^ (h >>> 13)) >>> 0) / 2 ** 32;
}

const wave = (time, length, phase) => Math.cos(((time - phase) / length) * 2 * Math.PI);
const hump = (hour, from, to) => (hour > from && hour < to ? Math.sin(((hour - from) / (to - from)) * Math.PI) : 0);
/** Weather that lasts for some days, from -1 to 1. */
const weather = (time) => 0.6 * Math.sin(time / 410000) + 0.4 * Math.sin(time / 173000 + 1);
const round = (value, digits) => Math.round(value * 10 ** digits) / 10 ** digits;

function power(time) {
    const hour = (time % DAY) / 3600;
    const winter = 1 + 0.45 * wave(time, YEAR, 15 * DAY) - 0.15 * weather(time);
    const slot = Math.floor(time / 300);
    const kettle = hour > 6.5 && hour < 22 && scatter(slot) < 0.035 ? 2100 : 0;
    const fridge = Math.floor(time / 1200) % 3 === 0 ? 85 : 0;
    return round(140 + fridge + kettle + winter * (650 * hump(hour, 6, 9) + 1150 * hump(hour, 16.5, 23)) + 30 * scatter(time), 1);
}

const temperature = (time) => round(10.5 - 8 * wave(time, YEAR, 15 * DAY) - 3.5 * wave(time, DAY, 4 * 3600) + 3.5 * weather(time) + 0.4 * scatter(time), 1);

function sun(time) {
    const hour = (time % DAY) / 3600;
    const half = 6 - 2 * wave(time, YEAR, -10 * DAY);
    const cloud = 0.55 - 0.4 * weather(time) + 0.25 * (scatter(Math.floor(time / 240)) - 0.5);
    return Math.max(0, round(3600 * (0.62 - 0.3 * wave(time, YEAR, -10 * DAY)) * hump(hour, 12 - half, 12 + half) * Math.max(0.05, Math.min(1, cloud)), 1));
}

/** Writes rows, [time, value], in MySQL's and PHPTimeSeries's nine bytes each. */
export function write(path, rows) {
    const file = openSync(path, 'w');
    const bytes = Buffer.alloc(ROW * 65536);
    let used = 0;
    for (const [time, value] of rows) {
        bytes[used] = 0xff;
        bytes.writeUInt32LE(time, used + 1);
        bytes.writeFloatLE(value, used + 5);
        used += ROW;
        if (used === bytes.length) {
            writeSync(file, bytes);
            used = 0;
        }
    }
    writeSync(file, bytes, 0, used);
    closeSync(file);
}

function* every(interval, from, end, value) {
    for (let time = Math.ceil(from / interval) * interval; time < end; time += interval) yield [time, value(time)];
}

function* house(end) {
    const begin = end - HOUSE.years;
    for (let time = begin; time < end; time += HOUSE.interval) {
        yield [time, time === begin + HOUSE.spike ? HOUSE.spikeWatts : power(time)];
    }
}

function* withGap(end) {
    for (const [time, value] of every(60, end - 2 * YEAR, end, temperature)) {
        if (time < end - GAP[0] || time >= end - GAP[1]) yield [time, value];
    }
}

function* meter(end) {
    let stands = 4000;
    for (const [time] of every(300, end - 2 * YEAR, end, () => 0)) {
        stands += (power(time) * 300) / 3.6e6;
        yield [time, round(stands, 2)];
    }
}

/** A thermostat that reports when it likes to. */
function* whenever(end) {
    for (let time = end - 400 * DAY, n = 0; time < end; time += 120 + Math.floor(scatter(n++) * 1400)) {
        yield [time, round(19.5 + 1.6 * wave(time, DAY, 20 * 3600) + scatter(n), 1)];
    }
}

/** The feeds of a directory that is a pleasure to look at. */
export function makeGood(directory, end) {
    mkdirSync(directory, { recursive: true });
    const feed = (id, rows) => write(join(directory, `feed_${id}.MYD`), rows);
    feed(1, house(end));
    feed(2, withGap(end));
    feed(3, meter(end));
    feed(4, every(60, end - YEAR, end, sun));
    feed(5, whenever(end));
}

/** And those that are none, or hard to show. */
export function makeBad(directory) {
    const fixtures = join(dirname(fileURLToPath(import.meta.url)), '../../tests/fixtures');
    const copy = (from, id) => {
        for (const extension of ['MYD', 'MYI', 'frm']) copyFileSync(join(fixtures, from, `feed_1.${extension}`), join(directory, `feed_${id}.${extension}`));
    };
    copy('plain', 6);
    write(join(directory, 'feed_7.MYD'), []);
    writeFileSync(join(directory, 'feed_8.MYD'), Buffer.from('nothing that a feed would hold '.repeat(9)));
    write(join(directory, 'feed_9.MYD'), [[1700000000, 1.5]]);
    copy('refused/varchar', 10);
    writeFileSync(join(directory, 'feed_11.ibd'), 'x');
    writeFileSync(join(directory, 'feed_11.frm'), 'x');
    symlinkSync('/etc/passwd', join(directory, 'feed_12.MYD'));
    symlinkSync('feed_9.MYD', join(directory, 'feed_13.MYD'));
    write(join(directory, 'feed_14.MYD'), [1, Infinity, NaN, 3, -Infinity].map((value, i) => [1700000000 + i * 10, value]));
    writeFileSync(join(directory, '7.dat'), Buffer.alloc(400));
    writeFileSync(join(directory, '7.meta'), Buffer.alloc(16));
    // None of these is a feed: the page must not know of them.
    writeFileSync(join(directory, 'users.MYD'), 'a secret');
    writeFileSync(join(directory, ODD_FILE), 'x');
    writeFileSync(join(directory, 'feed_1.MYD.bak'), 'x');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    const [, , directory, end = END] = process.argv;
    makeGood(directory, Math.floor(Number(end) / 30) * 30);
    if (end === END) makeBad(directory);
}
