// Has what is to be drawn there in time. Of each feed it holds one block, three
// times as wide as the view where it can be: what is panned to is there already,
// and what is zoomed to has a picture until a finer one has come.

import { call } from './api.js';
import { columns } from './gaps.js';

/**
 * Lengths of windows in seconds. Whole days follow six hours: of halves of days
 * one is warm and one is cold, and the line between them goes up and down.
 */
const INTERVALS = [1, 2, 5, 10, 15, 20, 30];
for (const minutes of [1, 2, 3, 5, 10, 15, 20, 30, 60, 120, 180, 240, 360]) INTERVALS.push(minutes * 60);
for (const days of [1, 2, 3, 4, 5, 7, 10, 14, 21, 28, 56, 84, 168, 364]) INTERVALS.push(days * 86400);

/** A request that is no longer wanted is given this many milliseconds to be of use. */
const OVERDUE = 250;
/** Rows beside the view, by which it is seen what a gap is. */
const NEIGHBOURS = 20;

export const nice = (seconds) => INTERVALS.find((interval) => interval >= seconds) ?? INTERVALS.at(-1) * Math.ceil(seconds / INTERVALS.at(-1));

export class Loader {
    /** `changed` is called with the feed's id when there is something new of it. */
    constructor(changed) {
        this.changed = changed;
        this.feeds = new Map();
    }

    /** The block that is there, drawable though perhaps not what is wanted. */
    block(id) {
        return this.feeds.get(id)?.block ?? null;
    }

    error(id) {
        return this.feeds.get(id)?.error ?? null;
    }

    /** Forgets all blocks: the files have changed. */
    forget() {
        for (const feed of this.feeds.values()) {
            feed.stale = true;
            feed.error = null;
        }
    }

    /** Gives up what is under way of feeds that are not looked at. */
    keep(ids) {
        for (const [id, feed] of this.feeds) {
            if (!ids.includes(id)) {
                feed.flight?.abort.abort();
                this.feeds.delete(id);
            }
        }
    }

    /**
     * Sees to it that the feed can be drawn for a range in so many pixels, as
     * bars of days and so on or as a line. True if it can be already.
     */
    want(id, range, pixels, bars, facts) {
        if (!this.feeds.has(id)) this.feeds.set(id, { block: null, flight: null, landed: null, error: null, failed: null, stale: false, tight: false });
        const feed = this.feeds.get(id);
        const request = bars ? barsRequest(range, bars, facts) : lineRequest(range, pixels, facts, feed.tight);
        const key = JSON.stringify(request);
        // What was asked for by the same words is as good as it gets.
        const isThere = !feed.stale && feed.block !== null && (key === feed.landed || suits(feed.block, range, pixels, bars, facts));
        if (!isThere || (key !== feed.landed && isThin(feed.block, range, facts))) {
            this.#send(id, feed, key, request, { needed: nice((range[1] - range[0]) / pixels), bars, facts });
        }
        return isThere;
    }

    #send(id, feed, key, request, { needed, bars, facts }) {
        // Not again what has failed; but another view may find the feed well.
        if (feed.error && key === feed.failed) return;
        if (feed.flight) {
            // One at a time: when it has landed, it is looked at again what is wanted.
            if (feed.flight.key !== key && performance.now() - feed.flight.since > OVERDUE) {
                feed.flight.abort.abort();
            }
            return;
        }
        feed.stale = false;
        feed.error = null;
        const flight = { key, since: performance.now(), abort: new AbortController() };
        feed.flight = flight;
        call(bars ? 'bars' : 'data', { feed: id, ...request }, flight.abort.signal).then(
            (answer) => {
                feed.landed = key;
                if (bars) {
                    feed.block = { kind: 'bars', ...request, ...answer };
                    return;
                }
                feed.block = { ...request, ...answer, ...columns(answer, facts.meta.interval) };
                // Where readings come in bursts, there may be too many of them
                // beside the view to draw it by rows.
                feed.tight = answer.kind === 'windows' && answer.interval > needed;
            },
            (error) => {
                if (error.name === 'AbortError') return;
                feed.error = error.message;
                feed.failed = key;
            },
        ).finally(() => {
            feed.flight = null;
            if (this.feeds.get(id) === feed) this.changed(id);
        });
    }
}

/** Whether a block shows all of a range as finely as the pixels do. */
function suits(block, [from, to], pixels, bars, { meta }) {
    const isCovered = Math.max(from, meta.start_time) >= block.from && Math.min(to, meta.end_time) <= block.to + (block.interval ?? 0);
    const isOutside = to < meta.start_time || from > meta.end_time;
    if (!isCovered && !isOutside) return false;
    if (bars) return block.kind === 'bars' && block.by === bars.by && block.zone === bars.zone;
    if (block.kind === 'bars') return false;
    return block.kind === 'rows' || block.interval <= nice((to - from) / pixels) || isOutside;
}

/** Whether the view has come near to an end of its block. */
function isThin(block, [from, to], { meta }) {
    const margin = (to - from) / 3;
    return (from - margin < block.from && block.from > meta.start_time) ||
        (to + margin > block.to + (block.interval ?? 0) && block.to < meta.end_time);
}

function lineRequest([from, to], pixels, { meta }, isTight) {
    const span = to - from;
    const margin = isTight ? span : Math.max(span, NEIGHBOURS * meta.interval);
    const interval = nice(Math.max(span / pixels, (span + 2 * margin) / (3 * pixels)));
    // Windows begin at whole multiples of their length, so that they stay the
    // same when the view is moved.
    const first = Math.max(from - margin, meta.start_time);
    const last = Math.min(to + margin, meta.end_time);
    const begin = Math.floor(Math.min(first, last) / interval) * interval;
    return { from: begin, to: Math.max(begin, Math.floor(last / interval) * interval), interval };
}

function barsRequest([from, to], { by, zone }, { meta }) {
    const margin = (to - from) / 2;
    const begin = Math.floor(Math.min(Math.max(from - margin, meta.start_time), meta.end_time));
    return { from: begin, to: Math.max(begin, Math.ceil(Math.min(to + margin, meta.end_time))), by, zone };
}
