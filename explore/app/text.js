// Numbers, sizes and times as text, and elements made of it.

const number = new Intl.NumberFormat('en', { maximumSignificantDigits: 7 });
const rounded = new Intl.NumberFormat('en', { maximumSignificantDigits: 5 });
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const ago = new Intl.RelativeTimeFormat('en', { numeric: 'always', style: 'narrow' });

const MISSING = '–';

/** Numbers that would be mostly zeros have an exponent. */
function written(v, format, digits) {
    if (v == null) return MISSING;
    const size = Math.abs(v);
    return v !== 0 && (size >= 1e12 || size < 1e-6) ? Number(v.toPrecision(digits)).toExponential() : format.format(v);
}

/** A stored value: as many digits as a FLOAT has. */
export const value = (v) => written(v, number, 7);

/** A mean or a sum. */
export const mean = (v) => written(v, rounded, 5);

export const count = (n) => whole.format(n);

export function bytes(n) {
    const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
    let unit = 0;
    while (n >= 1000 && unit < units.length - 1) {
        n /= 1000;
        unit++;
    }
    return `${new Intl.NumberFormat('en', { maximumFractionDigits: n < 10 && unit ? 1 : 0 }).format(n)} ${units[unit]}`;
}

const STEPS = [[60, 'second'], [60, 'minute'], [24, 'hour'], [30.44, 'day'], [12, 'month'], [Infinity, 'year']];

export function since(time, now = Date.now() / 1000) {
    let distance = time - now;
    for (const [size, unit] of STEPS) {
        if (Math.abs(distance) < size) {
            return ago.format(Math.round(distance), unit);
        }
        distance /= size;
    }
}

const LENGTHS = [[31557600, 'year'], [2629800, 'month'], [604800, 'week'], [86400, 'day'], [3600, 'hour'], [60, 'minute'], [1, 'second']];

/** 300 as "5 minutes": in the largest unit that leaves no long fraction. */
export function duration(seconds) {
    const [size, unit] = LENGTHS.find(([size]) => seconds >= size && Number.isInteger((seconds / size) * 10)) ??
        LENGTHS.find(([size]) => seconds >= size) ?? [1, 'second'];
    const n = rounded.format(Math.round((seconds / size) * 10) / 10);
    return `${n} ${unit}${n === '1' ? '' : 's'}`;
}

/** 300 as "each 5 minutes", 86400 as "each day". */
export const each = (seconds) => `each ${duration(seconds).replace(/^1 /, '')}`;

const formats = new Map();

function formatter(zone, options) {
    const key = zone + JSON.stringify(options);
    if (!formats.has(key)) {
        formats.set(key, new Intl.DateTimeFormat('en-GB', { timeZone: zone, hourCycle: 'h23', ...options }));
    }
    return formats.get(key);
}

const DAY = { day: 'numeric', month: 'short', year: 'numeric' };
const MINUTE = { ...DAY, hour: '2-digit', minute: '2-digit' };
const SECOND = { ...MINUTE, second: '2-digit' };

export const second = (time, zone) => formatter(zone, SECOND).format(time * 1000);
export const minute = (time, zone) => formatter(zone, MINUTE).format(time * 1000);
export const day = (time, zone) => formatter(zone, DAY).format(time * 1000);

/** A time as exactly as a view of that many seconds shows it. */
export const moment = (time, span, zone) => (span > 400 * 86400 ? day : span > 2 * 3600 ? minute : second)(time, zone);

/** element('p', { class: 'x', onclick: f }, 'text', another) */
export function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, attribute] of Object.entries(attributes)) {
        if (key.startsWith('on')) {
            made.addEventListener(key.slice(2), attribute);
        } else if (attribute === true) {
            made.setAttribute(key, '');
        } else if (attribute !== false && attribute != null) {
            made.setAttribute(key, attribute);
        }
    }
    made.append(...children.filter((child) => child != null));
    return made;
}
