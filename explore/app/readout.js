// The table below the chart: what is at the cursor, and what the visible range
// holds.

import { address, call } from './api.js';
import { barsOf } from './draw.js';
import { nearest } from './gaps.js';
import * as text from './text.js';

const SETTLED = 120;

export class Readout {
    #feeds = [];
    #rows = new Map();
    #timer = null;
    #abort = null;
    #cursor = null;

    /** `events`: remove(id), axis(id). */
    constructor(table, live, events) {
        Object.assign(this, { table, live, events });
        this.body = table.querySelector('tbody');
        this.when = table.querySelector('.when');
    }

    build(feeds, view) {
        this.#feeds = feeds;
        this.view = view;
        this.#rows = new Map();
        this.body.replaceChildren(...feeds.map((feed) => this.#row(feed)));
    }

    #row(feed) {
        const cell = (kind, label, ...children) => text.element('td', { class: kind, 'data-label': label }, ...children);
        const row = text.element('tr', { 'data-id': feed.id },
            text.element('th', { scope: 'row' }, text.element('i', { class: 'swatch' }), feed.name),
            cell('at', 'At the cursor'),
            cell('min', 'Minimum'),
            cell('average', 'Average'),
            cell('max', 'Maximum'),
            cell('latest', 'Last'),
            cell('count', 'Readings'),
            cell('tools', '',
                text.element('button', {
                    type: 'button',
                    title: 'Exchange the axis: left or right',
                    'aria-label': `${feed.name}: axis on the ${feed.scale === 'left' ? 'right' : 'left'}`,
                    onclick: () => this.events.axis(feed.id),
                }, feed.scale === 'left' ? '⇤' : '⇥'),
                text.element('a', { class: 'rowscsv', title: 'All readings of the visible range as CSV', 'aria-label': `${feed.name}: all readings as CSV`, download: true }, 'CSV'),
                text.element('button', { type: 'button', title: 'Out of the chart', 'aria-label': `${feed.name}: out of the chart`, onclick: () => this.events.remove(feed.id) }, '×')),
            text.element('td', { class: 'wrong', hidden: true }));
        row.style.setProperty('--colour', feed.colour);
        this.#rows.set(feed.id, row);
        return row;
    }

    /** What is wrong with a feed, in place of its numbers. */
    fail(id, message) {
        const row = this.#rows.get(id);
        if (!row) return;
        row.classList.toggle('failed', Boolean(message));
        row.querySelector('.wrong').hidden = !message;
        row.querySelector('.wrong').textContent = message ?? '';
    }

    /** The values at a time; null: at none. */
    point(time, range) {
        this.#cursor = time;
        const span = range[1] - range[0];
        this.when.textContent = time === null ? 'At the cursor' : this.#when(time, span);
        for (const feed of this.#feeds) {
            const { words, exact } = this.#at(feed, time, span);
            const cell = this.#rows.get(feed.id).querySelector('.at');
            cell.textContent = words;
            cell.title = exact;
        }
    }

    #when(time, span) {
        const { zone, bars, show } = this.view;
        if (!bars) return text.moment(time, span / 50, zone);
        const [bar] = this.#feeds.flatMap((feed) => barsOf(feed, show, time, time + 1e-3));
        if (!bar) return text.day(time, zone);
        const [first, last] = [text.day(bar[0], zone), text.day(bar[1] - 1, zone)];
        return first === last ? first : `${first} – ${last}`;
    }

