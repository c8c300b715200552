// Mouse, fingers and keys over the chart. Each becomes a new range.

import { zoomed } from './view.js';

const WHEEL = 0.0016;
const KEY_ZOOM = 0.5;
const KEY_PAN = 0.25;

/** `range()` answers what is shown, `go(range)` shows another. */
export class Gestures {
    #fingers = new Map();

    constructor(chart, { range, go, extent, step, leave, refresh }) {
        Object.assign(this, { chart, range, go, extent, step, leave, refresh });
        const { host } = chart;
        host.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
        host.addEventListener('dblclick', (event) => this.zoom(2, chart.timeAt(event.clientX)));
        host.addEventListener('pointerdown', (event) => this.#down(event));
        host.addEventListener('keydown', (event) => this.#key(event));
    }

    zoom(factor, at = null) {
        const [from, to] = this.range();
        this.go(zoomed([from, to], factor, at ?? (from + to) / 2));
    }

    pan(share) {
        const [from, to] = this.range();
        this.go([from + (to - from) * share, to + (to - from) * share]);
    }

    #wheel(event) {
        if (!this.chart.over) return;
        event.preventDefault();
        const pixels = (delta) => delta * (event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1);
        if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) {
            this.pan((pixels(event.deltaX || event.deltaY) / this.chart.pixels) * 0.8);
        } else {
            const turned = Math.max(-400, Math.min(400, pixels(event.deltaY)));
            this.zoom(Math.exp(turned * WHEEL), this.chart.timeAt(event.clientX));
        }
    }

    #down(event) {
        const { over, axis } = this.chart;
        if (event.pointerType === 'touch') {
            this.#touch(event);
        } else if ((event.button === 0 && axis?.contains(event.target)) || ((event.shiftKey || event.button === 1) && over?.contains(event.target))) {
            this.#grab(event);
        }
    }

    /** Moves the view with the mouse, until its button is let go. */
    #grab(event) {
        event.preventDefault();
        this.chart.host.focus({ preventScroll: true });
        const [from, to] = this.range();
        const second = (to - from) / this.chart.pixels;
        const move = ({ clientX }) => {
            const shift = (event.clientX - clientX) * second;
            this.go([from + shift, to + shift]);
        };
        const done = () => {
            document.documentElement.classList.remove('grabbing');
            removeEventListener('pointermove', move);
            removeEventListener('pointerup', done);
            removeEventListener('pointercancel', done);
        };
        document.documentElement.classList.add('grabbing');
        addEventListener('pointermove', move);
        addEventListener('pointerup', done);
        addEventListener('pointercancel', done);
    }

    /** One finger moves, two fingers move and zoom: the times below them stay below them. */
    #touch(event) {
        if (!this.chart.over) return;
        this.#fingers.set(event.pointerId, event.clientX);
        let held = this.#hold();
        const move = (moved) => {
            if (!this.#fingers.has(moved.pointerId)) return;
            this.#fingers.set(moved.pointerId, moved.clientX);
            this.#follow(held);
        };
        const done = (gone) => {
            if (gone.pointerId !== event.pointerId) {
                held = this.#hold();
                return;
            }
            this.#fingers.delete(event.pointerId);
            removeEventListener('pointermove', move);
            removeEventListener('pointerup', done);
            removeEventListener('pointercancel', done);
        };
        addEventListener('pointermove', move);
        addEventListener('pointerup', done);
        addEventListener('pointercancel', done);
    }

    #hold() {
        const { left } = this.chart.over.getBoundingClientRect();
        return { range: this.range(), left, places: new Map(this.#fingers) };
    }

    #follow({ range: [from, to], left, places }) {
        const ids = [...places.keys()].filter((id) => this.#fingers.has(id)).slice(0, 2);
        if (ids.length < Math.min(2, this.#fingers.size)) return;
        const second = (to - from) / this.chart.pixels;
        const [old, now] = [ids.map((id) => places.get(id) - left), ids.map((id) => this.#fingers.get(id) - left)];
        if (ids.length === 1) {
            const shift = (old[0] - now[0]) * second;
            this.go([from + shift, to + shift]);
        } else if (Math.abs(now[1] - now[0]) > 10) {
            const span = (to - from) * Math.abs((old[1] - old[0]) / (now[1] - now[0]));
            const middle = from + ((old[0] + old[1]) / 2) * second;
            const begin = middle - (((now[0] + now[1]) / 2) * span) / this.chart.pixels;
            this.go([begin, begin + span]);
        }
    }

    #key(event) {
        if (event.ctrlKey || event.altKey || event.metaKey || event.target !== this.chart.host) return;
        const reach = event.shiftKey ? 1 : KEY_PAN;
        const [from, to] = this.range();
        const { start, end } = this.extent();
        const keys = {
            ArrowLeft: () => this.pan(-reach),
            ArrowRight: () => this.pan(reach),
            ArrowUp: () => this.zoom(KEY_ZOOM),
            ArrowDown: () => this.zoom(1 / KEY_ZOOM),
            '+': () => this.zoom(KEY_ZOOM),
            '=': () => this.zoom(KEY_ZOOM),
            '-': () => this.zoom(1 / KEY_ZOOM),
            '_': () => this.zoom(1 / KEY_ZOOM),
            0: () => this.go([start, end]),
            Home: () => this.go([start, start + to - from]),
            End: () => this.go([end - (to - from), end]),
            ',': () => this.step(-1),
            '.': () => this.step(1),
            '<': () => this.step(-10),
            '>': () => this.step(10),
            r: () => this.refresh(),
            Escape: () => this.leave(),
        };
        if (Object.hasOwn(keys, event.key)) {
            event.preventDefault();
            keys[event.key]();
        }
    }
}
