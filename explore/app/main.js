// The page: the list, the chart, and what connects them.

import { Failure, address } from './api.js';
import { unitFor } from './bars.js';
import { Chart } from './chart.js';
import { theme } from './draw.js';
import { Gestures } from './gestures.js';
import { List } from './list.js';
import { Loader, nice } from './loader.js';
import { picture } from './picture.js';
import { Readout } from './readout.js';
import * as text from './text.js';
import { MOST_FEEDS, format, ownZone, parse, within } from './view.js';

const at = (id) => document.getElementById(id);
const FIRST_LOOK = 7 * 86400;
/** Feeds whose values are so many times those of the first have the other axis. */
const FAR = 8;
const STEP = 'emonfeed step';

let view = parse(location.hash);
let feeds = [];
let cursor = null;
let began = null;
let frame = null;
let directory = '';

const list = new List(at('list'), {
    open: (id) => choose([id], true),
    toggle: (id, isShown) => choose(isShown ? [...view.feeds, id] : view.feeds.filter((other) => other !== id), view.feeds.length === 0),
    backup: showBackup,
});
const loader = new Loader(() => {
    for (const feed of feeds) take(feed);
    chart.refresh();
    draw();
});
const chart = new Chart(at('chart'), {
    select: (range) => go(range),
    cursor: (time) => point(time),
});
const readout = new Readout(at('readout'), at('live'), {
    remove: (id) => choose(view.feeds.filter((other) => other !== id), false),
    axis: exchangeAxis,
});
const gestures = new Gestures(chart, {
    range: () => [view.from, view.to],
    go,
    extent,
    step: (by) => {
        const time = readout.step(by, [view.from, view.to]);
        if (time === null) return;
        chart.point(time);
        point(time);
        readout.say();
    },
    leave: () => choose([], false),
    refresh: () => reload(),
});

/** Feeds that can be looked at, with all that is drawn of them. */
async function open() {
    const found = await Promise.all(view.feeds.map(async (id) => {
        try {
            return { id, name: list.name(id), facts: await list.facts(id) };
        } catch (error) {
            say(`feed_${id}: ${error.message}`);
            return null;
        }
    }));
    return found.filter((feed) => feed && view.feeds.includes(feed.id));
}

function extent(of = feeds) {
    const filled = of.filter(({ facts }) => facts.meta.npoints > 0).map(({ facts }) => facts.meta);
    if (!filled.length) {
        const now = Math.floor(Date.now() / 1000);
        return { start: now - 86400, end: now };
    }
    return { start: Math.min(...filled.map((meta) => meta.start_time)), end: Math.max(...filled.map((meta) => meta.end_time)) };
}

/** Puts feeds into the chart; `isNew` says that there was none, or another one alone. */
async function choose(ids, isNew) {
    say('');
    if (ids.length > MOST_FEEDS) {
        say(`The chart has room for ${MOST_FEEDS} feeds: take one out first.`);
        mark();
        return;
    }
    const wasEmpty = view.feeds.length === 0;
    view = { ...view, feeds: ids };
    if (isNew) view = { ...view, from: null, to: null, right: [], left: [] };
    history.pushState(null, '', format(view));
    await build();
    if (wasEmpty && ids.length) at('chart').focus({ preventScroll: true });
    if (!ids.length) at('find').focus({ preventScroll: true });
    if (isNew && ids.length) at('charted').scrollIntoView({ block: 'nearest' });
}

/** Everything anew, by the view. */
async function build() {
    const wanted = view.feeds.join();
    const opened = await open();
    if (wanted !== view.feeds.join()) return;
    view.feeds = opened.map(({ id }) => id);
    loader.keep(view.feeds);
    const isCharted = opened.length > 0;
    document.body.classList.toggle('charted', isCharted);
    at('charted').hidden = !isCharted;
    document.title = isCharted ? `${opened.map(({ name }) => name).join(', ')} – emonfeed` : `emonfeed – ${directory}`;
    if (!isCharted) {
        feeds = [];
        chart.clear();
        remember();
        mark();
        return;
    }
    const colours = theme().feeds;
    const right = onTheRight(opened);
    feeds = opened.map((feed, i) => {
        const { start_time: start, end_time: end } = feed.facts.meta;
        return { ...feed, colour: colours[i], scale: right.has(feed.id) ? 'right' : 'left', extent: { start, end }, block: null };
    });
    if (view.from === null) {
        const { start, end } = extent();
        [view.from, view.to] = [Math.max(start, end - FIRST_LOOK), end];
    }
    [view.from, view.to] = within([view.from, view.to], extent());
    for (const feed of feeds) take(feed);
    at('title').textContent = feeds.map(({ name }) => name).join(', ');
    at('bars').value = view.bars ?? '';
    at('show').value = view.show;
    at('showing').hidden = !view.bars;
    chart.build(feeds, view, [view.from, view.to]);
    readout.build(feeds, view);
    mark();
    point(null);
    moved();
}

