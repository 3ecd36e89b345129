import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { keyRingFromSecret } from '../../src/auth/read-keys.js';
import { mintAdminToken, mintToken } from '../../src/auth/tokens.js';
import { Broker } from '../../src/broker.js';
import { ask } from '../support/admin.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { adminTokenFor, keys, PATIENT, startNode, testSettings, tokenFor } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { useRedis } from '../support/redis.js';

const redis = useRedis();
const folder = mkdtempSync(join(tmpdir(), 'soleseat-secrets-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const [OLD, NEW] = ['o'.repeat(40), 'n'.repeat(40)];
const keyOf = (secret: string) => {
  const [key] = keyRingFromSecret(secret).keys;
  if (key === undefined) throw new Error('no key');
  return key;
};
const clientToken = (secret: string, user: string) =>
  mintToken({ ...common, key: keyOf(secret), user, org: 'acme', audience: 'soleseat' });
const ownerToken = (secret: string) =>
  mintAdminToken({ ...common, key: keyOf(secret), ...owner, audience: 'soleseat-admin' });
const common = { issuer: 'soleseat', expiresInSeconds: 600 };
const owner = { subject: 'root', role: 'owner', org: '*' } as const;

async function helloWith(port: number, token: string): Promise<Desktop> {
  const desktop = await Desktop.open(port, null);
  desktop.say({ type: 'hello', machine: { id: 'pc' }, token });
  return desktop;
}

/** All that Redis is sent from now on, what scripts do included. By a bare socket: ioredis reads no MONITOR under RESP3. */
async function watchRedis(): Promise<() => string> {
  const { port } = redis.process;
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.write('MONITOR\r\n');
  await once(socket, 'data');
  return () => text;
}

describe('tokens', () => {
  it('never reach Redis, whichever way they come', async () => {
    const node = await startNode(redis.url);
    onTestFinished(() => node.stop());
    const sent = await watchRedis();
    const tokens = [tokenFor('ada'), tokenFor('bob'), tokenFor('ada', 'acme', 1800), adminTokenFor()];
    const [first = '', second = '', later = '', admin = ''] = tokens;
    const one = await Desktop.open(node.ports.public, first);
    one.say({ type: 'hello', machine: { id: 'pc' } });
    await one.told('welcome');
    await (await helloWith(node.ports.public, second)).told('welcome');
    one.say({ type: 'refresh', token: later });
    await one.caughtUp();
    const authorization = `Bearer ${first}`;
    await fetch(`http://127.0.0.1:${node.ports.public}/v1/session`, { headers: { authorization } });
    await ask(node, 'POST', '/v1/admin/orgs/acme/licenses', { token: admin, body: { user: 'eve' } });
    await ask(node, 'POST', '/v1/admin/session', { token: null, body: { token: admin } });
    await ask(node, 'GET', '/v1/admin/orgs', { token: null, headers: { cookie: `soleseat_admin=${admin}` } });
    await redis.client.echo('all of it');
    await eventually('what Redis was sent', () => sent().includes('all of it'));
    expect(sent()).toContain('eve');
    const signatures = tokens.map((token) => token.split('.')[2] ?? token);
    expect(signatures.filter((each) => sent().includes(each))).toEqual([]);
  });
});

describe('the key of client tokens', () => {
  it('signs no admin token where those have a key of their own, and neither does that one sign clients', async () => {
    const settings = testSettings(redis.url, { SOLESEAT_ADMIN_JWT_SECRET: NEW });
    const node = new Broker(settings, keys, { adminKeys: keyRingFromSecret(NEW) });
    await node.start();
    onTestFinished(() => node.stop());
    const statusOf = async (token: string) => (await ask(node, 'GET', '/v1/admin/orgs', { token })).status;
    expect(await statusOf(adminTokenFor('owner'))).toBe(401);
    expect(await statusOf(ownerToken(NEW))).toBe(200);
    expect((await (await helloWith(node.ports.public, clientToken(NEW, 'ada'))).close()).code).toBe(4501);
    await (await helloWith(node.ports.public, tokenFor('ada'))).told('welcome');
  });

  it('is another one at once where its file is, and sessions go on until their tokens end', async () => {
    const file = join(folder, 'secret');
    writeFileSync(file, OLD);
    const more = { ...PATIENT, SOLESEAT_JWT_SECRET: undefined, SOLESEAT_JWT_SECRET_FILE: file };
    const node = await NodeProcess.start(redis.url, { ...more, SOLESEAT_LOG_LEVEL: 'info' });
    onTestFinished(() => node.stop());
    const holder = await helloWith(node.ports.public, clientToken(OLD, 'holder'));
    await holder.told('welcome');
    writeFileSync(file, NEW);
    node.signal('SIGHUP');
    await node.logged(/read anew/);
    expect((await (await helloWith(node.ports.public, clientToken(OLD, 'ann'))).close()).code).toBe(4501);
    await (await helloWith(node.ports.public, clientToken(NEW, 'ann'))).told('welcome');
    const statusOf = async (token: string) => (await ask(node, 'GET', '/v1/admin/orgs', { token })).status;
    expect([await statusOf(ownerToken(OLD)), await statusOf(ownerToken(NEW))]).toEqual([401, 200]);
    await holder.caughtUp();
    expect(holder.closed).toBeNull();
  });
});
