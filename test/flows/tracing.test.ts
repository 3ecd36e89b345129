import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { ask } from '../support/admin.js';
import { Desktop } from '../support/desktop.js';
import { SELDOM, startNode, tokenFor } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { OtlpReceiver } from '../support/otlp-receiver.js';
import { testRedis } from '../support/redis.js';

let redis: RedisProcess;
beforeAll(async () => {
  redis = await testRedis();
});
afterAll(async () => {
  await redis.stop();
});

describe('traces', () => {
  it('follow a session from handshake over claim to welcome, and an eviction to its receipt', async () => {
    const receiver = await OtlpReceiver.start();
    const node = await startNode(redis.url, { SOLESEAT_OTLP_ENDPOINT: receiver.url });
    const loser = await Desktop.hello(node.ports.public, 'traced-person', 'workstation');
    const held = await loser.told('welcome');
    const winner = await Desktop.hello(node.ports.public, 'traced-person', 'laptop');
    const won = await winner.told('welcome');
    await loser.close();

    const { sessionId, epoch } = held;
    const connect = await receiver.span('connect', { 'soleseat.sessionId': sessionId });
    expect(connect.facts).toMatchObject({
      'soleseat.outcome': 'granted',
      'soleseat.org': 'acme',
      'soleseat.epoch': epoch,
    });
    expect(connect.resource).toMatchObject({
      'service.name': 'soleseat',
      'service.instance.id': node.nodeId,
    });
    const steps = receiver.spans.filter(
      ({ traceId, spanId }) => traceId === connect.traceId && spanId !== connect.spanId,
    );
    // They come in the order in which they ended. Their times are rounded to milliseconds.
    expect(steps.map(({ name }) => name)).toEqual(['handshake', 'claim', 'welcome']);
    expect(steps.every(({ parentSpanId }) => parentSpanId === connect.spanId)).toBe(true);

    const evict = await receiver.span('evict', { 'soleseat.sessionId': sessionId });
    const cause = await receiver.span('connect', { 'soleseat.sessionId': won.sessionId });
    expect([evict.traceId, evict.parentSpanId]).toEqual([cause.traceId, cause.spanId]);
    expect(evict.facts).toMatchObject({
      'soleseat.org': 'acme',
      'soleseat.epoch': epoch,
      'soleseat.byEpoch': won.epoch,
      'soleseat.reason': 'taken_over',
      'soleseat.path': 'local',
      'soleseat.isAnswered': true,
    });
    await node.stop();
    receiver.stop();
    expect(receiver.bodies.join('')).not.toContain('traced-person');
  });

  it('have the claim and the eviction that it causes at another node in one', async () => {
    const receiver = await OtlpReceiver.start();
    const settings = { ...SELDOM, SOLESEAT_OTLP_ENDPOINT: receiver.url };
    const [near, far] = [await startNode(redis.url, settings), await startNode(redis.url, settings)];
    const loser = await Desktop.hello(near.ports.public, 'traced', 'workstation');
    const held = await loser.told('welcome');
    const winner = await Desktop.hello(far.ports.public, 'traced', 'laptop');
    const won = await winner.told('welcome');
    await loser.close();
    const evict = await receiver.span('evict', { 'soleseat.sessionId': held.sessionId });
    expect(evict.facts).toMatchObject({ 'soleseat.path': 'pubsub' });
    const cause = await receiver.span('connect', { 'soleseat.sessionId': won.sessionId });
    expect([evict.traceId, evict.parentSpanId]).toEqual([cause.traceId, cause.spanId]);
    await Promise.all([near.stop(), far.stop()]);
    receiver.stop();
  });

  it('tell of a handshake that is refused, and of a visitor who goes away', async () => {
    const receiver = await OtlpReceiver.start();
    const node = await startNode(redis.url, { SOLESEAT_OTLP_ENDPOINT: receiver.url });
    await Desktop.open(node.ports.public, 'a.b.c').catch(() => {});
    (await Desktop.open(node.ports.public, tokenFor('ada'))).ws.close();
    await receiver.span('connect', { 'soleseat.outcome': 'refused', 'soleseat.status': 401 });
    await receiver.span('connect', { 'soleseat.outcome': 'closed' });
    await node.stop();
    receiver.stop();
  });

  it('to a receiver that is not there harm nobody, and the node still ends', async () => {
    const gone = await OtlpReceiver.start();
    gone.stop();
    const node = await startNode(redis.url, {
      SOLESEAT_OTLP_ENDPOINT: gone.url,
      SOLESEAT_COMMAND_TIMEOUT_MS: '300',
    });
    const desktop = await Desktop.hello(node.ports.public, 'untraced', 'workstation');
    await desktop.told('lease');
    await node.stop();
  });

  it('are not even loaded while they are off', () => {
    const broker = fileURLToPath(new URL('../../dist/broker.js', import.meta.url));
    const script = `
      await import(${JSON.stringify(broker)});
      const { createRequire } = await import('node:module');
      console.log(Object.keys(createRequire(import.meta.url).cache).filter((file) => /opentelemetry.(sdk|exporter|otlp)/.test(file)).length);
    `;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
    expect(output.trim()).toBe('0');
  });
});

const hashOf = (name: string) => createHash('sha256').update(name).digest('hex').slice(0, 16);

