import { expect, it } from 'vitest';
import { connect } from '../../packages/client/src/node.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { PATIENT, tokenFor } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { testRedis } from '../support/redis.js';

const PROGRAMS = 200;

it('promise 11: programs that all lost their node come back under the limit of handshakes, each to its session', async () => {
  const redis = await testRedis();
  const doomed = await NodeProcess.start(redis.url, PATIENT);
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
    { ...PATIENT, SOLESEAT_HANDSHAKES_PER_SECOND: '40' },
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

it('promise 11: memory stays flat, however often everybody is dropped and comes back', async () => {
  const redis = await testRedis();
  const node = await NodeProcess.start(redis.url, PATIENT);
  const residentMb = async () => {
    const page = await (await fetch(`http://127.0.0.1:${node.ports.admin}/metrics`)).text();
    return Number(/^process_resident_memory_bytes (\S+)/m.exec(page)?.[1]) / 2 ** 20;
  };
  const wave = async () => {
    const users = Array.from({ length: PROGRAMS }, (_, i) => `wave-${i}`);
    const desktops = await Promise.all(users.map((user) => Desktop.hello(node.ports.public, user, 'pc')));
    await Promise.all(desktops.map((one) => one.told('welcome')));
    for (const one of desktops) one.ws.terminate();
    await Promise.all(desktops.map((one) => one.close()));
  };
  // The heap of a young process grows to its working size first.
  for (let i = 0; i < 25; i++) await wave();
  const warmMb = await residentMb();
  for (let i = 0; i < 20; i++) await wave();
  // A node that kept only 20 KB of each of the 4,000 visits would have grown by 80 MB.
  expect((await residentMb()) - warmMb).toBeLessThan(60);
  await node.kill();
  await redis.stop();
});