/** A block that suits the way to draw; another would be drawn wrongly. */
function take(feed) {
    const block = loader.block(feed.id);
    feed.block = block && (block.kind === 'bars') === Boolean(view.bars) ? block : null;
    readout.fail(feed.id, loader.error(feed.id));
}

function onTheRight(opened) {
    const size = ({ facts: { spark } }) => Math.max(...[...(spark?.max ?? []), ...(spark?.min ?? [])].map(([, value]) => Math.abs(value)).filter(Number.isFinite), 0);
    const first = size(opened[0]);
    const right = new Set();
    for (const feed of opened) {
        const own = size(feed);
        const isFar = own > 0 && first > 0 && (own / first > FAR || first / own > FAR);
        if (view.right.includes(feed.id) || (isFar && !view.left.includes(feed.id))) right.add(feed.id);
    }
    // An axis on the right alone is none to compare with.
    return right.size === opened.length ? new Set() : right;
}

function exchangeAxis(id) {
    const { scale } = feeds.find((feed) => feed.id === id);
    const without = (ids) => ids.filter((other) => other !== id);
    view.left = scale === 'right' ? [...without(view.left), id] : without(view.left);
    view.right = scale === 'left' ? [...without(view.right), id] : without(view.right);
    build();
}

function mark() {
    list.mark(new Map(feeds.map(({ id, colour }) => [id, colour])), view.zone);
}

/** Shows another range of time. */
function go(range) {
    if (!feeds.length) return;
    [view.from, view.to] = within(range, extent());
    moved();
}

function moved() {
    began ??= performance.now();
    readout.settle([view.from, view.to]);
    remember();
    plan();
}

function plan() {
    frame ??= requestAnimationFrame(() => {
        frame = null;
        draw();
    });
}

function draw() {
    if (!feeds.length) return;
    const range = [view.from, view.to];
    const unit = view.bars && unitFor(view.bars, range[1] - range[0], chart.pixels, feeds.length);
    const bars = unit && { by: unit, zone: view.zone };
    const there = feeds.map((feed) => loader.want(feed.id, range, chart.pixels, bars, feed.facts) || loader.error(feed.id));
    chart.show(range);
    describe(unit);
    if (cursor !== null) point(cursor);
    if (there.every(Boolean) && began !== null) {
        const start = began;
        began = null;
        // uPlot draws in a microtask of its own.
        setTimeout(() => performance.measure(STEP, { start, end: performance.now() }));
    }
}

/** Says what is drawn. */
function describe(unit) {
    const [from, to] = [view.from, view.to];
    const span = to - from;
    const range = `${text.moment(from, span, view.zone)} – ${text.moment(to, span, view.zone)}`;
    const { pixels } = chart;
    const intervals = new Set(feeds.map(({ block }) => (block?.kind === 'windows' ? block.interval : 0)));
    const longest = Math.max(...intervals);
    const how = unit
        ? `${{ day: 'days', week: 'weeks', month: 'months', year: 'years' }[unit]}${unit === view.bars ? '' : ', as shorter bars would be too narrow'}`
        : longest > 0
          ? `average of ${text.each(longest)}, minimum to maximum behind it`
          : 'every reading';
    at('how').textContent = `${range} · ${how}`;
    for (const button of at('ranges').children) {
        const whole = extent();
        const seconds = button.dataset.seconds === 'all' ? whole.end - whole.start : Number(button.dataset.seconds);
        button.setAttribute('aria-pressed', String(Math.abs(span / seconds - 1) < 0.01));
    }
    const parameters = { feed: view.feeds, zone: view.zone, time: 'iso8601' };
    if (unit) {
        Object.assign(parameters, { what: 'bars', by: unit, from: Math.ceil(from), to: Math.floor(to) });
    } else {
        const interval = longest || nice(span / pixels);
        Object.assign(parameters, { what: 'windows', interval, from: Math.floor(from / interval) * interval, to: Math.floor(to) });
    }
    at('csv').href = address('csv', parameters);
}

