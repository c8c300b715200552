// Debian's Chromium, without a window.

import { chromium } from 'playwright-core';
import { keyOf } from './server.mjs';

const ARGUMENTS = [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync',
];

export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ARGUMENTS });

let opened = null;

/**
 * A page, in place of the one before, whose every complaint fails the test: errors of scripts, what its policy
 * refuses. `faults` collects them.
 */
export async function open(browser, url, options = {}) {
    await opened?.close();
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, timezoneId: 'Europe/London', ...options });
    opened = context;
    const page = await context.newPage();
    page.faults = [];
    page.on('pageerror', (error) => page.faults.push(String(error)));
    page.on('console', (message) => {
        const isOfFeed = message.text().startsWith('Failed to load resource') && message.location().url.includes('/api/');
        if (message.type() === 'error' && !isOfFeed) page.faults.push(message.text());
    });
    page.on('request', (request) => {
        if (!request.url().startsWith(new URL(url).origin) && !request.url().startsWith('blob:') && !request.url().startsWith('data:')) page.faults.push(`asked for ${request.url()}`);
    });
    // The first time with the key, which is not seen afterwards.
    await page.goto(url.replace(/\/?(#|$)/, `/?key=${keyOf(url)}$1`));
    if (page.url().includes('key=')) page.faults.push(`the address is ${page.url()}`);
    return page;
}

/** Waits until all that the view needs has come, is drawn, and is counted. */
export async function settled(page) {
    await page.waitForFunction(() => {
        const how = document.querySelector('#how').textContent;
        const [from, to] = (document.querySelector('#readout').dataset.range ?? '').split(' ');
        const link = new URL(document.querySelector('.rowscsv')?.href ?? 'x:').searchParams;
        return how && from !== undefined && link.get('from') === from && link.get('to') === to &&
            performance.getEntriesByName('emonfeed step').length > (window.stepsBefore ?? 0);
    });
}

/** Does something that moves the view, and waits for the picture. */
export async function move(page, action) {
    await page.evaluate(() => {
        window.stepsBefore = performance.getEntriesByName('emonfeed step').length;
    });
    await action();
    await settled(page);
}

/** The numbers of a line of the table below the chart, as they are shown. */
export async function shown(page, id) {
    const row = page.locator(`#readout tr[data-id="${id}"]`);
    const text = (name) => row.locator(`.${name}`).evaluate((cell) => cell.firstChild?.textContent ?? '');
    const names = ['at', 'min', 'average', 'max', 'latest', 'count'];
    return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await text(name)])));
}

/** The visible range that those numbers are of: whole seconds, both seen. */
export async function rangeOf(page) {
    return (await page.locator('#readout').getAttribute('data-range')).split(' ').map(Number);
}

/** The pixels that have a feed's colour, or its band's: for each column of the chart their upper and lower end in CSS pixels. */
export function columnsOf(page) {
    return page.evaluate(() => {
        const canvas = document.querySelector('#chart canvas');
        const over = document.querySelector('#chart .u-over');
        const ratio = devicePixelRatio;
        const [left, top] = [Math.round(over.offsetLeft * ratio), Math.round(over.offsetTop * ratio)];
        const [width, height] = [Math.round(over.offsetWidth * ratio), Math.round(over.offsetHeight * ratio)];
        const { data } = canvas.getContext('2d').getImageData(left, top, width, height);
        const columns = [];
        for (let x = 0; x < width; x++) {
            let [upper, lower] = [null, null];
            for (let y = 0; y < height; y++) {
                const i = 4 * (y * width + x);
                // The grid is grey, the feeds are not.
                const colour = data[i + 3] ? Math.max(data[i], data[i + 1], data[i + 2]) - Math.min(data[i], data[i + 1], data[i + 2]) : 0;
                if (colour > 40) {
                    upper ??= y / ratio;
                    lower = y / ratio;
                }
            }
            columns.push([upper, lower]);
        }
        return { columns, height: height / ratio };
    });
}
