// The list of the feeds. Names and sizes come at once; what takes a look into a
// feed comes when its line is seen, a few at a time.

import { Failure, call } from './api.js';
import * as text from './text.js';

const AT_ONCE = 3;
const SVG = 'http://www.w3.org/2000/svg';
const [WIDTH, HEIGHT] = [200, 36];

const ORDERS = {
    number: (a, b) => a.index - b.index,
    rows: (a, b) => (b.facts?.meta.npoints ?? -1) - (a.facts?.meta.npoints ?? -1),
    size: (a, b) => b.bytes - a.bytes,
    last: (a, b) => (b.facts?.last?.time ?? -Infinity) - (a.facts?.last?.time ?? -Infinity),
    backup: (a, b) => (a.copy?.last_success ?? 0) - (b.copy?.last_success ?? 0),
};

export class List {
    #feeds = new Map();
    #queue = [];
    #working = 0;
    #order = 'number';
    #zone = 'UTC';
    #backup = null;

    /** `events`: open(id), toggle(id, isShown). */
    constructor(place, events) {
        this.place = place;
        this.events = events;
        this.seen = new IntersectionObserver((entries) => {
            for (const { isIntersecting, target } of entries) {
                if (isIntersecting) this.facts(target.dataset.id).catch(() => null);
            }
        }, { rootMargin: '200px' });
    }

    /** Reads the directory, again too; answers its path. */
    async load() {
        const { directory, feeds } = await call('feeds');
        this.#feeds = new Map(feeds.map((feed, index) => [feed.id ?? feed.name, { ...feed, index, facts: null, asked: null, line: null }]));
        this.#render();
        call('backup').then(
            ({ backup }) => this.#showBackup(backup),
            (error) => this.#showBackup({ error: error.message }),
        );
        return directory;
    }

    has(id) {
        return this.#feeds.get(id)?.id != null;
    }

    name(id) {
        return this.#feeds.get(id)?.name ?? `feed_${id}`;
    }

    count() {
        return this.#feeds.size;
    }

    /** Once a feed was looked into: { meta, last, spark }. Fails with what is wrong with it. */
    facts(id) {
        const feed = this.#feeds.get(id);
        if (!feed) return Promise.reject(new Failure('there is no such feed in the directory'));
        if (feed.error) return Promise.reject(new Failure(feed.error));
        feed.asked ??= new Promise((resolve, reject) => {
            this.#queue.push(() => call('feed', { feed: id }).then((facts) => {
                feed.facts = facts;
                resolve(facts);
            }).catch((error) => {
                feed.error = error.message;
                reject(error);
            }).finally(() => this.#fill(feed)));
            this.#work();
        });
        return feed.asked;
    }

    #work() {
        while (this.#working < AT_ONCE && this.#queue.length) {
            this.#working++;
            this.#queue.shift()().finally(() => {
                this.#working--;
                this.#work();
            });
        }
    }

    /** Ticks those that are in the chart: colours by id. */
    mark(colours, zone) {
        const isNew = zone !== this.#zone;
        this.#zone = zone;
        for (const [id, feed] of this.#feeds) {
            const { line } = feed;
            line.classList.toggle('shown', colours.has(id));
            line.style.setProperty('--colour', colours.get(id) ?? '');
            const box = line.querySelector('input');
            if (box) box.checked = colours.has(id);
            if (isNew && feed.facts) this.#fill(feed);
        }
    }

    sort(order) {
        this.#order = order;
        const feeds = [...this.#feeds.values()].sort((a, b) => ORDERS[order](a, b) || a.index - b.index);
        this.place.append(...feeds.map((feed) => feed.line));
    }

    filter(words) {
        const wanted = words.toLowerCase().split(/[\s,]+/).filter(Boolean);
        for (const feed of this.#feeds.values()) {
            feed.line.hidden = wanted.length > 0 && !wanted.some((word) => feed.name.includes(word));
        }
    }

    #render() {
        this.seen.disconnect();
        this.place.replaceChildren();
        for (const feed of this.#feeds.values()) {
            feed.line = this.#line(feed);
            this.#fill(feed);
            if (feed.id !== null && !feed.error) this.seen.observe(feed.line);
        }
        this.sort(this.#order);
    }

    #line(feed) {
        const isOpen = feed.id !== null;
        return text.element('li', { class: 'feed', 'data-id': feed.id ?? feed.name },
            isOpen
                ? text.element('input', {
                      type: 'checkbox',
                      'aria-label': `${feed.name} in the chart`,
                      onchange: (event) => this.events.toggle(feed.id, event.target.checked),
                  })
                : text.element('span', { class: 'nobox' }),
            isOpen
                ? text.element('button', { class: 'name', type: 'button', onclick: () => this.events.open(feed.id) }, feed.name)
                : text.element('span', { class: 'name' }, feed.name),
            text.element('span', { class: 'spark' }),
            text.element('span', { class: 'last' }),
            text.element('span', { class: 'rows' }),
            text.element('span', { class: 'size' }, text.bytes(feed.bytes)),
            text.element('span', { class: 'backup' }),
            text.element('p', { class: 'wrong', hidden: true }),
        );
    }

    #fill(feed) {
        const part = (name) => feed.line.querySelector(`.${name}`);
        const { facts, error } = feed;
        part('wrong').hidden = !error;
        part('wrong').textContent = error ?? '';
        feed.line.classList.toggle('failed', Boolean(error));
        const box = feed.line.querySelector('input');
        if (box) box.disabled = Boolean(error);
        const button = feed.line.querySelector('button');
        if (button) button.disabled = Boolean(error);
        if (facts) {
            const { meta, last, spark } = facts;
            part('rows').textContent = `${text.count(meta.npoints)} row${meta.npoints === 1 ? '' : 's'}`;
            part('size').textContent = text.bytes(meta.bytes);
            part('last').replaceChildren(...(last
                ? [
                      text.element('b', {}, text.value(last.value)),
                      ' ',
                      text.element('time', {
                          datetime: new Date(last.time * 1000).toISOString(),
                          title: `${text.second(last.time, this.#zone)}; usually a reading every ${text.duration(meta.interval)}`,
                      }, text.since(last.time)),
                  ]
                : ['no readings']));
            part('spark').replaceChildren(...(spark ? [sparkline(spark, feed.name)] : []));
        }
        this.#fillBackup(feed);
    }

    #showBackup(backup) {
        this.#backup = backup;
        const copies = new Map((backup?.feeds ?? []).map((copy) => [copy.file, copy]));
        for (const feed of this.#feeds.values()) {
            feed.copy = copies.get(feed.id === null ? feed.name : `${feed.name}.MYD`) ?? null;
            this.#fillBackup(feed);
        }
        this.events.backup(backup);
        if (this.#order === 'backup') this.sort('backup');
    }

    #fillBackup(feed) {
        const place = feed.line.querySelector('.backup');
        const [kind, words, title] = backupState(this.#backup, feed);
        place.className = `backup ${kind}`;
        place.textContent = words;
        place.title = title;
    }
}

