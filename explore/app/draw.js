// How feeds are drawn: the settings of uPlot.

import uPlot from './uplot.js';
import * as text from './text.js';
import { heights } from './bars.js';
import { nearest } from './gaps.js';

/** Columns of the table of merge(): three for each feed. */
const COLUMNS = 3;
const MAX = 1;
const MIN = 2;
const POINT_SPACE = 10;

const TIMES = [
    // from this distance of ticks on: label, and what is added below where the
    // year, the month, the day, … begins
    [31536000, '{YYYY}', null, null, null, null, null, null, 1],
    [2419200, '{MMM}', '\n{YYYY}', null, null, null, null, null, 1],
    [86400, '{D} {MMM}', '\n{YYYY}', null, null, null, null, null, 1],
    [60, '{HH}:{mm}', '\n{D} {MMM} {YYYY}', null, '\n{D} {MMM}', null, null, null, 1],
    [1, '{HH}:{mm}:{ss}', '\n{D} {MMM} {YYYY}', null, '\n{D} {MMM}', null, null, null, 1],
];

/** The colours of the page as it is now, light or dark. */
export function theme() {
    const style = getComputedStyle(document.documentElement);
    const of = (name) => style.getPropertyValue(`--${name}`).trim();
    return {
        text: of('soft'),
        strong: of('text'),
        grid: of('grid'),
        background: of('surface'),
        font: `12px ${of('font')}`,
        feeds: Array.from({ length: 8 }, (_, i) => of(`feed-${i}`)),
    };
}

/** The lowest and highest value of a block in a range, the line at its ends included. */
export function extremes(block, from, to) {
    let low = Infinity;
    let high = -Infinity;
    const take = (value) => {
        if (value == null) return;
        if (value < low) low = value;
        if (value > high) high = value;
    };
    const { times, average, min, max } = block;
    for (let i = 0; i < times.length; i++) {
        if (times[i] > to) {
            if (i > 0 && times[i - 1] < to) take(between(block, i - 1, to));
            break;
        }
        if (times[i] < from) {
            if (times[i + 1] > from) take(between(block, i, from));
            continue;
        }
        take(average[i]);
        if (min) {
            take(min[i]);
            take(max[i]);
        }
    }
    return low <= high ? [low, high] : null;
}

function between({ times, average }, i, time) {
    if (average[i] == null || average[i + 1] == null) return null;
    return average[i] + ((average[i + 1] - average[i]) * (time - times[i])) / (times[i + 1] - times[i]);
}

/** The bars of a feed that reach into a range: [begin, end, low, high]. */
export function barsOf(feed, show, from, to) {
    if (feed.block?.kind !== 'bars') return [];
    const bars = [];
    heights(feed.block, show, feed.extent).forEach((bar, i) => {
        const [begin, end] = feed.block.edges.slice(i, i + 2);
        if (bar && end > from && begin < to) bars.push([begin, end, ...bar]);
    });
    return bars;
}

function rangeOf(feeds, view, [from, to]) {
    let [low, high] = [Infinity, -Infinity];
    for (const feed of feeds) {
        const found = view.bars
            ? barsOf(feed, view.show, from, to).map(([, , l, h]) => [l, h])
            : [feed.block && feed.block.kind !== 'bars' && extremes(feed.block, from, to)];
        for (const pair of found) {
            if (!pair) continue;
            low = Math.min(low, ...pair);
            high = Math.max(high, ...pair);
        }
    }
    if (low > high) return [0, 1];
    return uPlot.rangeNum(low, high, 0.08, true);
}

/** A path of the bars of one feed of several. */
function barPath(feeds, index, view) {
    return (u, series) => {
        const path = new Path2D();
        const scale = u.series[series].scale;
        const range = [u.scales.x.min, u.scales.x.max];
        for (const [begin, end, low, high] of barsOf(feeds[index], view.show, ...range)) {
            const left = u.valToPos(begin, 'x', true);
            const slot = u.valToPos(end, 'x', true) - left;
            const apart = Math.min(slot * 0.15, 10 * uPlot.pxRatio);
            const width = (slot - apart) / feeds.length;
            const gap = feeds.length > 1 ? Math.min(width * 0.1, uPlot.pxRatio) : 0;
            const top = u.valToPos(high, scale, true);
            const height = u.valToPos(low, scale, true) - top;
            path.rect(left + apart / 2 + index * width, top, Math.max(width - gap, 1), Math.max(Math.abs(height), 1) * Math.sign(height || 1));
        }
        return { fill: path, stroke: null, clip: null, band: null, gaps: null, flags: 0 };
    };
}

const translucent = (colour, share) => `color-mix(in srgb, ${colour} ${share}%, transparent)`;

