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
