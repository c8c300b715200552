// Makes the picture of the README: a year of a house, and the list.
//
//     node screenshot.mjs FILE [WIDTH HEIGHT light|dark HASH]

import { launch, open, settled } from './browser.mjs';
import { BACKUP, FEEDS, get, start } from './server.mjs';

const [, , file, width = 1280, height = 1010, colorScheme = 'light', given = ''] = process.argv;
const ending = [];
const { port, url } = await start({ after: (end) => ending.push(end) }, FEEDS, BACKUP);
const { last } = JSON.parse((await get(port, '/api/feed?feed=1')).body);
const hash = given || `feeds=1,2&from=${last.time - 365.25 * 86400}&to=${last.time}`;
const browser = await launch();
const page = await open(browser, `${url}/#${hash}`, { viewport: { width: Number(width), height: Number(height) }, colorScheme });
await settled(page);
// All lines of the list that are seen have been looked into.
await page.waitForFunction(() => [...document.querySelectorAll('.feed')]
    .filter((line) => line.getBoundingClientRect().top < innerHeight)
    .every((line) => line.querySelector('svg') && line.querySelector('.backup').textContent));
const box = await page.locator('.u-over').boundingBox();
await page.mouse.move(box.x + box.width * 0.62, box.y + box.height * 0.4);
await page.waitForFunction(() => document.querySelector('#readout .at').textContent);
await page.screenshot({ path: file });
await browser.close();
for (const end of ending) await end();