/** How the copy of a feed is: a class, words, and what more there is to say. */
export function backupState(backup, { copy, facts, bytes, error }) {
    if (!backup || backup.error || bytes === undefined) return ['none', '', ''];
    if (!copy) return ['bad', backup.is_backup ? 'not in the catalog' : 'no copy', ''];
    const rows = facts && !backup.is_backup ? facts.meta.slots - copy.rows : 0;
    const waits = rows > 0 ? `${text.count(rows)} row${rows === 1 ? '' : 's'} to come` : '';
    const held = `${text.count(copy.rows)} rows copied`;
    switch (copy.health) {
        case 'ok':
            return [waits ? 'behind' : 'good', `copied ${text.since(copy.last_success)}${waits && `, ${waits}`}`, held];
        case 'failing':
            // Where the page could not read the feed either, the reason is there already.
            return ['bad', `failing${copy.last_success ? `, copied ${text.since(copy.last_success)}` : ''}${error ? '' : `: ${copy.message}`}`, copy.message];
        case 'incomplete':
            return ['bad', `never complete${waits && `, ${waits}`}`, held];
        case 'source-gone':
            return ['behind', `its source is gone; copied ${text.since(copy.last_success)}`, held];
        default:
            return ['behind', `left out of the last run${copy.last_success ? `; copied ${text.since(copy.last_success)}` : ''}`, held];
    }
}

/** A small drawing of the last readings, the band from minimum to maximum behind the average. */
function sparkline({ interval, ...lists }, name) {
    const [average, min, max] = ['average', 'min', 'max'].map((list) => lists[list].filter(([, value]) => Number.isFinite(value)));
    const svg = document.createElementNS(SVG, 'svg');
    svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
    svg.setAttribute('preserveAspectRatio', 'none');
    svg.setAttribute('role', 'img');
    if (!average.length) return svg;
    const [first, last] = [average[0][0], average.at(-1)[0] + interval];
    const low = Math.min(...min.map(([, value]) => value));
    const high = Math.max(...max.map(([, value]) => value));
    svg.setAttribute('aria-label', `the last ${text.duration(last - first)} of ${name}, between ${text.value(low)} and ${text.value(high)}`);
    const x = (time) => (((time + interval / 2 - first) / (last - first)) * WIDTH).toFixed(1);
    const y = (value) => (high > low ? (HEIGHT - 2 - ((value - low) / (high - low)) * (HEIGHT - 4)) : HEIGHT / 2).toFixed(1);
    const points = (list) => list.map(([time, value]) => `${x(time)} ${y(value)}`);
    // Windows without readings between two points part the line.
    const parts = [];
    average.forEach((point, i) => {
        if (i === 0 || point[0] - average[i - 1][0] > 2 * interval) parts.push([]);
        parts.at(-1).push(i);
    });
    for (const part of parts) {
        const of = (list) => points(list.slice(part[0], part.at(-1) + 1));
        if (min.length === average.length && max.length === average.length) {
            svg.append(path('band', `M${[...of(max), ...of(min).reverse()].join('L')}Z`));
        }
        svg.append(path('line', `M${of(average).join('L')}`));
    }
    return svg;
}

function path(kind, d) {
    const made = document.createElementNS(SVG, 'path');
    made.setAttribute('class', kind);
    made.setAttribute('d', d);
    return made;
}