/** Windows with a gap on both sides have no line to them: a stroke shows their band. */
function drawLonely(u, feeds) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    feeds.forEach(({ block, colour, scale }) => {
        if (!block?.min) return;
        ctx.strokeStyle = translucent(colour, 60);
        ctx.lineWidth = Math.max(2 * uPlot.pxRatio, 1);
        ctx.beginPath();
        for (let i = 0; i < block.times.length; i++) {
            if (!isLonely(block, i)) continue;
            const x = u.valToPos(block.times[i], 'x', true);
            ctx.moveTo(x, u.valToPos(block.min[i], scale, true));
            ctx.lineTo(x, u.valToPos(block.max[i], scale, true));
        }
        ctx.stroke();
    });
    ctx.restore();
}

const isLonely = ({ average }, i) => average[i] != null && average[i - 1] == null && average[i + 1] == null;

/** Whether the points of a line are far enough from each other to be seen as such. */
function hasPoints(u, block) {
    const [from, to] = [u.scales.x.min, u.scales.x.max];
    let count = 0;
    for (const time of block.times) {
        if (time >= from && time <= to) count++;
    }
    return count * POINT_SPACE * uPlot.pxRatio < u.bbox.width;
}

function lines(feeds, colours) {
    const linear = uPlot.paths.linear();
    const edge = (feed, label) => ({
        label, scale: feed.scale, stroke: translucent(feed.colour, 45), width: 1, paths: linear, points: { show: false },
    });
    return feeds.flatMap((feed) => [
        edge(feed, `${feed.name} maximum`),
        edge(feed, `${feed.name} minimum`),
        {
            label: feed.name,
            scale: feed.scale,
            stroke: feed.colour,
            width: 1.5,
            paths: linear,
            points: {
                size: 5,
                fill: colours.background,
                show: (u) => Boolean(feed.block?.times) && hasPoints(u, feed.block),
                filter: (u, series, isShown) => {
                    if (isShown || !feed.block?.times) return null;
                    return u.data[series].flatMap((value, i) => (value != null && isLonely(feed.block, nearest(feed.block, u.data[0][i])) ? [i] : []));
                },
            },
        },
    ]);
}

/**
 * uPlot's settings for feeds: { id, name, colour, scale, block, extent }, whose
 * blocks may be exchanged afterwards.
 */
export function options(feeds, view, size, handlers) {
    const colours = theme();
    const yAxis = (scale, side) => ({
        scale,
        side,
        stroke: colours.text,
        font: colours.font,
        grid: side === 3 ? { stroke: colours.grid, width: 1 } : { show: false },
        ticks: { show: false },
        border: { show: false },
        gap: 6,
        // Wide enough for the widest number.
        size: (u, values) => {
            if (!values?.length) return 40;
            u.ctx.font = colours.font;
            return Math.ceil(Math.max(...values.map((v) => u.ctx.measureText(v ?? '').width))) + 14;
        },
        values: (u, splits) => splits.map((v) => text.value(v)),
    });
    const hasRight = feeds.some((feed) => feed.scale === 'right');
    const scale = (name) => ({
        range: (u) => rangeOf(feeds.filter((feed) => feed.scale === name), view, [u.scales.x.min, u.scales.x.max]),
    });
    return {
        ...size,
        padding: [12, hasRight ? 0 : 16, 0, 0],
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), view.zone),
        legend: { show: false },
        cursor: {
            y: false,
            drag: { x: true, y: false, setScale: false, dist: 4 },
            points: view.bars
                ? { show: false }
                : {
                      // The average alone has a point to it.
                      size: 8,
                      width: (u, series) => (series % COLUMNS === 0 ? 2 : 0),
                      fill: (u, series) => (series % COLUMNS === 0 ? colours.background : 'transparent'),
                      stroke: (u, series) => feeds[Math.floor((series - 1) / COLUMNS)].colour,
                  },
            bind: handlers.bind,
        },
        scales: { x: { time: true, auto: false, range: (u, min, max) => [min, max] }, left: scale('left'), right: scale('right') },
        axes: [
            {
                stroke: colours.text,
                font: colours.font,
                grid: { stroke: colours.grid, width: 1 },
                ticks: { stroke: colours.grid, width: 1, size: 5 },
                space: 70,
                size: 46,
                values: TIMES,
            },
            yAxis('left', 3),
            ...(hasRight ? [yAxis('right', 1)] : []),
        ],
        series: [
            {},
            ...(view.bars
                ? feeds.map((feed, i) => ({ label: feed.name, scale: feed.scale, fill: feed.colour, paths: barPath(feeds, i, view), points: { show: false } }))
                : lines(feeds, colours)),
        ],
        bands: view.bars
            ? []
            : feeds.map((feed, i) => ({
                  series: [i * COLUMNS + MAX, i * COLUMNS + MIN],
                  fill: translucent(feed.colour, 24),
              })),
        hooks: {
            setSelect: [handlers.select],
            setCursor: [handlers.cursor],
            draw: view.bars ? [] : [(u) => drawLonely(u, feeds)],
        },
    };
}

