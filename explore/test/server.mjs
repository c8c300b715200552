// Starts the page as `make explore` does, and asks it.

import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const TOP = join(dirname(fileURLToPath(import.meta.url)), '../..');
/** Where tests/explore.sh has put feeds and their backup. */
export const FEEDS = process.env.EMONFEED_TEST_FEEDS;
export const BACKUP = process.env.EMONFEED_TEST_BACKUP;
const COMMAND = join(TOP, 'target/release/emonfeed');

export async function freePort() {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    server.close();
    await once(server, 'close');
    return port;
}

/** Runs explore/serve.sh; answers what it says and, if it fails, how. */
export function serve(...parameters) {
    const child = spawn('sh', ['explore/serve.sh', 'target/explore', '../php-ext/modules/emonfeed.so', COMMAND, ...parameters.map(String)], { cwd: TOP, stdio: ['ignore', 'pipe', 'pipe'] });
    const said = { out: '', err: '', child, code: null };
    child.stdout.on('data', (text) => (said.out += text));
    child.stderr.on('data', (text) => (said.err += text));
    said.ended = once(child, 'close').then(([code]) => (said.code = code));
    said.started = new Promise((resolve, reject) => {
        child.stdout.on('data', () => said.out.includes('Ctrl-C') && resolve());
        child.on('close', () => reject(new Error(`serve.sh ended: ${said.err}`)));
    });
    said.started.catch(() => null);
    return said;
}

/** The processes of PHP that a server has: the first, and its workers. */
export function phpOf(server) {
    const ps = (columns, parent) => execFileSync('ps', ['-o', columns, '--ppid', String(parent)], { encoding: 'utf8' });
    const [, master] = /^ *(\d+) php /m.exec(ps('pid=,args=', server.child.pid));
    return [master, ...ps('pid=', master).trim().split(/\s+/)];
}

/** The keys of the servers, by port. */
const keys = new Map();
export const keyOf = (url) => keys.get(Number(new URL(url).port));
export const cookieName = (key) => `emonfeed-${createHash('sha256').update(key).digest('hex').slice(0, 8)}`;
const cookie = (port) => `${cookieName(keys.get(port))}=${keys.get(port)}`;

/** A server for a test, which is ended with it. */
export async function start(context, directory = FEEDS, backup = '', host = '127.0.0.1') {
    const port = await freePort();
    const server = serve(directory, backup, port, host);
    context.after(async () => {
        server.child.kill('SIGTERM');
        await server.ended;
    });
    await server.started;
    keys.set(port, /\?key=([0-9a-f]{32})\n/.exec(server.out)[1]);
    return { port, key: keys.get(port), cookie: cookie(port), url: `http://127.0.0.1:${port}`, server };
}

/** What comes back for the very bytes of a request, with the server's key unless it has a cookie of its own. */
export async function raw(port, request) {
    const socket = connect(port, '127.0.0.1');
    socket.end(request.includes('Cookie:') ? request : request.replace('\r\n', `\r\nCookie: ${cookie(port)}\r\n`));
    const pieces = [];
    for await (const piece of socket) pieces.push(piece);
    const text = Buffer.concat(pieces).toString('latin1');
    const [head, ...body] = text.split('\r\n\r\n');
    const headers = Object.fromEntries(head.split('\r\n').slice(1).map((line) => [line.split(':')[0].toLowerCase(), line.slice(line.indexOf(':') + 2)]));
    return { status: Number(head.split(' ')[1]), headers, body: body.join('\r\n\r\n'), text };
}

export const get = (port, target, headers = 'Host: localhost') => raw(port, `GET ${target} HTTP/1.1\r\n${headers}\r\nConnection: close\r\n\r\n`);

/** What the command answers: [[time, value], …]. */
export function emonfeed(id, ...options) {
    const file = join(FEEDS, `feed_${id}.MYD`);
    return JSON.parse(execFileSync(COMMAND, ['get', file, '--format', 'json', ...options.map(String)], { encoding: 'utf8', maxBuffer: 1 << 28 }));
}

/** One aggregate of the one window [from, from + interval). */
export const oneOf = (id, aggregate, from, interval, ...options) =>
    emonfeed(id, '--start', from, '--end', from, '--interval', interval, `--${aggregate}`, ...options)[0];