    #at(feed, time, span) {
        const { block } = feed;
        const nothing = { words: '', exact: '' };
        if (time === null || !block) return nothing;
        if (this.view.bars) {
            const bar = barsOf(feed, this.view.show, time, time + 1e-3)[0];
            if (!bar) return nothing;
            const [begin, end, low, high] = bar;
            const words = this.view.show === 'range' ? `${text.value(low)} to ${text.value(high)}` : `${text.mean(high)}${this.view.show === 'energy' ? ' kWh' : ''}`;
            return { words, exact: `${text.day(begin, this.view.zone)} to ${text.day(end - 1, this.view.zone)}` };
        }
        const i = block.times ? nearest(block, time) : -1;
        if (i < 0 || Math.abs(block.times[i] - time) > span / 20 + (block.kind === 'windows' ? block.interval : span)) return nothing;
        if (block.kind === 'rows') {
            return { words: text.value(block.average[i]), exact: text.second(block.times[i], this.view.zone) };
        }
        const begin = block.times[i] - block.interval / 2;
        return {
            words: `${text.mean(block.average[i])} (${text.value(block.min[i])} to ${text.value(block.max[i])})`,
            exact: `${text.second(begin, this.view.zone)}, ${text.duration(block.interval)}`,
        };
    }

    /** Steps the cursor by readings or windows of the first feed; answers the new time. */
    step(by, [from, to]) {
        if (this.view.bars) {
            const feed = this.#feeds.find(({ block }) => block?.kind === 'bars');
            const bars = feed ? barsOf(feed, this.view.show, from, to) : [];
            const at = bars.findIndex(([begin, end]) => this.#cursor >= begin && this.#cursor < end);
            const next = bars[Math.min(Math.max(this.#cursor === null ? bars.length - 1 : at + by, 0), bars.length - 1)];
            return next ? (Math.max(next[0], from) + Math.min(next[1], to)) / 2 : null;
        }
        const block = this.#feeds.map((feed) => feed.block).find((candidate) => candidate?.times?.length);
        if (!block) return null;
        let i = this.#cursor === null ? -1 : nearest(block, this.#cursor);
        if (i < 0) i = Math.max(nearest(block, (from + to) / 2), 0);
        let next = Math.min(Math.max(i + by, 0), block.times.length - 1);
        while (block.average[next] == null && next > 0 && next < block.times.length - 1) next += Math.sign(by);
        return Math.min(Math.max(block.times[next], from), to);
    }

    /** Says aloud what is at the cursor. */
    say() {
        const parts = this.#feeds.map(({ id, name }) => `${name} ${this.#rows.get(id).querySelector('.at').textContent || 'no reading'}`);
        this.live.textContent = `${text.second(this.#cursor, this.view.zone)}: ${parts.join('; ')}`;
    }

    /** Asks for the statistics of a range, once it rests. */
    settle(range) {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#ask(range), SETTLED);
        const [from, to] = [Math.ceil(range[0]), Math.floor(range[1])];
        for (const feed of this.#feeds) {
            const link = this.#rows.get(feed.id).querySelector('.rowscsv');
            link.href = address('csv', { feed: feed.id, what: 'rows', from, to: Math.max(from, to), zone: this.view.zone, time: 'iso8601' });
        }
    }

    async #ask(range) {
        this.#abort?.abort();
        this.#abort = new AbortController();
        const { signal } = this.#abort;
        // Whole seconds that are seen: a reading has no other times.
        const [from, to] = [Math.ceil(range[0]), Math.max(Math.ceil(range[0]), Math.floor(range[1]))];
        const asked = this.#feeds;
        const said = await Promise.all(asked.map(async (feed) => {
            try {
                const found = await call('summary', { feed: feed.id, from, to }, signal);
                return this.#show(feed, found, to - from);
            } catch (error) {
                if (error.name === 'AbortError') return null;
                this.fail(feed.id, error.message);
                return `${feed.name}: ${error.message}`;
            }
        }));
        if (!signal.aborted && this.#feeds === asked) {
            this.table.dataset.range = `${from} ${to}`;
            this.live.textContent = `${text.moment(from, to - from, this.view.zone)} to ${text.moment(to, to - from, this.view.zone)}. ${said.join('. ')}`;
        }
    }

    #show(feed, { count, average, min, max, last }, span) {
        const row = this.#rows.get(feed.id);
        if (!row) return '';
        this.fail(feed.id, null);
        const put = (name, words, time) => {
            row.querySelector(`.${name}`).replaceChildren(words, ...(time === undefined ? [] : [text.element('small', {}, text.moment(time, span / 20, this.view.zone))]));
        };
        const timed = (name, [time, value]) => put(name, text.value(value), value === null ? undefined : time);
        const n = count[0][1] ?? 0;
        put('count', text.count(n));
        put('average', text.mean(average[0][1]));
        timed('min', min[0]);
        timed('max', max[0]);
        timed('latest', last[0]);
        return n
            ? `${feed.name}: minimum ${text.value(min[0][1])}, average ${text.mean(average[0][1])}, maximum ${text.value(max[0][1])}, ${text.count(n)} readings`
            : `${feed.name}: no readings`;
    }
}
