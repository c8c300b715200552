// What explore/serve.sh says where it cannot serve, and what it leaves behind.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FEEDS, freePort, get, phpOf, serve, start } from './server.mjs';

function folder(context) {
    const made = mkdtempSync(join(tmpdir(), 'emonfeed-explore-'));
    context.after(() => rmSync(made, { recursive: true }));
    return made;
}

async function refused(...parameters) {
    const said = serve(...parameters);
    await said.ended;
    assert.deepEqual([said.code, said.out], [1, ''], said.err);
    return said.err;
}

test('a directory that is none, or holds no feeds', async (context) => {
    const place = folder(context);
    assert.match(await refused(''), /which directory\? make explore DIR=/);
    assert.match(await refused(join(place, 'none')), /none: there is no such directory/);
    assert.match(await refused(place), /there are no feeds in it \(feed_1\.MYD/);
    writeFileSync(join(place, 'users.MYD'), '');
    assert.match(await refused(place), /there are no feeds in it/);
    writeFileSync(join(place, 'feed_1.MYD'), '');
    assert.match(await refused(place, join(place, 'none')), /none: there is no such directory/);
    mkdirSync(join(place, 'a:b'));
    assert.match(await refused(join(place, 'a:b')), /with a colon in its name/);
});

test('ports that are none, or taken', async (context) => {
    for (const port of ['0', 'x', '65536', '-1', '080', '8080x', '123456']) assert.match(await refused(FEEDS, '', port), /port .*: a port is a number from 1 to 65535/, port);
    const { port, server } = await start(context);
    const log = /Log until then: (.*)/.exec(server.out)[1];
    const said = await refused(FEEDS, '', port);
    assert.ok(!readFileSync(log, 'utf8').includes('Failed to listen'), 'each server has a log of its own');
    assert.match(said, /Address already in use/);
    assert.match(said, new RegExp(`another program listens on 127\\.0\\.0\\.1:${port}; name another port: PORT=${port + 1} or --port ${port + 1}`));
    assert.match(await refused(FEEDS, '', await freePort(), '192.0.2.1'), /cannot listen on 192\.0\.2\.1:.* is that an address of this machine/);
    assert.equal((await get(port, '/api/feeds')).status, 200);
});

test('a link to the directory is followed at the start, and not again', async (context) => {
    const place = folder(context);
    mkdirSync(join(place, 'one'));
    writeFileSync(join(place, 'one', 'feed_1.MYD'), '');
    symlinkSync('one', join(place, 'link'));
    const { port } = await start(context, join(place, 'link'));
    rmSync(join(place, 'link'));
    symlinkSync('/', join(place, 'link'));
    assert.equal(JSON.parse((await get(port, '/api/feeds')).body).directory, join(place, 'one'));
});

test('it listens on loopback alone, whatever the environment holds, and leaves no process behind', async (context) => {
    const port = await freePort();
    process.env.HOST = '0.0.0.0';
    const said = serve(FEEDS, '', port);
    delete process.env.HOST;
    context.after(() => said.child.kill('SIGTERM'));
    await said.started;
    const listening = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(said.child.pid)], { encoding: 'utf8' });
    assert.match(listening, new RegExp(`-S 127\\.0\\.0\\.1:${port} `));
    const processes = phpOf(said);
    assert.equal(processes.length, 5);
    said.child.kill('SIGTERM');
    await said.ended;
    assert.equal(said.code, 143);
    await gone(processes);
});

test('it leaves nothing behind, whatever ends it', async (context) => {
    for (const [signal, code] of [['SIGINT', 130], ['SIGQUIT', 131], ['SIGHUP', 143], ['SIGKILL', null]]) {
        const said = serve(FEEDS, '', await freePort());
        context.after(() => said.child.kill('SIGTERM'));
        await said.started;
        const log = /Log until then: (.*)/.exec(said.out)[1];
        const processes = phpOf(said);
        said.child.kill(signal);
        await said.ended;
        assert.equal(said.code, code, signal);
        await gone(processes);
        // Where it was killed, that is somebody else's to do, at the same time.
        for (let i = 0; existsSync(log); i++) {
            assert.ok(i < 500, `${log} stays after ${signal}`);
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
    }
});

/** They have been told; they may take a moment. */
async function gone(pids) {
    for (const pid of pids) {
        for (let i = 0; isAlive(pid); i++) {
            assert.ok(i < 500, `process ${pid} goes on`);
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
    }
}

function isAlive(pid) {
    try {
        process.kill(Number(pid), 0);
        return true;
    } catch {
        return false;
    }
}