describe('log lines', () => {
  it('name users plainly where a setting says so, and have one for each claim that is refused', async () => {
    const more = { SOLESEAT_LOG_LEVEL: 'info', SOLESEAT_LOG_USERS: 'plain', SOLESEAT_LICENSE_MODE: 'open' };
    const node = await NodeProcess.start(redis.url, more);
    const holder = await Desktop.hello(node.ports.public, 'plain-name', 'desk');
    await holder.told('welcome');
    for (let i = 0; i < 2; i++) {
      const second = await Desktop.hello(node.ports.public, 'plain-name', 'lap', { onConflict: 'deny' });
      await second.told('conflict');
      second.ws.terminate();
    }
    await ask(node, 'POST', '/v1/admin/orgs/acme/sessions/plain-name/evict', { body: { holdMs: 60_000 } });
    await holder.close();
    await (await Desktop.hello(node.ports.public, 'plain-name', 'desk')).close();
    await node.stop();
    const lines = node.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const same = { org: 'acme', user: 'plain-name', address: 'loopback', msg: 'claim refused' };
    expect(lines.filter(({ msg }) => msg === 'claim refused')).toMatchObject([
      { ...same, machine: 'lap', reason: 'conflict' },
      { ...same, machine: 'lap', reason: 'conflict' },
      { ...same, machine: 'desk', reason: 'evicted_by_admin' },
    ]);
  });

  it('have a line for each write of an admin: who did what to which org, and how it ended', async () => {
    const node = await NodeProcess.start(redis.url, { SOLESEAT_LOG_LEVEL: 'info' });
    const path = '/v1/admin/orgs/written/licenses';
    await ask(node, 'POST', path, { body: { user: 'ada' } });
    await ask(node, 'GET', path);
    await ask(node, 'POST', path, { body: { user: 'ada' } });
    await node.stop();
    const writes = node.lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ msg }) => msg === 'admin write');
    const same = { actor: 'admin@*', action: 'issueLicense', org: 'written' };
    expect(writes).toMatchObject([
      { ...same, status: 201 },
      { ...same, status: 409 },
    ]);
  });

  it('carry the ids to follow one session across nodes, and never a token', async () => {
    // No renewal may find the eviction out before the notice tells of it.
    const talkative = { ...SELDOM, SOLESEAT_LOG_LEVEL: 'debug' };
    const [a, b] = await Promise.all([
      NodeProcess.start(redis.url, talkative),
      NodeProcess.start(redis.url, talkative),
    ]);
    const first = await Desktop.hello(a.ports.public, 'logged', 'workstation');
    const { sessionId, epoch } = await first.told('welcome');
    first.ws.terminate();
    // Else the resume may come before the node has noticed.
    await a.logged(/lost its connection/);
    const resume = { resume: { sessionId, epoch }, onConflict: 'deny' as const };
    const again = await Desktop.hello(b.ports.public, 'logged', 'workstation', resume);
    const resumed = await again.told('welcome');
    const laptop = await Desktop.hello(a.ports.public, 'logged', 'laptop');
    const { epoch: byEpoch } = await laptop.told('welcome');
    await again.close();
    laptop.say({ type: 'refresh', token: `${tokenFor('logged')}x` });
    await laptop.close();
    const stranger = await Desktop.open(b.ports.public, null);
    stranger.say({ type: 'hello', machine: { id: 'pc' }, token: `${tokenFor('logged')}x` });
    await stranger.close();
    await Desktop.open(b.ports.public, `${tokenFor('logged')}x`).catch(() => {});
    await Promise.all([a.stop(), b.stop()]);

    const lines = [...a.lines, ...b.lines].map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.filter(({ msg }) => String(msg).includes('not accepted'))).toHaveLength(3);
    // Each node logs in order, and the session was on one after the other: no time has to tell.
    const story = lines.filter((line) => line.sessionId === sessionId);
    expect(story.map(({ msg, org, epoch, reason }) => ({ msg, org, epoch, reason }))).toEqual([
      { msg: 'session granted', org: 'acme', epoch, reason: 'granted' },
      { msg: 'session lost its connection', org: 'acme', epoch, reason: '1006' },
      { msg: 'session granted', org: 'acme', epoch: resumed.epoch, reason: 'resumed' },
      { msg: 'session evicted', org: 'acme', epoch: resumed.epoch, reason: 'taken_over' },
    ]);
    const nodeIds = story.map(({ nodeId }) => nodeId);
    expect(nodeIds[0]).toBe(nodeIds[1]);
    expect(nodeIds[2]).toBe(nodeIds[3]);
    expect(nodeIds[0]).not.toBe(nodeIds[2]);
    expect(story.at(-1)).toMatchObject({ path: 'pubsub', otherEpoch: byEpoch });
    const who = { user: hashOf('acme/logged'), machine: 'workstation', address: 'loopback' };
    for (const line of story) expect(line).toMatchObject(who);
    const winner = lines.find(({ msg, epoch: its }) => msg === 'session granted' && its === byEpoch);
    expect(winner).toMatchObject({ machine: 'laptop', otherSessionId: sessionId, otherEpoch: resumed.epoch });
    expect([...a.lines, ...b.lines].filter((line) => line.includes('"logged"'))).toEqual([]);
    expect(lines.filter(({ nodeId }) => typeof nodeId !== 'string')).toEqual([]);
    // A token begins with its header, the same for all of them.
    const [header = ''] = tokenFor('logged').split('.');
    expect([...a.lines, ...b.lines].filter((line) => line.includes(header))).toEqual([]);
  });
});
