import { describe, expect, it, onTestFinished } from 'vitest';
import { connect, type SessionClient } from '../../packages/client/src/node.js';
import { Broker } from '../../src/broker.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { IdentityProvider } from '../support/identity-provider.js';
import { PATIENT, testSettings } from '../support/node.js';
import { useRedis } from '../support/redis.js';
import { casesOf } from '../support/scope.js';

const redis = useRedis();

/** An unknown key is asked for twice in a minute at most: between rotations that are closer, tokens must last. */
const rotations = [
  { times: 1, tokenSeconds: 30 },
  { times: 3, tokenSeconds: 100 },
];

const settings = (provider: IdentityProvider, more = {}) =>
  testSettings(redis.url, {
    ...PATIENT,
    SOLESEAT_JWT_SECRET: '',
    SOLESEAT_OIDC_ISSUER: provider.issuer,
    SOLESEAT_CLAIM_USER: 'employee.id',
    SOLESEAT_CLAIM_ORG: 'organization',
    ...more,
  });

async function startNode(provider: IdentityProvider, more = {}): Promise<Broker> {
  const node = new Broker(settings(provider, more), null);
  onTestFinished(() => node.stop());
  await node.start();
  return node;
}

const readiness = async (node: Broker) => (await fetch(`http://127.0.0.1:${node.ports.admin}/readyz`)).status;

describe('the tokens of a real identity provider', () => {
  it('are waited for where it cannot be had yet, and then are good', async () => {
    const provider = await IdentityProvider.start(600);
    const token = await provider.token('ada');
    const { issuer } = provider;
    await provider.stop();
    const node = await startNode(provider);
    expect(await readiness(node)).toBe(503);
    const early = await Desktop.open(node.ports.public, null);
    early.say({ type: 'hello', machine: { id: 'pc' }, token });
    expect(await early.told('error')).toMatchObject({ code: 'token_not_yet_accepted', retryAfterMs: 2000 });
    expect(await early.close()).toEqual({ code: 4002, reason: 'token_not_yet_accepted' });
    const refused = await fetch(`http://127.0.0.1:${node.ports.public}/v1/session`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2']);
    const back = await IdentityProvider.start(600, new URL(issuer).port);
    onTestFinished(() => back.stop());
    await eventually(async () => (await readiness(node)) === 200);
    const desktop = await Desktop.open(node.ports.public, await back.token('ada'));
    desktop.say({ type: 'hello', machine: { id: 'pc' } });
    await desktop.told('welcome');
    expect(await node.store.sessions.get('acme', 'ada')).not.toBeNull();
  });

  it.each(casesOf(rotations, ({ times }) => times === 1))(
    'go on through rotations of its keys, $times: of 200 sessions nobody is closed',
    async ({ times, tokenSeconds }) => {
      const provider = await IdentityProvider.start(tokenSeconds);
      onTestFinished(() => provider.stop());
      const node = await startNode(provider);
      await eventually(async () => (await readiness(node)) === 200);
      const people = Array.from({ length: 200 }, (_, n) => new Person(node, provider, `user-${n}`));
      onTestFinished(() => {
        for (const { client } of people) client.disconnect();
      });
      await eventually('all have their seats', () => people.every(({ client }) => client.state === 'active'));
      for (let n = 0; n < times; n++) {
        provider.rotate();
        for (const person of people) person.warnings = 0;
        // A second warning comes only where the token that answered the first one was accepted.
        await eventually('all have tokens of the new key', () =>
          people.every(({ warnings }) => warnings >= 2),
        );
      }
      const told = people.flatMap((person) => person.told);
      expect(new Set(told)).toEqual(new Set(['token_not_yet_accepted']));
      expect(people.every(({ client }) => client.state === 'active' && client.holdsLease())).toBe(true);
    },
    600_000,
  );
});

/** A program that stays, and writes down whatever happens to it. */
class Person {
  readonly told: string[] = [];
  /** How often its token was about to end. */
  warnings = 0;
  readonly client: SessionClient;

  constructor(node: Broker, provider: IdentityProvider, user: string) {
    this.client = connect({
      url: `ws://127.0.0.1:${node.ports.public}/v1/connect`,
      machine: { id: `pc-${user}` },
      getToken: (need) => {
        if (need === 'token_expiring') this.warnings++;
        return provider.token(user);
      },
    });
    this.client.on('error', ({ code }) => this.told.push(code));
    for (const event of ['reconnecting', 'closed', 'evicted', 'denied'] as const)
      this.client.on(event, () => this.told.push(event));
  }
}