function point(time) {
    cursor = time;
    if (feeds.length) readout.point(time, [view.from, view.to]);
}

let addressTimer = null;
/** Browsers allow only so many changes of the address in a second. */
function remember() {
    clearTimeout(addressTimer);
    addressTimer = setTimeout(() => history.replaceState(null, '', format(view)), 200);
}

function say(message) {
    at('message').textContent = message;
    at('message').hidden = !message;
}

function showBackup(backup) {
    const place = at('backup');
    place.className = '';
    if (!backup) {
        place.textContent = '';
        return;
    }
    if (backup.error) {
        place.className = 'bad';
        place.textContent = `Backup: ${backup.error}`;
        return;
    }
    const run = backup.last_run;
    const began = run ? `${text.since(run.started)}${run.outcome === 'ok' ? '' : `: ${run.outcome}${run.failed ? `, ${run.failed} of ${run.feeds} feeds failed` : ''}`}` : 'never';
    place.className = backup.fine ? 'good' : 'bad';
    place.textContent = `${backup.is_backup ? `A backup of ${run?.source ?? 'feeds'}` : `Backup in ${backup.destination}`}, last run ${began}${backup.running_since ? ', one is at work' : ''}`;
    place.title = run ? text.second(run.started, view.zone) : '';
}

/** Reads the files again. */
async function reload() {
    say('');
    try {
        directory = await list.load();
    } catch (error) {
        if (!(error instanceof Failure)) throw error;
        say(error.message);
        return;
    }
    at('directory').textContent = directory;
    at('count').textContent = list.count();
    loader.forget();
    await build();
}

function setTheme(chosen) {
    if (chosen) document.documentElement.dataset.theme = chosen;
    const isDark = (document.documentElement.dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';
    at('theme').textContent = isDark ? 'Light' : 'Dark';
    if (feeds.length) build();
}

function fillZones() {
    const names = new Set(['UTC', ownZone, view.zone, ...Intl.supportedValuesOf('timeZone')]);
    at('zone').append(...[...names].map((name) => text.element('option', { value: name }, name)));
    at('zone').value = view.zone;
}

at('back').addEventListener('click', () => gestures.pan(-0.5));
at('forth').addEventListener('click', () => gestures.pan(0.5));
at('closer').addEventListener('click', () => gestures.zoom(0.5));
at('farther').addEventListener('click', () => gestures.zoom(2));
at('close').addEventListener('click', () => choose([], false));
at('refresh').addEventListener('click', () => reload());
at('find').addEventListener('input', ({ target }) => list.filter(target.value));
at('order').addEventListener('change', ({ target }) => list.sort(target.value));
at('ranges').addEventListener('click', ({ target }) => {
    const { start, end } = extent();
    if (target.dataset.seconds === 'all') {
        go([start, end]);
    } else if (target.dataset.seconds) {
        const last = Math.min(view.to, end);
        go([last - Number(target.dataset.seconds), last]);
    }
});
at('bars').addEventListener('change', ({ target }) => {
    view.bars = target.value || null;
    build();
});
at('show').addEventListener('change', ({ target }) => {
    view.show = target.value;
    build();
});
at('zone').addEventListener('change', ({ target }) => {
    view.zone = target.value;
    build();
});
at('theme').addEventListener('click', () => {
    const chosen = at('theme').textContent.toLowerCase();
    localStorage.setItem('theme', chosen);
    setTheme(chosen);
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => setTheme(null));
at('png').addEventListener('click', async () => {
    const title = `${at('title').textContent}: ${at('how').textContent}`;
    const url = URL.createObjectURL(await picture(chart.canvas, title, feeds));
    text.element('a', { href: url, download: `${feeds.map(({ name }) => name).join('_')}.png` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
});
addEventListener('resize', () => plan());
addEventListener('popstate', () => {
    view = parse(location.hash);
    at('zone').value = view.zone;
    build();
});

fillZones();
setTheme(localStorage.getItem('theme'));
reload();
