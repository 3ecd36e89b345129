import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AdminApi } from '../../../src/cli/desk/admin-api.js';
import { FakeApi } from '../../support/fake-api.js';

let fake: FakeApi;

beforeAll(async () => {
  fake = await FakeApi.start();
});
afterAll(() => fake.stop());

describe('a broker that accepts and stays silent', () => {
  const silent = () => new AdminApi({ url: fake.url, token: 'a.b.c', patienceMs: 1000 });

  it('is out of reach once patience has run out', async () => {
    fake.answer = () => {};
    await expect(silent().call('GET', '/v1/admin/orgs')).rejects.toMatchObject({
      exitCode: 69,
      message: expect.stringContaining('no answer within 1 s'),
    });
  });

  it('may take its time over an import, and over a body', async () => {
    fake.answer = (_, response) => void sleep(1500).then(() => response.end('{}'));
    expect(await (await silent().open('POST', '/', { isSlow: true })).text()).toBe('{}');
    fake.answer = (_, response) => {
      response.flushHeaders();
      void sleep(1500).then(() => response.end('{}'));
    };
    expect(await silent().call('GET', '/')).toEqual({});
  });
});

describe('following', () => {
  /** The Last-Event-ID of each connection, and of what the stream gave, the first so many. */
  async function follow(bodies: readonly string[], count: number, after?: string) {
    const asked: unknown[] = [];
    fake.answer = (request, response) => {
      asked.push(request.headers['last-event-id']);
      const body = bodies[asked.length - 1] ?? '';
      response.write(body === '' ? ': here\n\n' : body, () => response.destroy());
    };
    const given: unknown[] = [];
    const api = new AdminApi({ url: fake.url, token: 'a.b.c' });
    for await (const one of api.follow('/', {}, new AbortController().signal, after)) {
      given.push(one);
      if (given.length === count) break;
    }
    return { asked, given };
  }

  it('goes on after the last event of a lost connection', async () => {
    expect(await follow(['id: 5-0\ndata: 1\n\n', 'id: 6-0\ndata: 2\n\n'], 2)).toEqual({
      asked: [undefined, '5-0'],
      given: [1, 2],
    });
  });

  it('goes on where it began when the connection was lost before the first event', async () => {
    expect(await follow(['', 'id: 6-0\ndata: 2\n\n'], 1, '4-0')).toMatchObject({ asked: ['4-0', '4-0'] });
  });

  it('asks again for an event of which only the id had come', async () => {
    const bodies = [
      'id: 5-0\ndata: 1\n\nid: 6-0\n',
      'id: 5-0\ndata: 1\n\nid: 6-0\ndata: {"half',
      'id: 6-0\ndata: 2\n\n',
    ];
    expect((await follow(bodies, 3, '4-0')).asked).toEqual(['4-0', '5-0', '5-0']);
  });
});
