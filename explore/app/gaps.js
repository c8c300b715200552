// What the server answered, as columns to draw: with a point of null where data
// are missing, and several feeds over one axis of time.

/** A hole of more usual distances than this between readings is a gap, */
const USUAL = 5;
/** where the usual distance is the median of so many on one side of it. */
const NEIGHBOURS = 10;

/**
 * The columns of one answer: times, average, min, max. A window's time is its
 * middle; rows have no min and max. `usual` is the feed's usual distance of
 * readings in seconds.
 */
export function columns(answer, usual) {
    const points = answer.kind === 'rows' ? ofRows(answer.rows) : ofWindows(answer);
    return withGaps(points, answer.kind === 'rows' ? 0 : answer.interval, usual);
}

function ofRows(rows) {
    const points = { times: [], average: [], min: null, max: null };
    for (const [time, value] of rows) {
        // Of rows of one second the last one counts, as in lastValue().
        if (time === points.times.at(-1)) {
            points.average[points.average.length - 1] = finite(value);
        } else {
            points.times.push(time);
            points.average.push(finite(value));
        }
    }
    return points;
}

/** What cannot be drawn is a gap. */
const finite = (value) => (Number.isFinite(value) ? value : null);

function ofWindows({ interval, average, min, max }) {
    const points = { times: [], average: [], min: [], max: [] };
    let low = 0;
    let high = 0;
    for (const [time, value] of average) {
        // A reading that came between two of the server's queries may have made
        // a window in one of them alone.
        while (low < min.length && min[low][0] < time) low++;
        while (high < max.length && max[high][0] < time) high++;
        if (min[low]?.[0] !== time || max[high]?.[0] !== time) continue;
        points.times.push(time + interval / 2);
        points.average.push(finite(value));
        points.min.push(finite(min[low][1]));
        points.max.push(finite(max[high][1]));
    }
    return points;
}

function withGaps({ times, average, min, max }, interval, usual) {
    const distances = times.slice(1).map((time, i) => time - times[i]);
    const smallest = distances.reduce((a, b) => Math.min(a, b), Infinity);
    const made = { times: [], average: [], min: min && [], max: max && [] };
    for (let i = 0; i < times.length; i++) {
        made.times.push(times[i]);
        made.average.push(average[i]);
        min && made.min.push(min[i]);
        max && made.max.push(max[i]);
        const distance = distances[i];
        if (distance > interval && (distance > smallest || times.length < 3) && isGap(distances, i, interval, usual)) {
            made.times.push(times[i] + distance / 2);
            made.average.push(null);
            min && made.min.push(null);
            max && made.max.push(null);
        }
    }
    return made;
}

/** Whether the distance between point i and the next is a gap. */
export function isGap(distances, i, interval, usual) {
    const around = Math.max(
        median(distances.slice(Math.max(0, i - NEIGHBOURS), i)),
        median(distances.slice(i + 1, i + 1 + NEIGHBOURS)),
    );
    // Windows that follow each other say only that readings are not farther
    // apart than they are long.
    const local = around > interval ? around : Math.min(usual || interval, interval);
    // Without neighbours the feed as a whole has to do.
    return distances[i] - interval > USUAL * (local || usual || distances[i]);
}

function median(distances) {
    return distances.length ? distances.sort((a, b) => a - b)[distances.length >> 1] : 0;
}

/**
 * Several feeds over the times of all: [times, max, min, average, max, …], null
 * in gaps, undefined where another feed has its point. The times of `frame` are
 * among them, so that there are some.
 */
export function merge(blocks, frame) {
    let count = frame.length;
    for (const block of blocks) count += block.times.length;
    const all = new Float64Array(count);
    all.set(frame);
    count = frame.length;
    for (const block of blocks) {
        all.set(block.times, count);
        count += block.times.length;
    }
    all.sort();
    const times = [];
    for (const time of all) {
        if (time !== times.at(-1)) times.push(time);
    }
    const table = [times];
    for (const block of blocks) {
        table.push(spread(times, block, block.max), spread(times, block, block.min), spread(times, block, block.average));
    }
    return table;
}

function spread(times, block, values) {
    const column = new Array(times.length).fill(undefined);
    if (!values) return column;
    let next = 0;
    for (let i = 0; i < times.length && next < values.length; i++) {
        if (block.times[next] === times[i]) {
            column[i] = values[next++];
        } else if (next > 0 && (values[next - 1] === null || values[next] === null)) {
            column[i] = null;
        }
    }
    return column;
}

/** The index of the point nearest to a time that has a value; -1 if there is none. */
export function nearest(block, time) {
    let low = 0;
    let high = block.times.length - 1;
    if (high < 0) return -1;
    while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (block.times[middle] <= time) low = middle;
        else high = middle;
    }
    const [near, far] = time - block.times[low] <= block.times[high] - time ? [low, high] : [high, low];
    return block.average[near] != null ? near : block.average[far] != null ? far : -1;
}
