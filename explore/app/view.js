// What is looked at: the feeds, the range of time and how it is drawn. It is kept
// in the address, behind the #, so that a view can be reloaded and shared.

export const UNITS = ['day', 'week', 'month', 'year'];
export const BARS = ['average', 'range', 'sum', 'energy', 'increase'];
export const MOST_FEEDS = 8;
/** Ten seconds, the closest look. */
export const CLOSEST = 10;

export const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone ?? 'UTC';

/** The view an address speaks of; what it does not say, or says wrongly, is null or as at first. */
export function parse(hash) {
    const given = new URLSearchParams(hash.replace(/^#/, ''));
    const number = (name) => (/^-?\d{1,12}(\.\d+)?$/.test(given.get(name) ?? '') ? Number(given.get(name)) : null);
    const oneOf = (name, known, otherwise) => (known.includes(given.get(name)) ? given.get(name) : otherwise);
    const list = (name) => (given.get(name) ?? '').split(',').filter((id) => /^\d+$/.test(id));
    const [from, to] = [number('from'), number('to')];
    const hasRange = from !== null && to !== null && to - from >= CLOSEST / 2;
    return {
        feeds: [...new Set(list('feeds'))].slice(0, MOST_FEEDS),
        right: list('right'),
        left: list('left'),
        from: hasRange ? from : null,
        to: hasRange ? to : null,
        bars: oneOf('bars', UNITS, null),
        show: oneOf('show', BARS, 'average'),
        zone: isZone(given.get('zone')) ? given.get('zone') : ownZone,
    };
}

export function format(view) {
    const parts = [];
    if (view.feeds.length) {
        parts.push(`feeds=${view.feeds}`);
        const digits = view.to - view.from < 600 ? 1 : 0;
        if (view.from !== null) {
            parts.push(`from=${Number(view.from.toFixed(digits))}`, `to=${Number(view.to.toFixed(digits))}`);
        }
        if (view.bars) parts.push(`bars=${view.bars}`, `show=${view.show}`);
        if (view.right.length) parts.push(`right=${view.right}`);
        if (view.left.length) parts.push(`left=${view.left}`);
    }
    if (view.zone !== ownZone) parts.push(`zone=${view.zone}`);
    return parts.length ? `#${parts.join('&')}` : '#';
}

export function isZone(name) {
    try {
        return Boolean(name) && Boolean(new Intl.DateTimeFormat('en', { timeZone: name }));
    } catch {
        return false;
    }
}

/**
 * A range within reach of the data: not closer than ten seconds, not farther
 * than twice of all; a quarter of it has data, or else all data are in it.
 */
export function within([from, to], { start, end }) {
    const whole = Math.max(end - start, CLOSEST);
    const span = Math.min(Math.max(to - from, CLOSEST), 2 * whole);
    const [least, most] = span < whole ? [start - span * 0.75, end - span * 0.25] : [end - span, start];
    const begin = Math.min(Math.max((from + to - span) / 2, least), most);
    return [begin, begin + span];
}

/** A range zoomed by a factor (below 1: closer) around a time that stays where it is. */
export const zoomed = ([from, to], factor, at) => {
    const span = Math.max((to - from) * factor, CLOSEST);
    const share = (at - from) / (to - from);
    return [at - span * share, at + span * (1 - share)];
};
