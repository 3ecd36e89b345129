import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { Crowd } from '../support/crowd.js';
import { Desktop } from '../support/desktop.js';
import { tokenFor } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { testRedis } from '../support/redis.js';

const program = fileURLToPath(new URL('../support/flood.mjs', import.meta.url));
const NEWCOMERS = 200;
const FLOOD = { FLOOD_CONNECTIONS: '8', FLOOD_HANDSHAKES_PER_SECOND: '1000' };
/** Noise only adds. */
const ATTEMPTS = 6;

let redis: RedisProcess;
let node: NodeProcess;
let bystanders: Crowd;

beforeAll(async () => {
  redis = await testRedis();
  // The limits by address as they are by default.
  node = await NodeProcess.start(redis.url, {
    SOLESEAT_CONNECTIONS_PER_ADDRESS: '10000',
    SOLESEAT_LICENSE_MODE: 'open',
  });
  bystanders = await Crowd.seat([node.ports.public], ['others'], 20);
});
afterAll(async () => {
  bystanders?.leave();
  await node?.stop();
  await redis?.stop();
});

async function startFlood(): Promise<ChildProcess> {
  const env = {
    ...process.env,
    ...FLOOD,
    FLOOD_PORT: String(node.ports.public),
    FLOOD_TOKEN: tokenFor('flood'),
  };
  const flood = spawn(process.execPath, [program], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  await once(flood.stdout as NodeJS.ReadableStream, 'data');
  return flood;
}

/** How long newcomers wait for their seat, one after another: what 99 of 100 do not exceed, in ms. */
async function p99OfNewcomers(): Promise<number> {
  const waits: number[] = [];
  for (let index = 0; index < NEWCOMERS; index += 1) {
    const sinceMs = performance.now();
    const options = { localAddress: '127.0.0.7' };
    const newcomer = await Desktop.open(node.ports.public, tokenFor(`newcomer${index}`), options);
    newcomer.say({ type: 'hello', machine: { id: 'desk' } });
    await newcomer.told('welcome');
    waits.push(performance.now() - sinceMs);
    newcomer.ws.terminate();
  }
  return waits.sort((a, b) => a - b)[Math.ceil(NEWCOMERS * 0.99) - 1] ?? 0;
}

it('promise 16: a flood of one address makes newcomers wait no three times as long, and closes nobody else', async () => {
  const seen: { quiet: number; flooded: number }[] = [];
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const quiet = await p99OfNewcomers();
    const flood = await startFlood();
    const flooded = await p99OfNewcomers();
    flood.stdin?.end();
    await once(flood, 'exit');
    seen.push({ quiet, flooded });
    await bystanders.renewed();
    expect(bystanders.lost()).toEqual([]);
    if (flooded < 3 * quiet) return;
  }
  expect(seen).toBe('a p99 with the flood that is under three times that without it');
});
