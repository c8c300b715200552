// The chart: feeds over a range of time, drawn by uPlot.

import uPlot from './uplot.js';
import { options } from './draw.js';
import { merge } from './gaps.js';

export class Chart {
    #plot = null;
    #feeds = [];
    #view = null;
    #range = [0, 1];

    /** `events`: select([from, to]), cursor(time or null). */
    constructor(host, events) {
        this.host = host;
        this.events = events;
        new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(host);
    }

    /** Begins anew: other feeds, other axes, other colours, another way to draw. */
    build(feeds, view, range) {
        this.#plot?.destroy();
        this.#feeds = feeds;
        this.#view = view;
        this.#range = range;
        const handlers = {
            select: (u) => {
                const { left, width } = u.select;
                if (width < 4) return;
                const ends = [u.posToVal(left, 'x'), u.posToVal(left + width, 'x')];
                u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
                this.events.select(ends);
            },
            cursor: (u) => this.events.cursor(u.cursor.left >= 0 ? u.posToVal(u.cursor.left, 'x') : null),
            bind: {
                mousedown: (u, target, next) => (event) => {
                    // With Shift, or another button, a drag moves the view (gestures.js).
                    if (!event.shiftKey && event.button === 0) next(event);
                },
                dblclick: () => () => null,
            },
        };
        this.#plot = new uPlot(options(feeds, view, this.#size(), handlers), this.#table(), this.host);
        this.#plot.setScale('x', { min: range[0], max: range[1] });
    }

    clear() {
        this.#plot?.destroy();
        this.#plot = null;
    }

    /** Draws what has come since. */
    refresh() {
        this.#plot?.batch(() => {
            this.#plot.setData(this.#table(), false);
            this.#plot.setScale('x', { min: this.#range[0], max: this.#range[1] });
        });
    }

    /** Shows another range, by what is there. */
    show(range) {
        this.#range = range;
        this.#plot?.setScale('x', { min: range[0], max: range[1] });
    }

    #table() {
        if (this.#view.bars) {
            return [this.#range, ...this.#feeds.map(() => [undefined, undefined])];
        }
        const nothing = { times: [], average: [], min: null, max: null };
        return merge(this.#feeds.map(({ block }) => (block && block.kind !== 'bars' ? block : nothing)), this.#range);
    }

    #size() {
        return { width: Math.max(this.host.clientWidth, 200), height: Math.max(this.host.clientHeight, 160) };
    }

    /** Pixels that the line has for itself. */
    get pixels() {
        return this.#plot ? Math.max(this.#plot.over.clientWidth, 100) : Math.max(this.host.clientWidth - 80, 100);
    }

    get over() {
        return this.#plot?.over ?? null;
    }

    /** The element over the axis of time, for whoever takes hold of it. */
    get axis() {
        return this.#plot?.root.querySelector('.u-axis') ?? null;
    }

    get canvas() {
        return this.#plot?.ctx.canvas ?? null;
    }

    timeAt(clientX) {
        return this.#plot.posToVal(clientX - this.#plot.over.getBoundingClientRect().left, 'x');
    }

    /** Puts the cursor at a time, where readings are. */
    point(time) {
        const left = time === null ? -10 : this.#plot.valToPos(time, 'x');
        this.#plot.setCursor({ left, top: this.#plot.over.clientHeight / 2 });
    }
}
