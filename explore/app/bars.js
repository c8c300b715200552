// Days, weeks, months or years as bars.

/** Bars narrower than this are drawn by the next longer unit. */
const NARROWEST = 3;
const SECONDS = { day: 86400, week: 604800, month: 2629800, year: 31557600 };

/** The unit that leaves bars to be seen: the one asked for, or a longer one. */
export function unitFor(asked, span, pixels, feeds) {
    const units = Object.keys(SECONDS);
    const fits = (unit) => (span / SECONDS[unit]) * NARROWEST * feeds <= pixels;
    return units.slice(units.indexOf(asked)).find(fits) ?? 'year';
}

/**
 * [low, high] of each bar, null without readings. What is shown of a power feed
 * in W as energy is kWh: the mean times the part of the bar for which the feed
 * exists. The increase of a meter is from the reading before the bar on.
 */
export function heights(answer, show, extent) {
    const { edges } = answer;
    let before = answer.before;
    return answer.average.map(([begin, average], i) => {
        if (average === null) return null;
        switch (show) {
            case 'range':
                return [answer.min[i][1], answer.max[i][1]];
            case 'sum':
                return [0, answer.sum[i][1]];
            case 'energy': {
                const seconds = Math.min(edges[i + 1], extent.end) - Math.max(begin, extent.start);
                return [0, (average * seconds) / 3.6e6];
            }
            case 'increase': {
                const last = answer.last[i][1];
                const increase = last - (before ?? answer.min[i][1]);
                before = last;
                return [0, increase];
            }
            default:
                return [0, average];
        }
    });
}
