import { expect, it } from 'vitest';
import { connect } from '../../src/client/node.js';
import { eventually } from '../support/eventually.js';
import { tokenFor } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { testRedis } from '../support/redis.js';

const PROGRAMS = 200;

it('promise 11: programs that all lost their node come back under the limit of handshakes, each to its session', async () => {
  const redis = await testRedis();
  const long = {
    SOLESEAT_LEASE_TTL_MS: '60000',
    SOLESEAT_RENEW_EVERY_MS: '20000',
    SOLESEAT_COMMAND_TIMEOUT_MS: '5000',
  };
  const doomed = await NodeProcess.start(redis.url, long);
  const url = `ws://127.0.0.1:${doomed.ports.public}/v1/connect`;
  const programs = Array.from({ length: PROGRAMS }, (_, i) =>
    connect({
      url,
      getToken: () => tokenFor(`storm-${i}`),
      machine: { id: `pc-${i}` },
      backoff: { firstMs: 200, maxMs: 2000 },
    }),
  );
  const isBack = () => programs.every(({ state }) => state === 'active');
  await eventually(isBack);
  const sessionIds = programs.map(({ sessionId }) => sessionId);
  await doomed.kill();
  await eventually(() => programs.every(({ state }) => state === 'reconnecting'));
  const next = await NodeProcess.start(
    redis.url,
    { ...long, SOLESEAT_HANDSHAKES_PER_SECOND: '40' },
    { ports: doomed.ports },
  );
  await eventually(isBack);
  expect(programs.map(({ sessionId }) => sessionId)).toEqual(sessionIds);
  const page = await (await fetch(`http://127.0.0.1:${next.ports.admin}/metrics`)).text();
  const refused = Number(/soleseat_handshake_refusals_total\{status="503"\} (\d+)/.exec(page)?.[1] ?? 0);
  expect(refused).toBeGreaterThan(0);
  for (const program of programs) program.disconnect();
  await next.kill();
  await redis.stop();
});
