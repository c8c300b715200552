// The chart as a picture, with the names of what is in it.

import { theme } from './draw.js';

const EDGE = 16;
const TITLE = 16;
const LEGEND = 13;

/** A PNG of the chart's canvas with a title above and its feeds' names below it. */
export function picture(canvas, title, feeds) {
    const colours = theme();
    const ratio = devicePixelRatio;
    const family = colours.font.replace(/^\S+ /, '');
    const top = EDGE + TITLE + 10;
    const made = document.createElement('canvas');
    made.width = canvas.width + 2 * EDGE * ratio;
    made.height = canvas.height + (top + LEGEND + 2 * EDGE) * ratio;
    const context = made.getContext('2d');
    context.fillStyle = colours.background;
    context.fillRect(0, 0, made.width, made.height);
    context.drawImage(canvas, EDGE * ratio, top * ratio);
    context.scale(ratio, ratio);
    context.textBaseline = 'middle';
    context.fillStyle = colours.strong;
    context.font = `600 ${TITLE}px ${family}`;
    context.fillText(title, EDGE, EDGE + TITLE / 2);
    context.font = `${LEGEND}px ${family}`;
    let left = EDGE;
    const line = made.height / ratio - EDGE - LEGEND / 2;
    for (const { name, colour } of feeds) {
        context.fillStyle = colour;
        context.fillRect(left, line - 5, 10, 10);
        context.fillStyle = colours.strong;
        context.fillText(name, left + 16, line);
        left += 16 + context.measureText(name).width + 20;
    }
    return new Promise((resolve, reject) => {
        made.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('the browser made no picture'))), 'image/png');
    });
}
