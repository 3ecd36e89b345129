import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { ask } from '../support/admin.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { adminTokenFor, startNode } from '../support/node.js';
import { isSigned, Receiver } from '../support/receiver.js';
import { testRedis } from '../support/redis.js';

const all = '/v1/admin/webhooks';
const token = adminTokenFor('owner');
let redis: RedisProcess;
let node: Broker;
let strict: Broker;
let receiver: Receiver;

beforeAll(async () => {
  redis = await testRedis();
  node = await startNode(redis.url, { SOLESEAT_WEBHOOKS_TO_PRIVATE: 'true' });
  strict = await startNode(redis.url);
  receiver = await Receiver.start();
});
beforeEach(async () => {
  const { body } = await ask(node, 'GET', all, { token });
  for (const { id } of body.items) await ask(node, 'DELETE', `${all}/${id}`, { token });
  receiver.received.length = 0;
});
afterAll(async () => {
  await Promise.all([node?.stop(), strict?.stop()]);
  await receiver?.stop();
  await redis?.stop();
});

/** The last message of `POST …/test`: what else happened may arrive at any time. */
const lastTested = () => receiver.received.findLast(({ type }) => type === 'webhook.tested');
const create = (more: object = {}) => ask(node, 'POST', all, { token, body: { url: receiver.url, ...more } });

describe('an owner', () => {
  it('registers a URL, sees the secret once, and gets what happens from then on', async () => {
    const { status, body } = await create({ types: ['granted', 'session.ended'], orgs: ['acme'] });
    expect(status).toBe(201);
    expect(body.secret).toMatch(/^whsec_/);
    const { id } = body.webhook;
    expect(body.webhook).toMatchObject({
      types: ['session.granted', 'session.ended'],
      state: 'active',
      secrets: 1,
    });
    const one = await ask(node, 'GET', `${all}/${id}`, { token });
    expect(one.text).not.toContain('whsec_');
    expect((await ask(node, 'GET', all, { token })).body.items).toEqual([one.body]);
    const desktop = await Desktop.hello(node.ports.public, 'ada', 'desk');
    await desktop.told('welcome');
    desktop.say({ type: 'release' });
    await eventually(() => receiver.accepted.length === 2);
    expect(receiver.accepted.map(({ type }) => type)).toEqual(['session.granted', 'session.ended']);
    expect(receiver.accepted.every((received) => isSigned(received, body.secret))).toBe(true);
    expect((await ask(node, 'DELETE', `${all}/${id}`, { token })).status).toBe(204);
    expect((await ask(node, 'GET', `${all}/${id}`, { token })).status).toBe(404);
    const trail = await ask(node, 'GET', '/v1/admin/orgs/*/events', { token });
    expect(trail.body.items.slice(0, 2)).toMatchObject([
      { type: 'webhook.deleted', actor: 'owner@*', role: 'owner', details: { webhook: id } },
      {
        type: 'webhook.created',
        details: { webhook: id, types: 'session.granted session.ended', orgs: 'acme' },
      },
    ]);
    expect(trail.text).not.toContain('/hooks');
    const recount = await ask(node, 'POST', '/v1/admin/recount', { token, body: {} });
    expect(recount.body.differences, 'the owners are no org').toEqual([]);
    const { body: orgs } = await ask(node, 'GET', '/v1/admin/orgs', { token });
    expect(orgs.items.map(({ org }: { org: string }) => org)).not.toContain('*');
  });

  it('tries it out, and is told how it went', async () => {
    const { body } = await create({ types: ['license.issued'] });
    const test = `${all}/${body.webhook.id}/test`;
    expect((await ask(node, 'POST', test, { token })).body).toEqual({ delivered: true, status: 204 });
    expect(receiver.received[0]).toMatchObject({ type: 'webhook.tested' });
    receiver.answer = () => 500;
    expect((await ask(node, 'POST', test, { token })).body).toEqual({ delivered: false, error: 'HTTP 500' });
    receiver.answer = () => 204;
    expect((await ask(strict, 'POST', test, { token })).body).toMatchObject({
      delivered: false,
      error: '127.0.0.1 is no public address',
    });
    await ask(node, 'PATCH', `${all}/${body.webhook.id}`, { token, body: { url: 'http://127.0.0.1:9/' } });
    expect((await ask(node, 'POST', test, { token })).body).toMatchObject({ error: 'connection refused' });
  });

  it('rotates the secret: both sign for a while, and then the new one alone', async () => {
    const { body } = await create();
    const path = `${all}/${body.webhook.id}`;
    const rotated = await ask(node, 'POST', `${path}/rotate-secret`, { token, body: {} });
    expect(rotated.body).toMatchObject({ webhook: { secrets: 2 } });
    await ask(node, 'POST', `${path}/test`, { token });
    const both = lastTested();
    expect([body.secret, rotated.body.secret].map((secret) => both && isSigned(both, secret))).toEqual([
      true,
      true,
    ]);
    const last = await ask(node, 'POST', `${path}/rotate-secret`, { token, body: { overlapMs: 0 } });
    expect(last.body.webhook.secrets).toBe(1);
    await ask(node, 'POST', `${path}/test`, { token });
    const alone = lastTested();
    const secrets = [body.secret, rotated.body.secret, last.body.secret];
    expect(secrets.map((secret) => alone && isSigned(alone, secret))).toEqual([false, false, true]);
  });

  it('pauses and resumes it, sees what was put aside, and has it sent again', async () => {
    const { body } = await create({ types: ['org.changed'] });
    const path = `${all}/${body.webhook.id}`;
    expect((await ask(node, 'PATCH', path, { token, body: { state: 'paused' } })).body.state).toBe('paused');
    await ask(node, 'PATCH', '/v1/admin/orgs/acme', { token, body: { quota: 9 } });
    expect((await ask(node, 'PATCH', path, { token, body: { state: 'active' } })).body.state).toBe('active');
    await eventually(() => receiver.accepted.some(({ type }) => type === 'org.changed'));
    expect((await ask(node, 'GET', `${path}/parked`, { token })).body).toEqual({ items: [], next: null });
    expect((await ask(node, 'POST', `${path}/replay`, { token, body: {} })).body).toEqual({ replayed: 0 });
  });

  it.each([
    [{ url: 'not a url' }, 422, 'url'],
    [{ url: 'ftp://example.com/' }, 422, 'url'],
    [{ url: 'https://a:b@example.com/' }, 422, 'url'],
    [{ types: ['session.exploded'] }, 400, 'types'],
    [{ types: [] }, 422, 'types'],
    [{ orgs: ['{}'] }, 422, 'orgs'],
    [{ nonsense: 1 }, 422, 'nonsense'],
  ])('is told what is wrong with %j', async (more, status, field) => {
    const answer = await create(more);
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer.body.fields)).toContain(field);
  });

  it('cannot have them lead into a private network, where no setting allows it', async () => {
    for (const url of [receiver.url, 'https://10.0.0.1/', 'https://[::ffff:127.0.0.1]/']) {
      const answer = await ask(strict, 'POST', all, { token, body: { url } });
      expect(answer).toMatchObject({ status: 422, body: { fields: [{ field: 'url' }] } });
    }
  });

  it('has at most fifty', async () => {
    for (let i = 0; i < 50; i++) expect((await create({ types: ['user.held'] })).status).toBe(201);
    expect(await create()).toMatchObject({ status: 409, body: { code: 'too_many_webhooks' } });
  });
});
